"""What can be read off runs without a sweep, and what follows from comparing two of them."""

from circuitboard.analysis.attention import AttentionPattern
from circuitboard.analysis.component import Component, ComponentKind
from circuitboard.analysis.direct_effects import DirectEffects, direct_effects
from circuitboard.analysis.direct_logit_attribution import DirectLogitAttribution
from circuitboard.analysis.edge_estimate import estimate_edges
from circuitboard.analysis.logit_lens import LensReading, LogitLens, read_lens
from circuitboard.analysis.max_activating import Window, neuron_activations, strongest, windows
from circuitboard.analysis.neurons import NeuronReading, Order, by_size, neuron_table, read_neurons, require_order
from circuitboard.analysis.per_prompt import outliers, per_prompt_table
from circuitboard.analysis.preferred_keys import preferred_keys
from circuitboard.analysis.self_repair import SelfRepair, self_repair_of
from circuitboard.analysis.static_view import StaticView, attention_view, tokens_view
from circuitboard.analysis.writes import Moved, copied, needed_for, written

__all__ = [
    "AttentionPattern",
    "Component",
    "ComponentKind",
    "DirectEffects",
    "DirectLogitAttribution",
    "LensReading",
    "LogitLens",
    "Moved",
    "NeuronReading",
    "Order",
    "SelfRepair",
    "StaticView",
    "Window",
    "attention_view",
    "by_size",
    "copied",
    "direct_effects",
    "estimate_edges",
    "needed_for",
    "neuron_activations",
    "neuron_table",
    "outliers",
    "per_prompt_table",
    "preferred_keys",
    "read_lens",
    "read_neurons",
    "require_order",
    "self_repair_of",
    "strongest",
    "tokens_view",
    "windows",
    "written",
]
