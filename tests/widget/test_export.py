"""What leaves the panel through the protocol: drawing, page and file say what the board says; nothing unasked is written."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest

import circuitboard as cb
from circuitboard.files.saved import SavedBoard
from circuitboard.pictures import EXACT, STOPS
from circuitboard.pictures.page_style import style_of
from circuitboard.protocol import messages as m
from circuitboard.session.export import drawn_map
from circuitboard.session.maps import sent_maps
from circuitboard.widget.still import html_of, still_of
from tests.board.export.test_page import Seen
from tests.widget.conftest import CLEAN

MAPS = ["head", "resid_pre", "attn_out", "mlp_out", "head_pos", "neuron"]


def finished(view, over: str, revision: int = 0) -> None:
    """Wait for the whole map of this kind."""
    deadline = time.monotonic() + 20
    while True:
        _, live = view.session.drawn()
        if live is not None and (live.status, live.view.map, live.shown.revision) == ("done", over, revision):
            return
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("over", MAPS)
def test_every_map_is_drawn(board, view, over):
    board.edit(cb.head(1, 2).zero())
    view.ask("set_view", map=over, map_layer=1, mode="patch")
    finished(view, over, 1)
    answer = view.ask("export", what="svg")
    assert (answer.filename, answer.media_type) == (f"circuitboard-{over}.svg", "image/svg+xml")
    root = ET.fromstring(answer.text)  # noqa: S314  our own
    words = " ".join(element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "on top of 1 edit" in words
    assert "from corrupted" in words
    _, live = view.session.drawn()
    drawing = drawn_map(board.desk, live)
    assert drawing.effect.ravel().tolist() == live.effect.tolist()
    assert (drawing.known == EXACT).all()
    assert drawing.stderr.ravel().tolist() == pytest.approx(live.stderr.tolist(), nan_ok=True)
    assert (drawing.inscribed is None) == (over != "neuron")
    if over in ("head", "head_pos"):
        assert drawing.marks
        assert "with its edits minus without them" in " ".join(words.split())


def test_drawing_page_and_still_have_the_colours_of_the_panel(board, view):
    finished(view, "head", 0)
    mine, other = ({STOPS[name][0], STOPS[name][-1]} for name in ("purple-green", "orange-blue"))
    maps = len(view.maps)
    view.ask("set_view", colours="purple-green")
    assert view.snapshots[-1].view.colours == "purple-green"
    page = view.ask("export", what="html").text
    written = [view.ask("export", what="svg").text, page, html_of(still_of(board, *view.session.drawn()))]
    for text in written:
        assert mine <= set(re.findall("#[0-9a-f]{6}", text))
        assert not other & set(re.findall("#[0-9a-f]{6}", text))
    assert style_of("purple-green") in page
    view.ask("set_view", colours="orange-blue")
    assert other <= set(re.findall("#[0-9a-f]{6}", view.ask("export", what="svg").text))
    assert len(view.maps) == maps, "no cell is computed for it"


def test_without_a_map_there_is_no_drawing(make_board, make_view):
    board = make_board(metric="rank")
    view = make_view(board)
    view.hello()
    view.ask("set_view", map="neuron")
    view.map(0, "failed", "neuron")
    assert view.ask("export", what="svg").error.code == "no_map"


def test_the_page_has_the_panels_map_edits_and_history(board, view):
    view.ask("click", site="1.2")
    view.ask("click", site="0.1", positions=[2])
    finished(view, "head", 2)
    view.wait(lambda: all(row.effect is not None for row in view.snapshots[-1].edits))
    answer = view.ask("export", what="html")
    assert (answer.filename, answer.media_type) == ("native-logit_diff.html", "text/html")
    page = Seen(answer.text)
    _, live = view.session.drawn()
    for cell, effect in zip(live.grid.cells, live.effect, strict=True):
        (row,) = [cells for cells in page.rows if cells[0] == str(cell.site) and len(cells) == 4]
        assert float(row[1].replace("\u2212", "-")) == pytest.approx(float(effect), abs=6e-5)
    assert "board.sweep('head', how='zero')" in page.text
    for edit in view.snapshots[-1].edits:
        (row,) = [cells for cells in page.rows if cells[0] == edit.what]
        assert float(row[2].replace("\u2212", "-")) == pytest.approx(edit.effect.value, abs=6e-5)
    steps = [cells for cells in page.rows if len(cells) == 5 and cells[0].isdigit() and "%" not in cells[1]]
    assert [cells[2] for cells in steps] == [node.label for node in board.history.nodes]
    assert all(cells[3] for cells in steps), "the panel knows the value of each state that it has shown"


def test_a_map_of_another_state_is_left_out_of_the_page(board, view):
    view.ask("set_view", live=False)
    view.ask("click", site="1.2")
    answer = view.ask("export", what="html")
    assert "<svg" not in answer.text
    assert "No map of this state" in answer.text


def test_the_file_to_download_is_the_file_that_is_saved(board, view, tmp_path):
    view.ask("click", site="1.2")
    answer = view.ask("export", what="board")
    assert (answer.filename, answer.media_type) == ("native-logit_diff.board.json", "application/json")
    board.save(tmp_path / "a.board.json")
    assert answer.text == (tmp_path / "a.board.json").read_text()
    msgspec.json.decode(answer.text, type=SavedBoard)


def test_a_board_is_saved_where_the_user_says_and_nowhere_else(board, view, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    view.ask("click", site="1.2")
    answer = view.ask("save", path="here.board.json")
    assert answer == m.Saved(
        answer.id, str(tmp_path / "here.board.json"), (tmp_path / "here.board.json").stat().st_size
    )
    assert view.ask("save", path="~/mine.board.json").path == str(tmp_path / "home" / "mine.board.json")
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"here.board.json", "home/mine.board.json"}
    loaded = cb.Board.load(tmp_path / "here.board.json", board.model)
    assert loaded.edits == board.edits
    loaded.close()


def test_a_file_that_is_there_is_replaced_only_when_told_to(board, view, tmp_path):
    path = tmp_path / "mine.board.json"
    path.write_text("mine")
    refused = view.ask("save", path=str(path))
    assert refused.error.code == "file_exists"
    assert path.read_text() == "mine"
    assert isinstance(view.ask("save", path=str(path), overwrite=True), m.Saved)
    assert json.loads(path.read_text())["format"] == "circuitboard.board"


@pytest.mark.parametrize(
    "path", ["", "  ", "no/such/folder.json", "a\0b", "x" * 5000, ".", "~nobody-of-this-name/x", "\ud83c.json"]
)
def test_what_is_no_place_for_a_file_is_refused(board, view, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert view.ask("save", path=path).error.code == "cannot_write"
    assert list(tmp_path.iterdir()) == []


def test_a_metric_of_ones_own_has_a_page_and_a_file_with_its_text(make_board, make_view, tmp_path):
    def mine(logits):
        return logits[:, -1, 0]

    view = make_view(make_board(metric=mine))
    view.hello()
    assert isinstance(view.ask("save", path=str(tmp_path / "x")), m.Saved)
    for text in ((tmp_path / "x").read_text(), view.ask("export", what="board").text):
        assert json.loads(text)["metric"]["mine"]["source"].startswith("def mine(logits):")
    assert "mine" in view.ask("export", what="html").text


@pytest.mark.parametrize("name", ["a/../b", "<script>", "\u202e", "..", "org/model name"])
def test_names_of_files_are_plain(board, view, monkeypatch, name):
    monkeypatch.setattr(board.desk.lab.adapter, "name", name)
    for what in ("html", "board"):
        answer = view.ask("export", what=what)
        assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", answer.filename), answer.filename
        assert Path(answer.filename).name == answer.filename


def test_what_fails_aside_is_told(view, monkeypatch):
    monkeypatch.setattr("circuitboard.session.export.page_of", lambda *_: 1 / 0)
    assert "ZeroDivisionError" in view.ask("export", what="html").error.message


# --- what is exported is what is seen ---------------------------------------------------------------


def words_of(answer) -> str:
    root = ET.fromstring(answer.text)  # noqa: S314  our own
    parts = " ".join(element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text"))
    return " ".join(parts.split())


def distance(board) -> float:
    return float(board.baselines.clean - board.baselines.corrupted)


def arrived(view, over: str, revision: int = 0):
    """The whole map of this kind, once the view has it: what it has not seen it cannot compare with."""
    finished(view, over, revision)
    live = view.session.drawn()[1]
    view.wait(lambda: any(event.map_id == live.map_id and event.status == "done" for event, _, _ in view.maps))
    return live


def test_shares_are_exported_as_shares(board, view):
    answer = view.ask("export", what="svg", look={"unit": "share"})
    told = words_of(answer)
    assert "effects as a share of clean \u2212 corrupted" in told
    assert "Share of clean \u2212 corrupted, clipped at" in told
    _, live = view.session.drawn()
    rows = list(csv.DictReader(io.StringIO(view.ask("export", what="csv", look={"unit": "share"}).text)))
    assert list(rows[0]) == ["site", "value", "effect", "exact", "effect_normalized"]
    shares = [float(row["effect_normalized"]) for row in rows]
    assert shares == pytest.approx((live.effect / distance(board)).tolist(), rel=1e-5)


def test_a_map_of_before_is_drawn_beside_the_live_one(board, view):
    kept = arrived(view, "head")
    view.ask("click", site="1.2")
    finished(view, "head", 1)
    live = view.session.drawn()[1]
    for side, name in (("a", "A"), ("b", "B"), ("difference", "B \u2212 A")):
        told = words_of(view.ask("export", what="svg", look={"against": kept.map_id, "side": side}))
        assert f"Drawn: {name}. B: effect of zeroing each head, on top of 1 edit. A: the same on the clean run." in told
    look = {"against": kept.map_id, "side": "difference", "unit": "share"}
    rows = list(csv.DictReader(io.StringIO(view.ask("export", what="csv", look=look).text)))
    for row, a, b in zip(rows, kept.effect, live.effect, strict=True):
        assert float(row["effect"]) == pytest.approx(float(b))
        assert float(row["effect_a"]) == pytest.approx(float(a))
        assert float(row["difference"]) == pytest.approx(float(b - a), abs=1e-6)
        assert float(row["difference_normalized"]) == pytest.approx(float(b - a) / distance(board), abs=1e-6)
    view.ask("set_view", mode="mean")
    finished(view, "head", 1)
    told = words_of(view.ask("export", what="svg", look=look))
    assert 'A was computed with "zero".' in told
    assert "A share of 1 is" in told


def test_neurons_are_compared_by_name_not_by_rank(board, view):
    view.ask("set_view", map="neuron")
    kept = arrived(view, "neuron")
    view.ask("click", site="neuron 1.3")
    finished(view, "neuron", 1)
    live = view.session.drawn()[1]
    look = {"against": kept.map_id, "side": "difference"}
    rows = list(csv.DictReader(io.StringIO(view.ask("export", what="csv", look=look).text)))
    before = dict(zip((str(cell.site) for cell in kept.grid.cells), kept.effect.tolist(), strict=True))
    for row in rows:
        known = before.get(row["site"])
        assert row["effect_a"] == ("" if known is None else str(known))
        assert (row["difference"] == "") == (known is None)
    assert len(rows) == live.effect.size
    view.ask("export", what="svg", look=look)


def test_sorting_and_hiding_are_drawn_and_said(view):
    look = {"rows": [2, 0, 1], "columns": [3, 2, 1, 0], "order": "both", "hide_below": 1e6, "numbers_from": 0.5}
    told = words_of(view.ask("export", what="svg", look=look))
    for words in (
        "rows and columns by largest |effect|",
        "12 hidden",
        "logits hidden",
        "numbers from 0.5",
    ):
        assert words in told, words
    plain = list(csv.DictReader(io.StringIO(view.ask("export", what="csv").text)))
    assert list(csv.DictReader(io.StringIO(view.ask("export", what="csv", look=look).text))) == plain, (
        "no data is hidden"
    )


@pytest.mark.parametrize(
    ("look", "code"),
    [
        ({"rows": [9]}, "bad_look"),
        ({"rows": []}, "bad_look"),
        ({"columns": [0] * 4}, "bad_look"),
        ({"hide_below": -1}, "bad_look"),
        ({"numbers_from": float("inf")}, "bad_look"),
        ({"layers": [1]}, "bad_look"),
        ({"order": "size"}, "bad_message"),
        ({"against": 99}, "map_forgotten"),
        ({"side": "c"}, "bad_message"),
        ({"rows": ["0"]}, "bad_message"),
        ({"effect": [1.0]}, "bad_message"),
    ],
)
def test_a_look_that_makes_no_sense_is_refused(view, look, code):
    assert view.ask("export", what="svg", look=look).error.code == code


def test_maps_of_other_things_are_not_compared(board, view):
    kept = arrived(view, "head").map_id
    view.ask("set_view", map="resid_pre")
    finished(view, "resid_pre")
    for what in ("svg", "csv"):
        assert view.ask("export", what=what, look={"against": kept}).error.code == "other_map"


def test_without_a_corrupted_run_there_are_no_shares(make_board, make_view):
    view = make_view(make_board(pair=cb.PromptPair(CLEAN, answer=[1, 2], wrong=[3, 4])))
    view.hello()
    finished(view, "head")
    for what in ("svg", "csv"):
        assert view.ask("export", what=what, look={"unit": "share"}).error.code == "no_share"


def test_the_oldest_maps_of_edits_are_forgotten_first(board, view, monkeypatch):
    unedited = arrived(view, "head")
    monkeypatch.setattr(sent_maps, "MOST_BYTES", 3 * (unedited.effect.nbytes + unedited.known.nbytes))
    found = []
    for revision, site in enumerate(("0.1", "0.2", "0.3"), 1):
        view.ask("click", site=site)
        found.append(arrived(view, "head", revision).map_id)
        view.ask("export", what="svg", look={"against": unedited.map_id})
    codes = [
        getattr(view.ask("export", what="svg", look={"against": one}), "error", None)
        for one in (unedited.map_id, *found)
    ]
    assert [error and error.code for error in codes] == [None, "map_forgotten", None, None]
