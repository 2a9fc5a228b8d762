"""What leaves the panel, as a reader's browser shows it: files of a real JupyterLab, the page with JavaScript off."""

from __future__ import annotations

import json
import struct
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
import torch

import circuitboard as cb
from circuitboard.pictures import Shows, drawing_of_sweep, page_of, svg_of
from tests.browser.fake_page import AXE, TAGS

if TYPE_CHECKING:
    from pathlib import Path

IMPORTS = "import circuitboard as cb\nimport torch\ntorch.set_num_threads(1)\nmodel = cb.load('demo')"
BOARD = "pair = cb.tasks.ioi(4, seed=1, model=model)\nboard = cb.Board(model, pair)\nboard"
HOSTILE = [
    "<script>window.hacked=1</script>",
    '"><img src=x onerror=window.hacked=1>',
    "]]></style><svg onload=window.hacked=1>",
    "\u202egnp.exe\x00",
    "</textarea></title>",
    "x" * 2**20,
]


@pytest.fixture(scope="module")
def board():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = cb.load("demo")
    board = cb.Board(model, cb.tasks.ioi(4, seed=1, model=model))
    board.edit(cb.head(3, 0).zero(), cb.head(2, 1).at("END").zero())
    yield board
    board.close()
    torch.set_num_threads(threads)


# --- from the menu, in JupyterLab -------------------------------------------------------------------


@pytest.fixture
def notebook(run_cells):
    notebook = run_cells(IMPORTS, BOARD)
    notebook.board.locator('[data-cb="head"][data-layer="3"][data-head="0"]').click()
    notebook.board.locator("xpath=self::*[@data-state='idle' and @data-revision='1']").wait_for()
    return notebook


def choose(notebook, words: str) -> None:
    """Open the menu and choose what has these words on it."""
    notebook.board.get_by_role("button", name="Copy, export, save").click()
    notebook.board.get_by_role("menuitem", name=words).click()


def downloaded(notebook, words: str, folder: Path) -> Path:
    with notebook.page.expect_download() as download:
        choose(notebook, words)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_every_file_of_the_menu_arrives_whole(notebook, tmp_path):
    svg = downloaded(notebook, "Export map as SVG", tmp_path)
    assert svg.name == "circuitboard-head.svg"
    text = svg.read_text("utf-8")
    root = ET.fromstring(text)  # noqa: S314  our own
    assert "on top of 1 edit" in "".join(root.itertext())
    png = downloaded(notebook, "Export map as PNG", tmp_path)
    assert png.name == "circuitboard-head.png"
    data = png.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (3 * int(root.get("width")), 3 * int(root.get("height")))
    assert len(set(data)) > 200, "a blank picture is nearly nothing but zeros"
    html = downloaded(notebook, "Export board as one HTML page", tmp_path)
    assert html.name == "demo-logit_diff.html"
    value = notebook.python("board.value")
    assert f"{value:+.2f}".replace("-", "\u2212") in html.read_text("utf-8")
    assert "handed to the browser" in notebook.board.get_by_role("status").filter(has_text="handed").inner_text()


def test_the_picture_of_a_comparison_is_the_one_that_is_seen(notebook, tmp_path):
    board = notebook.board
    board.locator('[data-cb="view-menu"]').click()
    board.locator('[data-cb="view-unit"]').select_option("share")
    board.locator('[data-cb="view-compare"]').select_option("now")
    board.locator('[data-cb="head"][data-layer="2"][data-head="1"]').click()
    board.locator("xpath=self::*[@data-state='idle' and @data-revision='2']").wait_for()
    picture = downloaded(notebook, "Export map as SVG", tmp_path).read_text("utf-8")
    root = ET.fromstring(picture)  # noqa: S314  our own
    text = " ".join(" ".join(root.itertext()).split())
    told = "Drawn: B \u2212 A. B: effect of zeroing each head, on top of 2 edits. A: the same after zero 3.0"
    assert told in text
    assert "A share of 1 is clean \u2212 corrupted: " in text
    gap = notebook.python("float(board.baselines.clean - board.baselines.corrupted)")
    assert f"A share of 1 is clean \u2212 corrupted: {gap:+.2f} logits.".replace("-", "\u2212") in text


def test_a_board_is_saved_where_the_dialog_says_and_opens_again(notebook, lab):
    choose(notebook, "Save board")
    field = notebook.board.get_by_label("File, from the folder that the kernel runs in")
    assert field.input_value() == "demo-logit_diff.board.json"
    field.fill("mine.board.json")
    notebook.board.get_by_role("button", name="Save", exact=True).click()
    notebook.board.get_by_text("Saved as").wait_for()
    assert json.loads((lab.folder / "mine.board.json").read_text())["format"] == "circuitboard.board"
    assert notebook.python("cb.Board.load('mine.board.json', model).value") == pytest.approx(
        notebook.python("board.value"), abs=1e-5
    )
    choose(notebook, "Save board")
    field.fill("mine.board.json")
    notebook.board.get_by_role("button", name="Save", exact=True).click()
    notebook.board.get_by_text("exists already").wait_for()
    notebook.board.get_by_role("button", name="Replace it").click()
    notebook.board.get_by_text("Saved as").wait_for()


# --- the files, by themselves -----------------------------------------------------------------------


@pytest.fixture
def read(chromium, tmp_path):
    """A page on a file, with JavaScript off; the test fails if it asks for anything or breaks its own rules.

    With `scripts` those of the test can wait for something; the file's own rules forbid any of its own.
    """
    contexts, asked, said = [], [], []

    def show(text: str, name: str, *, scripts: bool = False, **options):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        context = chromium.new_context(java_script_enabled=scripts, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(path.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1168, 480])
def test_the_page_is_whole_without_javascript(board, read, scheme, width):
    sweeps = [board.sweep("head", how="zero"), board.sweep("resid_pre", by="pos")]
    shows = Shows([(drawing_of_sweep(board.desk, sweep), "board.sweep(…)") for sweep in sweeps])
    page = read(
        page_of(board.desk, board.desk.shown, shows), "board.html",
        color_scheme=scheme, viewport={"width": width, "height": 900},
    )  # fmt: skip
    assert page.locator(".value").inner_text() == f"{board.value:+.2f}".replace("-", "\u2212")
    assert page.locator("figure svg").count() == 2
    assert page.locator("table").count() >= 6
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(31, 31, 31)"}[scheme]
    assert page.locator("details").first.get_attribute("open") is None
    page.locator("summary").first.click()
    assert page.locator("details").first.get_attribute("open") == "", "what is folded opens without a script"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_by_everybody(board, read, scheme):
    shows = Shows([(drawing_of_sweep(board.desk, board.sweep("head", how="zero")), "board.sweep(…)")])
    page = read(page_of(board.desk, board.desk.shown, shows), "board.html", scripts=True, color_scheme=scheme)
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("tags => axe.run(document, { runOnly: tags })", list(TAGS))
    assert [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found["violations"]] == []


def test_hostile_text_stays_text(board, read, monkeypatch):
    texts = iter(HOSTILE * 1000)
    monkeypatch.setattr(board.desk.lab.adapter, "name", HOSTILE[0])
    before = board.prompts.token_str
    object.__setattr__(board.prompts, "token_str", lambda _token: next(texts))
    try:
        sweep = board.sweep("resid_pre", by="pos")
        shows = Shows([(drawing_of_sweep(board.desk, sweep), HOSTILE[1])])
        html = page_of(board.desk, board.desk.shown, shows)
        svg = svg_of(drawing_of_sweep(board.desk, sweep))
    finally:
        object.__setattr__(board.prompts, "token_str", before)
    page = read(html, "hostile.html")
    assert page.locator("script, img, iframe, object, a, textarea, [onerror], [onload]").count() == 0
    assert page.evaluate("window.hacked") is None
    assert HOSTILE[0] in page.locator("h1").inner_text()
    drawn = read(svg, "hostile.svg")
    assert drawn.evaluate("document.querySelector('parsererror')") is None
    assert drawn.locator("script, img, [onload]").count() == 0


def test_drawings_use_the_fonts_that_they_carry(board, read):
    page = read(svg_of(drawing_of_sweep(board.desk, board.sweep("head", how="zero"))), "map.svg", scripts=True)
    loaded = page.evaluate(
        "async () => { await document.fonts.ready; return [...document.fonts].map((f) => [f.weight, f.status]); }"
    )
    assert sorted(loaded) == [["bold", "loaded"], ["normal", "loaded"]]
