"""Maps as they are looked at, in numbers and in words: the cases that the panel's tests read too.

`extension/src/panels/map/words/maps.test.tsx` draws the same file as the panel does.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from circuitboard.pictures import UNKNOWN, Look, MapDrawing, Other, looked_at
from circuitboard.pictures.drawing import Label, Mark
from circuitboard.pictures.legend import ends_of, keys_of, note_of
from circuitboard.pictures.words import column_names, map_caption, state_words
from circuitboard.protocol.drawing import TokenColumn
from circuitboard.protocol.vocabulary import MAPS
from circuitboard.protocol.wording import unit_words
from circuitboard.sweeps.scale import scale_of

CASES = json.loads((Path(__file__).parent / "maps.json").read_text("utf-8"))


def drawing(case) -> MapDrawing:
    given = case["map"]
    over, words = given["over"], MAPS[given["over"]]
    shape = rows, columns = given["shape"]
    effect = np.array([float(x) for x in given["effect"]]).reshape(shape)
    known = np.array(given["known"], np.uint8).reshape(shape)
    distance = abs(case["clean"] - case["corrupted"]) if over == "resid_pre" else None
    clip, fixed = scale_of(effect, known != UNKNOWN, distance)
    tokens = msgspec.convert(case["columns"], list[TokenColumn])
    return MapDrawing(
        caption=map_caption(words.object, given["how"], given["base"], given["n_edits"]),
        details=[],
        row_axis=words.rows,
        column_axis=words.columns,
        rows=[Label(str(row)) for row in range(rows)],
        columns=[Label(name) for name in (column_names(tokens) if over == "resid_pre" else map(str, range(columns)))],
        names=[f"{row}.{column}" for row in range(rows) for column in range(columns)],
        effect=effect,
        known=known,
        unit=unit_words(case["unit"]),
        clip=clip,
        fixed=fixed,
        marks={cell: Mark(how, enabled=enabled) for cell, how, enabled in case["edits"]},
        cells=words.cells,
        filling=given["status"] == "computing",
    )


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_maps_are_looked_at_as_in_the_panel(case):
    says, look, whole = case["says"], case["look"], drawing(case)
    rows, columns = ([label.text for label in labels] for labels in (whole.rows, whole.columns))
    seen = Look(
        share=look.get("unit") == "share",
        rows=None if says["rows"] == rows else [rows.index(label) for label in says["rows"]],
        columns=None if says["columns"] == columns else [columns.index(label) for label in says["columns"]],
        **{name: value for name, value in look.items() if name != "unit"},
    )
    other = None
    if "kept" in case:
        kept = case["kept"]
        state = state_words("clean", [kept["name"]] if kept["n_edits"] else [])
        other = Other(np.array([float(x) for x in kept["effect"]]), np.array(kept["known"], np.uint8), state)
    found = looked_at(whole, seen, other, case["clean"] - case["corrupted"])
    drawn = found.arranged()
    assert (found.caption, found.looked, note_of(found)) == (says["caption"], says["look"], says["note"])
    assert keys_of(found) == says["keys"]
    assert (list(ends_of(found)) if found.clip > 0 else []) == says["ends"]
    assert [label.text for label in drawn.rows] == says["rows"]
    assert [label.text for label in drawn.columns] == says["columns"]
    hidden = [] if found.hidden is None else np.flatnonzero(found.hidden).tolist()
    assert hidden == says["hidden"]
    told = found.known.ravel() != UNKNOWN
    expected = np.array([float(x) for x in says["value"]])
    np.testing.assert_allclose(found.effect.ravel()[told], expected[told])
