"""What leaves a board for readers: a map as a vector drawing, the board as one page. Nothing here computes effects."""

from circuitboard.pictures.colour import STOPS, colour_of, require_colours
from circuitboard.pictures.drawing import ESTIMATED, EXACT, UNKNOWN, MapDrawing
from circuitboard.pictures.look import Look, Other, difference_of, looked_at, require_distance
from circuitboard.pictures.of_desk import distance_of, drawing_of, drawing_of_states, drawing_of_sweep
from circuitboard.pictures.page import Shows, page_of
from circuitboard.pictures.svg import svg_of
from circuitboard.pictures.words import position_names, state_words

__all__ = [
    "ESTIMATED",
    "EXACT",
    "STOPS",
    "UNKNOWN",
    "Look",
    "MapDrawing",
    "Other",
    "Shows",
    "colour_of",
    "difference_of",
    "distance_of",
    "drawing_of",
    "drawing_of_states",
    "drawing_of_sweep",
    "looked_at",
    "page_of",
    "position_names",
    "require_colours",
    "require_distance",
    "state_words",
    "svg_of",
]
