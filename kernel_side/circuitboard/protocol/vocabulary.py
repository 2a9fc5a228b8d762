"""What is drawn, as data: colours, signs, names and thresholds that the panel and Python's pictures share.

This is their one home. `npm run codegen` writes it out as `extension/src/protocol/vocabulary.gen.ts`; what both languages
make of it is held together by `tests/protocol/words.json`. Nothing here needs a model or a board.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from circuitboard.protocol.drawing import ColourMap, MapOver, Mode
from circuitboard.protocol.requests import AnyRequest, Apply, Click, Refresh, Request, StepRequest

Theme = Literal["light", "dark"]

MINUS = "\u2212"
SPACE = "·"
"""Stands for a space that would not be seen."""

MARKS: Mapping[str, str] = {"\n": "⏎", "\t": "⇥", "\r": "␍"}
"""Characters that have a sign of their own; other controls of ASCII have one from U+2400 on, and the rest are named by number."""

STOPS: Mapping[ColourMap, Mapping[Theme, list[str]]] = {
    "orange-blue": {
        "light": "#a84811 #d06b26 #e8914c #f2b984 #f4d9bb #f1f1ef #cce1f4 #a1cbf1 #75aee9 #4c8dd7 #2d68b8".split(),
        "dark": "#f5ad5a #d2833b #a76231 #7f4a2b #593827 #2d2d2d #2d4261 #355b8b #3f79b7 #539ee1 #7dc6fe".split(),
    },
    "purple-green": {
        "light": "#923cad #b561d1 #d088e9 #e5aef9 #f2d0fe #f1f1ef #c0ebc2 #93db97 #60c26b #24a63f #018027".split(),
        "dark": "#e59dff #be77d7 #9658ac #734283 #53325f #2d2d2d #1e4d24 #256a2f #338b3f #4eb15a #76d87f".split(),
    },
}
"""Diverging maps, from the strongest negative effect to the strongest positive one, straight sRGB in between.

Near nothing sinks towards the ground. The two themes are equal in lightness at ±k and told apart by people with protan,
deutan and tritan vision.
"""

INKS = ("#000", "#fff")
"""Text on a light and on a dark fill."""

INK_TURNS_AT = 0.179
"""The relative luminance (WCAG 2.2) up to which a fill is dark: text has a contrast of 4.58 or more."""

GLYPHS: Mapping[str, str] = {
    "zero": "M-5 5L5 -5",
    "mean": "M-5 0H5",
    "resample": "M-6 1q3 -5 6 -1t6 -1",
    "patch": "M-5 0H4M1 -3.5l3.5 3.5l-3.5 3.5",
    "scale": "M-4 4V0M4 4V-4M0 4V-2",
    "add": "M-4 4V0M4 4V-4M0 4V-2",
    "set": "M-4 -2H4M-4 2.5H4",
    "freeze": "M0 -5V5M-4.3 -2.5L4.3 2.5M-4.3 2.5L4.3 -2.5",
}
"""Signs of what was done, as paths around (0, 0)."""

METRICS: Mapping[str, str] = {
    "logit_diff": "logit difference",
    "log_prob": "log probability",
    "prob": "probability",
    "kl": "KL divergence",
}
"""Names of metrics for people; others are their own, with spaces."""

OWN_UNIT = "the metric's own unit"
"""The unit of a metric that names none."""

DOING: Mapping[Mode, str] = {
    "zero": "zeroing",
    "mean": "mean-ablating",
    "resample": "resampling",
    "patch": "patching",
}


class MapWords(msgspec.Struct, frozen=True):
    """A kind of map in words: its tab, what a cell edits, what all cells are, the grid for those who do not see it."""

    tab: str
    object: str
    of: str
    cells: str
    rows: str
    columns: str
    grid: str


MAPS: Mapping[MapOver, MapWords] = {
    "head": MapWords("Heads", "each head", "heads", "heads", "layer", "head", "Effect of each head: layer by head"),
    "head_pos": MapWords(
        "Head × position",
        "a head of layer {layer} at one position",
        "the heads of one layer by position",
        "cells",
        "head",
        "",
        "Effect of each head of a layer at each position: head by position",
    ),
    "resid_pre": MapWords(
        "Residual",
        "the residual stream at one position",
        "the residual stream",
        "cells",
        "layer",
        "",
        "Effect of the residual stream: layer by position",
    ),
    "attn_out": MapWords(
        "Attention out",
        "an attention layer's output at one position",
        "attention outputs",
        "cells",
        "layer",
        "",
        "Effect of each attention layer's output: layer by position",
    ),
    "mlp_out": MapWords(
        "MLP out",
        "an MLP's output at one position",
        "MLP outputs",
        "cells",
        "layer",
        "",
        "Effect of each MLP's output: layer by position",
    ),
    "neuron": MapWords(
        "Neurons",
        "each neuron, those with the largest estimates of every layer",
        "neurons",
        "neurons",
        "layer",
        "rank",
        "Effect of the neurons that matter most: layer by rank",
    ),
}
"""The panel's maps. `rows` and `columns` name the axes; positions need no name, since their tokens are written."""

DRAWN: Mapping[str, str] = {"a": "A", "b": "B", "difference": f"B {MINUS} A"}
"""Two maps that are compared, and what the second has more."""

ORDERS: Mapping[str, str] = {"layer": "", "rows": "rows", "columns": "columns", "both": "rows and columns"}
"""What is sorted by its largest effect."""

SHARE_OF = f"of clean {MINUS} corrupted"
"""The unit of effects that are divided by the distance between the unedited runs."""

KEYS: Mapping[str, str] = {
    "exact": "all exact",
    "approximate": "approximate (AtP)",
    "filling": " until exact",
    "unknown": "not computed yet",
    "old": "not up to date",
    "nothing": "exactly 0",
    "hidden": "hidden",
    "bad": "not finite",
    "edited": "edited",
}
"""What each look of a cell means, in the legend."""

NO_SCALE: Mapping[str, str] = {
    "unknown": "The scale is set from the first effects.",
    "difference": "A and B are the same in every cell that is known of both.",
    "nothing": "No cell computed so far changes the metric.",
}
"""Why a map has no scale."""

PERCENTILE = 0.98
"""A scale ends here, so that one cell does not take all colour from the others."""

FAR_BEYOND = 2
"""Effects this many times the distance of the baselines make that distance no scale for them."""

NUMBER_FROM = 0.4
"""Effects smaller than this share of the scale get no number in their cell."""

BEYOND_NAMED = 3
"""Cells beyond the scale that are named; of more, the number is told."""

EDITS_NAMED = 2
"""Edits of a state that are named; of more, the number is told."""

CHARACTERS: Mapping[str, int] = {"column": 7, "position": 10, "state": 60, "unit": 24, "metric": 40}
"""How long names may be: of a map's column, of a position in its caption, of a state, a unit, a metric."""

HUGE = 1e7
"""Numbers from here on are written with an exponent."""

SMALLEST_SHARE = 0.0005
"""Shares under it would be written as 0.0%: they are said to be less than 0.1%."""


_STEPS: tuple[type[Request], ...] = (*(one for one in StepRequest.__subclasses__() if one.moves), Click, Apply, Refresh)
STEPS: list[str] = sorted(str(one.__struct_config__.tag) for one in _STEPS)
"""Requests after which the numbers are others: a panel is busy until they are answered."""

FAILURES: dict[str, str] = {str(one.__struct_config__.tag): one.failure for one in get_args(AnyRequest)}
"""What is said of a request that is refused or fails, before the reason; of a click, which component it was."""


def vocabulary() -> dict[str, Any]:
    """All of it by name, in the order above: what is written out for the panel."""
    names = [name for name in globals() if name.isupper() and name[0] != "_"]
    found: dict[str, Any] = msgspec.to_builtins({name: globals()[name] for name in names})
    return found
