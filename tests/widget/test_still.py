"""What a notebook shows of a board without a kernel: complete, small, inert, whatever its tokens are."""

from __future__ import annotations

import dataclasses
import re
import time
from html.parser import HTMLParser

import msgspec
import nbformat
import numpy as np
import pytest

import circuitboard as cb
from circuitboard.pictures import MapDrawing, svg_of
from circuitboard.pictures.drawing import Label, Mark
from circuitboard.protocol import messages as m
from circuitboard.protocol.wording import percent, plain, signed, token_words
from circuitboard.sweeps.scale import scale_of
from circuitboard.widget import mimebundle, widget_of
from circuitboard.widget.still import BACK, CELLS, MAX_BYTES, Still, html_of, still_of, text_of

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</textarea><svg onload=alert(1)>",
    "\u202egnp.exe\x00\x1b[2J",
    "&lt;b&gt;",
    "\ud800",
    "x" * 2**20,
]


class Seen(HTMLParser):
    """Elements, their attributes and the text, as a browser without JavaScript would find them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[str] = []
        self.rows: list[list[str]] = []
        self.text, self.in_row = "", False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag == "tr":
            self.rows.append([])
            self.in_row = True
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        self.text += data
        if self.in_row and self.rows[-1]:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag):
        self.in_row &= tag != "tr"


ALLOWED = set("div p strong em table caption thead tbody tr th td svg rect path text".split())


def drawn(view) -> Still:
    return still_of(view.board, *view.session.drawn())


def until_done(view, over, revision=0):
    """The map of the panel once it is whole."""
    deadline = time.monotonic() + 300
    while True:
        _, live = view.session.drawn()
        if (live.status, live.view.map, live.shown.revision) == ("done", over, revision):
            return live
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_bundle_has_the_panel_a_picture_and_text(make_board):
    board = make_board()
    board.edit(cb.head(1, 2).zero())
    bundle = mimebundle(board)
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data[WIDGET_VIEW]["model_id"] == widget_of(board).model_id
    html, text = data["text/html"], data["text/plain"]
    for shown in ("zero 1.2", signed(board.value, 4), signed(board.baselines.clean, 4), "cb.Board.load"):
        assert shown in text
        assert shown in Seen(html).text
    assert text.startswith(repr(board))
    assert signed(board.baselines.corrupted, 4) in html
    assert BACK in text


def test_without_a_known_map_there_is_none_and_nothing_is_computed(make_board):
    board = make_board()
    asked = []
    board.desk.worker.put = lambda *job, **_: asked.append(job)
    html = mimebundle(board)
    del board.desk.worker.put
    html = (html[0] if isinstance(html, tuple) else html)["text/html"]
    assert "<svg" not in html
    assert "No edits" in html
    assert not asked


def test_the_map_of_the_panel_is_drawn_and_told(view, board):
    view.ask("click", site="0.1")
    live = until_done(view, "head", revision=1)
    snapshot, _ = view.session.drawn()
    still = still_of(board, snapshot, live)
    assert still.map.known.all()
    assert np.array_equal(still.map.effect.ravel(), live.effect)
    assert still.map.marks == {1: Mark("zero", enabled=True)}
    page = Seen(html_of(still))
    assert page.elements.count("svg") == 1
    assert "all exact" in page.text
    (cell,) = still.map.largest(1)
    assert abs(live.effect[cell]) == np.abs(live.effect).max()
    assert [str(live.grid.cells[cell].site), signed(live.effect[cell], 4), "exact"] in page.rows


@pytest.mark.parametrize(
    ("over", "labels"),
    [
        ("head", ("0", "0")),
        ("resid_pre", ("0", "5")),
        ("attn_out", ("0", "5")),
        ("mlp_out", ("0", "5")),
        ("head_pos", ("0", "5")),
        ("neuron", ("0", "1")),
    ],
)
def test_every_map_of_the_panel_is_drawn(view, board, over, labels):
    done = view.ask("set_view", map=over, map_layer=1)
    assert isinstance(done, m.Done)
    live = until_done(view, over)
    still = drawn(view)
    assert (len(still.map.rows), len(still.map.columns)) == live.grid.shape
    assert still.map.names == [str(cell.site) for cell in live.grid.cells]
    assert (still.map.rows[0].text, still.map.columns[0].text) == labels
    assert ("of layer 1" in still.map.caption) == (over == "head_pos")
    largest = still.map.largest(1)[0]
    assert still.map.names[largest] in Seen(html_of(still)).text


def test_a_map_whose_cells_are_still_being_chosen_says_so(view, board):
    snapshot, live = view.session.drawn()
    choosing = dataclasses.replace(live, grid=dataclasses.replace(live.grid, cells=()))
    still = still_of(board, snapshot, choosing)
    assert still.map is None
    assert "still being chosen" in html_of(still)


def test_a_map_that_is_too_large_is_left_out_and_said(view, board):
    snapshot, live = view.session.drawn()
    many = CELLS + 1
    large = dataclasses.replace(
        live,
        grid=dataclasses.replace(live.grid, cells=live.grid.cells[:1] * many),
        effect=np.zeros(many, np.float32),
        known=np.zeros(many, np.uint8),
        stderr=np.zeros(many, np.float32),
    )
    assert f"{many} cells, too many" in html_of(still_of(board, snapshot, large))


def test_a_map_of_another_state_is_left_out(view, board):
    snapshot, live = view.session.drawn()
    assert still_of(board, snapshot, live).map is not None
    assert still_of(board, msgspec.structs.replace(snapshot, revision=snapshot.revision + 1), live).map is None


def test_the_table_tells_error_bars_edits_and_tokens(view, board):
    board.edit(cb.head(0, 0).zero(), cb.head(1, 1).scale(0.5))
    board.toggle(0)
    snapshot, live = view.session.drawn()
    rows = Seen(html_of(still_of(board, snapshot, live))).rows
    metric = snapshot.metric
    assert [
        "logit difference (logits)",
        signed(metric.value.value, 4),
        plain(metric.stderr.value, 4),
        f"{signed(metric.low.value, 4)} … {signed(metric.high.value, 4)}",
        signed(metric.baselines.clean.value, 4),
        signed(metric.baselines.corrupted.value, 4),
    ] in rows
    assert [row[2] for row in rows if row[0] in ("zero 0.0", "scale 1.1 ×0.5")] == ["no", "yes"]
    top = snapshot.top_tokens.rows[0]
    assert any(row[:2] == [token_words(top.token), percent(top.prob.value)] for row in rows)


@pytest.mark.parametrize("hostile", HOSTILE, ids=["script", "img", "svg", "bidi", "entity", "surrogate", "megabyte"])
def test_hostile_names_and_tokens_are_only_text(view, board, hostile):
    plain = drawn(view)
    row = m.TopToken(hostile, 1, m.Real(0.5), m.Real(0.5), m.Real(1.0), m.Real(1.0))
    edit = m.EditRow(
        hostile, "head", 0, 0, "zero", hostile, None, None, hostile, True, None, None, None, hostile, hostile
    )  # fmt: skip
    snapshot = msgspec.structs.replace(
        plain.snapshot,
        metric=msgspec.structs.replace(plain.snapshot.metric, name=hostile, unit=hostile),
        top_tokens=m.TopTokens(0, "END", [row] * 8),
        edits=[edit] * 1000,
    )
    still = Still(plain.heading, snapshot, plain.map)
    html = html_of(still)
    assert len(html.encode()) < MAX_BYTES
    page = Seen(html)
    assert set(page.elements) <= ALLOWED
    assert not {name for name in page.attributes if name.startswith("on") or name in ("href", "src")}
    tables = html[html.index("<table") :] + text_of(Still("", snapshot, None), board)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", tables)
    assert "… and 960 more" in html


def test_a_hostile_model_name_is_written_out(view, board, monkeypatch):
    monkeypatch.setattr(board.desk.lab.adapter, "name", "<b>\u202e\ud800\n")
    html = html_of(drawn(view))
    assert "&lt;b&gt;⟨U+202E⟩⟨U+D800⟩⏎" in html
    assert "⟨U+202E⟩⟨U+D800⟩⏎" in text_of(drawn(view), board).splitlines()[0]


@pytest.mark.parametrize("shape", [(60, 100), (1, 1), (12, 12), (30, 9)])
def test_a_drawing_stays_small_and_of_known_elements(view, shape):
    rng = np.random.default_rng(0)
    effect = rng.normal(size=shape).astype(np.float32)
    known = rng.integers(0, 3, shape).astype(np.uint8)
    effect.flat[0], known.flat[0] = np.nan, 1
    rows, columns = ([Label(str(i)) for i in range(n)] for n in shape)
    clip, _ = scale_of(effect, known > 0)
    marks = dict.fromkeys(range(0, effect.size, 7), Mark("zero", enabled=True))
    names = ["9.6"] * effect.size
    drawing = MapDrawing("t", [], "layer", "head", rows, columns, names, effect, known, "logits", clip, marks=marks)
    assert np.prod(shape) <= CELLS
    assert set(Seen(svg_of(drawing, bare=True)).elements) <= ALLOWED
    assert "1 not finite" in drawing.counts
    plain = drawn(view)
    html = html_of(Still(plain.heading, plain.snapshot, drawing))
    assert len(html.encode()) < MAX_BYTES
    assert "<svg" in html or shape == (60, 100)


def test_numbers_that_are_none_are_named(make_board):
    board = make_board(metric=lambda logits: logits[:, -1, 0].exp() + float("inf"))
    bundle = mimebundle(board)
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "+∞" in data["text/html"]
    assert "+∞" in data["text/plain"]


CELL = """
import torch, circuitboard as cb
from tests.tiny_models import tiny
clean = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]])
board = cb.Board(tiny("native"), cb.PromptPair(clean, clean.flip(1), answer=[1, 2], wrong=[3, 4]))
_ = board.edit(cb.head(1, 2).zero())
board
"""


def test_a_saved_notebook_shows_it_as_html_with_javascript_off(tmp_path, monkeypatch):
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    monkeypatch.setenv("PYTHONPATH", ".")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    # JupyterLab saves no widget state unless it is told to.
    NotebookClient(notebook, kernel_name="python3", store_widget_state=False, timeout=120).execute()
    path = tmp_path / "board.ipynb"
    nbformat.write(notebook, path)
    html, _ = HTMLExporter().from_filename(str(path))
    page = html[html.index('data-cb="still"') :]
    page = page[: page.index("</div>")]
    assert "<script" not in page
    for shown in ("<table", "zero 1.2", "cb.Board.load"):
        assert shown in page
    assert WIDGET_VIEW in notebook.cells[0].outputs[-1].data
    cleaned, _ = HTMLExporter(sanitize_html=True).from_filename(str(path))
    assert "zero 1.2" in cleaned


def test_showing_a_board_again_computes_nothing(view, board):
    """What a display adds is text of a snapshot."""
    until_done(view, "head")
    asked = []
    board.desk.worker.put = lambda *job, **_: asked.append(job)
    mimebundle(board)
    del board.desk.worker.put
    assert not asked
