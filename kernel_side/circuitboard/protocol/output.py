"""What a board's output in a notebook holds for a front end, and how a board that was kept on disk comes back."""

from __future__ import annotations

import msgspec

BOARD_OUTPUT = "application/vnd.circuitboard.board+json"
"""Names the widget of an output for our JupyterLab extension, which shows the still picture while no kernel has it."""

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
"""The live panel, drawn by Jupyter's own widget manager."""

DISPLAY_PREFIX = "circuitboard-"
"""An output's display id is this and the id of the widget's model."""

SAVED_NAME = r"[\w.-]{1,200}\.board\.json"
"""How the file is named that a board is kept in, as a regular expression of Python and of JavaScript."""


class BoardOutput(msgspec.Struct, frozen=True):
    """What lies under `BOARD_OUTPUT`: the widget's model, and the file that keeps the board, once one does."""

    model_id: str
    saved: str | None


class Offer(msgspec.Struct, frozen=True):
    """How a kept board comes back.

    `code` loads it as it is if that is `possible`; else it is there to be read, and null where there is none. `words`
    say what is there, or why it cannot be loaded.
    """

    possible: bool
    words: str
    code: str | None
