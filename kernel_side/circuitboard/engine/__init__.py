"""The engine: edits and sweeps computed exactly, by the fastest tier that this model allows."""

from circuitboard.engine.cancel import CancelToken, InPieces, piece
from circuitboard.engine.choose import TIERS, Choice, Requested, choose_engine
from circuitboard.engine.edited_origin import EditedOrigin
from circuitboard.engine.hooked import HookedEngine
from circuitboard.engine.memory import Budget, budget_of, require_room
from circuitboard.engine.replay import ReplayEngine
from circuitboard.engine.tier import CellLogits, EditedRun, Engine, Receipt
from circuitboard.engine.tolerance import tolerance
from circuitboard.engine.wavefront import WavefrontEngine
from circuitboard.engine.worker import Job, Worker

__all__ = [
    "TIERS",
    "Budget",
    "CancelToken",
    "CellLogits",
    "Choice",
    "EditedOrigin",
    "EditedRun",
    "Engine",
    "HookedEngine",
    "InPieces",
    "Job",
    "Receipt",
    "ReplayEngine",
    "Requested",
    "WavefrontEngine",
    "Worker",
    "budget_of",
    "choose_engine",
    "piece",
    "require_room",
    "tolerance",
]
