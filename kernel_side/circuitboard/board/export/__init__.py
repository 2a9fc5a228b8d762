"""What leaves a board for readers: a map as a vector drawing, the board as one page. Nothing here computes effects."""

from circuitboard.board.export.colour import STOPS, colour_of
from circuitboard.board.export.drawing import ESTIMATED, EXACT, UNKNOWN, MapDrawing
from circuitboard.board.export.of_board import drawing_of, drawing_of_sweep
from circuitboard.board.export.page import Shows, page_of
from circuitboard.board.export.svg import svg_of

__all__ = [
    "ESTIMATED",
    "EXACT",
    "STOPS",
    "UNKNOWN",
    "MapDrawing",
    "Shows",
    "colour_of",
    "drawing_of",
    "drawing_of_sweep",
    "page_of",
    "svg_of",
]
