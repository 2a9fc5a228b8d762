"""What can be read off runs without a sweep, and what follows from comparing two of them."""

from circuitboard.analysis.attention import AttentionPattern, attention, pattern_of
from circuitboard.analysis.component import Component, ComponentKind
from circuitboard.analysis.component_run import ComponentRun, component_run, query_heads
from circuitboard.analysis.direct_effects import DirectEffects, direct_effects
from circuitboard.analysis.direct_logit_attribution import DirectLogitAttribution, direct_logit_attribution
from circuitboard.analysis.edge_estimate import estimate_edges
from circuitboard.analysis.edges_into import EdgesInto, edges_into, receiver_of
from circuitboard.analysis.edit_effect import WRITES, EditEffect, edit_effect
from circuitboard.analysis.logit_lens import LensReading, LogitLens, logit_lens
from circuitboard.analysis.max_activating import MaxActivating, Window, max_activating, windows
from circuitboard.analysis.neurons import NeuronReading, Neurons, Order, neurons
from circuitboard.analysis.per_prompt import outliers, per_prompt_table
from circuitboard.analysis.preferred_keys import preferred_keys
from circuitboard.analysis.self_repair import SelfRepair, self_repair
from circuitboard.analysis.static_view import StaticView, attention_view, tokens_view
from circuitboard.analysis.token_readers import TokenReaders, token_readers
from circuitboard.analysis.writes import Moved, copied, needed_for, written

__all__ = [
    "WRITES",
    "AttentionPattern",
    "Component",
    "ComponentKind",
    "ComponentRun",
    "DirectEffects",
    "DirectLogitAttribution",
    "EdgesInto",
    "EditEffect",
    "LensReading",
    "LogitLens",
    "MaxActivating",
    "Moved",
    "NeuronReading",
    "Neurons",
    "Order",
    "SelfRepair",
    "StaticView",
    "TokenReaders",
    "Window",
    "attention",
    "attention_view",
    "component_run",
    "copied",
    "direct_effects",
    "direct_logit_attribution",
    "edges_into",
    "edit_effect",
    "estimate_edges",
    "logit_lens",
    "max_activating",
    "needed_for",
    "neurons",
    "outliers",
    "pattern_of",
    "per_prompt_table",
    "preferred_keys",
    "query_heads",
    "receiver_of",
    "self_repair",
    "token_readers",
    "tokens_view",
    "windows",
    "written",
]
