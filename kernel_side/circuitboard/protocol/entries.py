"""What front ends call in a kernel by its dotted name: these names stay, whatever is moved."""

from __future__ import annotations

FORM_MODULE = "circuitboard.form.form"
"""Has `options()` and `check(text)`."""

BRIDGE_MODULE = "circuitboard.widget.bridge"
"""Has `exchange(text)`."""

RELOADING_MODULE = "circuitboard.widget.reloading"
"""Has `offer(text)`."""

SHOW_MODULE = "circuitboard.widget"
"""Has `show_current(number)`."""

DISPLAY_MODULE = "circuitboard.board.display"
"""Has `newest()`; a kernel that has not imported it has no board."""

NO_BOARD = "no_board"
"""The code of the error of `show_current` where there is no board."""
