"""Pictures of a map that is looked at: shares, two maps compared, cells hidden and sorted; each as it is said."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from circuitboard.errors import CircuitboardError
from circuitboard.pictures import (
    ESTIMATED,
    EXACT,
    UNKNOWN,
    Look,
    Other,
    drawing_of_states,
    drawing_of_sweep,
    looked_at,
    svg_of,
)
from circuitboard.pictures.colour import colour_of
from circuitboard.pictures.drawing import Label, Mark
from tests.board.export.test_svg import HOSTILE, SVG, board, drawing, texts

__all__ = ["board"]

EFFECT = np.array([[-2.0, 0.0, 2.0], [0.5, 1.0, -0.25]])
KNOWN = np.array([[EXACT, EXACT, EXACT], [ESTIMATED, EXACT, UNKNOWN]], np.uint8)


def plain(**changes):
    return drawing(effect=EFFECT, known=KNOWN, **changes)


def words(found) -> str:
    return " ".join(texts(svg_of(found)).split())


# --- shares -----------------------------------------------------------------------------------------


def test_shares_are_the_sweeps_effects_over_the_distance_of_the_baselines(board):
    sweep = board.sweep("head", how="zero")
    distance = float(board.baselines.clean - board.baselines.corrupted)
    found = drawing_of_sweep(board.desk, sweep, normalized=True)
    np.testing.assert_allclose(found.effect, sweep.effect.double().numpy() / distance, rtol=1e-5)
    np.testing.assert_allclose(found.stderr, sweep.stderr.double().numpy() / abs(distance), rtol=1e-5)
    told = words(found)
    assert found.unit == "share of clean \u2212 corrupted"
    assert "Effect of zeroing each head, on top of 2 edits View: effects as a share of clean \u2212 corrupted." in told
    assert "Share of clean \u2212 corrupted, clipped at" in told, "the unit is in the legend"
    assert f"A share of 1 is clean \u2212 corrupted: {distance:+.2f} logits.".replace("-", "\u2212") in told


def test_a_share_keeps_the_picture_and_turns_it_where_corrupted_is_above_clean():
    whole = looked_at(plain(), Look(), None, 4.0)
    for distance in (4.0, -4.0):
        found = looked_at(plain(), Look(share=True), None, distance)
        assert found.clip == 0.5
        np.testing.assert_array_equal(found.effect, EFFECT / distance)
        fills = [colour_of(x, found.clip) for x in found.effect.ravel()]
        sign = np.sign(distance)
        assert fills == [colour_of(sign * x, whole.clip) for x in EFFECT.ravel()]


@pytest.mark.parametrize("distance", [None, 0.0, float("nan"), float("inf")])
def test_without_a_distance_there_are_no_shares(distance):
    with pytest.raises(CircuitboardError) as refused:
        looked_at(plain(), Look(share=True), None, distance)
    assert refused.value.code == "no_share"


# --- two maps ---------------------------------------------------------------------------------------

A = Other(
    np.array([[1.0, 0.0, 5.0], [0.25, np.nan, 9.0]]), np.array([[1, 1, 1], [1, 0, 1]], np.uint8), "after zero 9.9"
)


def test_each_side_has_its_numbers_and_its_name():
    b = looked_at(plain(), Look(side="b"), A, None)
    a = looked_at(plain(), Look(side="a"), A, None)
    difference = looked_at(plain(), Look(side="difference"), A, None)
    np.testing.assert_array_equal(b.effect, EFFECT)
    np.testing.assert_array_equal(a.effect, A.effect)
    np.testing.assert_array_equal(a.known, A.known)
    np.testing.assert_array_equal(difference.effect, [[-3.0, 0.0, -3.0], [0.25, np.nan, np.nan]])
    assert difference.known.tolist() == [[EXACT, EXACT, EXACT], [ESTIMATED, UNKNOWN, UNKNOWN]]
    assert a.clip == b.clip > difference.clip, "A and B share the larger scale, their difference has its own"
    both = "B: effect of zeroing each head, on the clean run. A: the same after zero 9.9."
    for found, name in ((a, "A"), (b, "B"), (difference, "B \u2212 A")):
        assert found.caption == f"Drawn: {name}. {both}"
        assert found.caption in words(found)
        assert "Of B: Logit difference." in words(found), "whose numbers the note below tells"
    assert "98th percentile of |B \u2212 A|" in words(difference)
    assert "one scale for A and B" in words(a)


def test_maps_that_are_the_same_have_no_scale_and_say_so():
    same = Other(EFFECT, KNOWN, "on the clean run")
    found = looked_at(plain(), Look(side="difference"), same, None)
    assert found.clip == 0
    assert "A and B are the same in every cell that is known of both." in words(found)


def test_two_states_of_a_board_are_drawn_as_their_difference(board, tmp_path):
    states = board.compare_states(0, over="head", how="zero")
    found = drawing_of_states(board.desk, states)
    expected = (states.right.sweep.effect - states.left.sweep.effect).double().numpy()
    np.testing.assert_allclose(found.effect, expected, atol=1e-6)
    assert "on top of 2 edits. A: the same on the clean run" in words(found)
    path = tmp_path / "change.svg"
    board.export_svg(path, states, normalized=True)
    told = " ".join(texts(path.read_text("utf-8")).split())
    assert "Drawn: B \u2212 A. B: effect of zeroing each head" in told
    assert "effects as a share of clean \u2212 corrupted" in told
    distance = float(board.baselines.clean - board.baselines.corrupted)
    shares = drawing_of_states(board.desk, states, normalized=True)
    np.testing.assert_allclose(shares.effect, expected / distance, atol=1e-6)
    with pytest.raises(CircuitboardError) as refused:
        board.export_svg(tmp_path / "no.svg", board.compare_states(0))
    assert refused.value.code == "no_map"
    assert not (tmp_path / "no.svg").exists()


# --- what is left out -------------------------------------------------------------------------------


def test_hidden_cells_have_no_colour_and_no_number_and_are_counted():
    found = looked_at(plain(), Look(hide_below=0.75), None, None)
    assert found.hidden.tolist() == [[False, True, False], [True, False, False]]
    svg = svg_of(found)
    assert "2 hidden" in texts(svg)
    assert "View: under 0.75 logits hidden (2 of 6 hidden)." in words(found)
    fill = colour_of(0.5, found.clip)
    assert svg.count(fill) == svg_of(plain()).count(fill) - 1, "it is left in the scale alone"
    shares = looked_at(plain(), Look(share=True, hide_below=0.75), None, 4.0)
    assert shares.hidden.tolist() == found.hidden.tolist()
    assert "under 0.188 of clean \u2212 corrupted hidden" in words(shares)


def test_only_edited_or_exact_cells():
    marked = plain(marks={4: Mark("zero", enabled=False)})
    edited = looked_at(marked, Look(show="edited"), None, None)
    assert edited.hidden.tolist() == [[True, True, True], [True, False, False]]
    assert "View: edited cells only (4 of 6 hidden)." in words(edited)
    exact = looked_at(marked, Look(show="exact"), None, None)
    assert exact.hidden.tolist() == [[False, False, False], [True, False, False]]


def test_rows_and_columns_move_with_all_that_is_theirs():
    marked = plain(marks={4: Mark("zero", enabled=True)}, inscribed=list("abcdef"), stderr=EFFECT / 10)
    whole = looked_at(marked, Look(rows=[1, 0], columns=[2, 0, 1], order="both"), None, None)
    found = whole.arranged()
    np.testing.assert_array_equal(found.effect, [[-0.25, 0.5, 1.0], [2.0, -2.0, 0.0]])
    np.testing.assert_array_equal(found.stderr, found.effect / 10)
    assert [label.text for label in found.rows] == ["1", "0"]
    assert [label.text for label in found.columns] == ["2", "0", "1"]
    assert found.names == ["1.2", "1.0", "1.1", "0.2", "0.0", "0.1"]
    assert found.inscribed == list("fdecab")
    assert found.marks == {2: Mark("zero", enabled=True)}
    assert "View: rows and columns by largest |effect|." in words(whole)
    assert words(whole).count("exactly 0") == 1, "legend and notes are of the whole map"
    layer = looked_at(marked, Look(rows=[1], layers=[1, 1]), None, None)
    assert "View: layers 1 to 1 only." in words(layer)
    some = layer.arranged()
    assert some.marks == {1: Mark("zero", enabled=True)}


def test_numbers_are_written_from_the_size_that_is_asked_for():
    def written(look):
        return set(re.findall(r">([+\u2212][\d.]+)</text>", svg_of(looked_at(plain(), look, None, None))))

    assert written(Look(numbers_from=0.9)) == {"\u22122.0", "+2.0", "+1.0"}
    assert written(Look(numbers_from=1.5)) == {"\u22122.0", "+2.0"}


def test_numbers_lose_their_zero_where_they_do_not_fit_with_it():
    names = [str(column) for column in range(24)]
    narrow = drawing(
        rows=[Label("0")], columns=[Label(name) for name in names], names=names,
        effect=np.full((1, 24), -0.27), known=np.full((1, 24), EXACT, np.uint8), clip=0.3,
    )  # fmt: skip
    assert ">\u2212.27</text>" in svg_of(narrow)


@pytest.mark.parametrize(
    "look",
    [
        Look(rows=[0, 0]),
        Look(rows=[2]),
        Look(rows=[-1]),
        Look(rows=[]),
        Look(columns=[0, 3]),
        Look(layers=[0]),
        Look(hide_below=-1.0),
        Look(hide_below=float("nan")),
        Look(numbers_from=float("inf")),
    ],
)
def test_a_look_that_does_not_fit_the_map_is_refused(look):
    with pytest.raises(CircuitboardError) as refused:
        looked_at(plain(), look, None, None)
    assert refused.value.code == "bad_look"


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "img", "style", "bidi", "entity", "surrogate", "long", "cjk"])
def test_hostile_names_of_states_are_only_text(text):
    other = replace(A, state=text, settings=text)
    hostile = drawing(effect=EFFECT, known=KNOWN, caption=text, unit=text[:100], row_axis=text[:100])
    found = looked_at(hostile, Look(share=True, rows=[1], hide_below=0.3, side="difference"), other, 2.0)
    root = ET.fromstring(svg_of(found))  # noqa: S314  our own
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "rect", "path", "text",
    }  # fmt: skip
    assert not {name for element in root.iter() for name in element.attrib if name.startswith("on") or "href" in name}
