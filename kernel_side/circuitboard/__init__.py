"""Circuitboard: click a component of a transformer, watch what the model says change. Exact, live, undoable.

>>> import circuitboard as cb  # doctest: +SKIP
>>> board = cb.Board(cb.load("demo"), cb.PromptPair("…", "…", answer=" Mary", wrong=" John"))  # doctest: +SKIP
>>> board.edit(cb.head(3, 3).zero())  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from circuitboard.address import (
    Edge,
    Intervention,
    Site,
    attn_out,
    edge,
    embed,
    head,
    mlp_out,
    neuron,
    resid_mid,
    resid_post,
    resid_pre,
    site,
)
from circuitboard.errors import (
    AddressError,
    CallError,
    Cancelled,
    CircuitboardError,
    EngineError,
    InterventionError,
    MetricError,
    ModelError,
    NoSuchName,
    PromptError,
    ProtocolError,
    SessionFileError,
    StillComputing,
)

if TYPE_CHECKING:
    from circuitboard.board import Board, Outcome, Verification
    from circuitboard.engine import Receipt
    from circuitboard.models import load, models
    from circuitboard.prompts import PromptPair, tasks
    from circuitboard.runs import Run
    from circuitboard.sweeps import Sweep

__all__ = [
    "AddressError",
    "Board",
    "CallError",
    "Cancelled",
    "CircuitboardError",
    "Edge",
    "EngineError",
    "Intervention",
    "InterventionError",
    "MetricError",
    "ModelError",
    "NoSuchName",
    "Outcome",
    "PromptError",
    "PromptPair",
    "ProtocolError",
    "Receipt",
    "Run",
    "SessionFileError",
    "Site",
    "StillComputing",
    "Sweep",
    "Verification",
    "attn_out",
    "edge",
    "embed",
    "head",
    "load",
    "mlp_out",
    "models",
    "neuron",
    "resid_mid",
    "resid_post",
    "resid_pre",
    "site",
    "tasks",
]

full_tracebacks = False
"""Whether notebooks show every line that was run before an error of ours; else the user's own lines and the message."""

# torch and TransformerLens take seconds to import, so what needs them is loaded when it is first used.
_LATER = {
    "Board": "circuitboard.board",
    "Outcome": "circuitboard.board",
    "PromptPair": "circuitboard.prompts",
    "Receipt": "circuitboard.engine",
    "Run": "circuitboard.runs",
    "Sweep": "circuitboard.sweeps",
    "Verification": "circuitboard.board",
    "load": "circuitboard.models",
    "models": "circuitboard.models",
    "tasks": "circuitboard.prompts",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("circuitboard")
    if name not in _LATER:
        from circuitboard.words import no_such_name

        raise no_such_name("circuitboard", name, "circuitboard", __all__)
    if name == "Board":
        _wire_views()
    value = getattr(importlib.import_module(_LATER[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__", "full_tracebacks"]


def _wire_views() -> None:
    """Boards show themselves with the widget, loaded when the first one is shown, and are told to Jupyter's server."""
    from circuitboard.board import display

    def view(board: Board, **kwargs: Any) -> Any:
        from circuitboard.widget import mimebundle

        return mimebundle(board, **kwargs)

    def tell(board: Board) -> None:
        if "ipykernel.kernelapp" in sys.modules:
            from circuitboard.widget.announcement import announce

            announce(board)

    def element(board: Board) -> Any:
        from circuitboard.widget.marimo import element as made

        return made(board)

    def widget(board: Board) -> Any:
        from circuitboard.widget import widget_of

        return widget_of(board)

    display.register(view, element, widget)
    display.on_made(tell)
