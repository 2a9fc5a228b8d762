"""Maps as drawings: the sweep's numbers, whole and valid XML whatever the tokens are, nothing from outside."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
import torch
from fontTools.ttLib import TTFont

import circuitboard as cb
from circuitboard.errors import CircuitboardError
from circuitboard.pictures import ESTIMATED, EXACT, UNKNOWN, MapDrawing, drawing_of_sweep, font, svg_of
from circuitboard.pictures.colour import STOPS, colour_of, ink_on
from circuitboard.pictures.drawing import Label, Mark
from circuitboard.pictures.svg import characters
from circuitboard.sweeps.scale import scale_of
from tests.tiny_models import tiny

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]></style><svg onload=alert(1)>",
    "\u202egnp.exe\x00\x1b[2J\x0b",
    "&lt;b&gt; &amp; &#0;",
    "\ud800\ufffe\uffff",
    "x" * 2**20,
    "\u4f60\u597d \U0001f600 \u05d0\u0628",
]


@pytest.fixture(scope="module")
def board():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = cb.load("demo")
    board = cb.Board(model, cb.tasks.ioi(4, seed=1, model=model))
    board.edit(cb.head(3, 0).mean(), cb.head(2, 1).at("END").zero(), cb.resid_pre(1).at("S2").patch())
    board.toggle(1)
    yield board
    board.close()
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def with_mlps():
    clean = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]])
    corrupted = torch.tensor([[5, 6, 17, 8, 9], [9, 8, 27, 6, 5]])
    board = cb.Board(tiny("native"), cb.PromptPair(clean, corrupted, answer=[1, 2], wrong=[3, 4]))
    yield board
    board.close()


def drawing(**changes) -> MapDrawing:
    effect = np.array([[-2.0, 0.0, 2.0], [0.5, np.nan, np.inf]])
    plain = MapDrawing(
        caption="Effect of zeroing each head, on the clean run",
        details=["Logit difference.", "demo."],
        row_axis="layer",
        column_axis="head",
        rows=[Label("0"), Label("1")],
        columns=[Label("0"), Label("1"), Label("2")],
        names=["0.0", "0.1", "0.2", "1.0", "1.1", "1.2"],
        effect=effect,
        known=np.array([[EXACT, EXACT, EXACT], [ESTIMATED, EXACT, UNKNOWN]], np.uint8),
        unit="logits",
        clip=2.0,
    )
    return replace(plain, **changes)


def texts(svg: str) -> str:
    return " ".join(element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text"))  # noqa: S314  our own


# --- numbers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "options"),
    [
        ("head", {"how": "zero"}),
        ("head.q", {"how": "patch"}),
        ("resid_pre", {"by": "pos"}),
        ("attn_out", {"by": "pos", "how": "mean"}),
        ("attn_out", {"how": "zero"}),
        ("head", {"by": "pos", "layers": [1, 2], "how": "zero"}),
    ],
)
def test_a_sweeps_numbers_are_those_drawn(board, over, options):
    sweep = board.sweep(over, **options)
    found = drawing_of_sweep(board.desk, sweep)
    told = dict(zip(sweep.to_dataframe()["site"], sweep.to_dataframe()["effect"], strict=True))
    assert set(found.names) == set(told)
    for name, effect in zip(found.names, found.effect.ravel(), strict=True):
        assert effect == pytest.approx(told[name], abs=1e-6)
    errors = dict(zip(sweep.to_dataframe()["site"], sweep.to_dataframe()["stderr"], strict=True))
    for name, error in zip(found.names, found.stderr.ravel(), strict=True):
        assert error == pytest.approx(errors[name], abs=1e-6)
    assert (found.known == EXACT).all()
    assert found.effect.shape == (len(found.rows), len(found.columns))
    ET.fromstring(svg_of(found))  # noqa: S314  our own


@pytest.mark.parametrize(("over", "options"), [("mlp_out", {"by": "pos"}), ("neuron", {"layers": [1]})])
def test_models_with_mlps(with_mlps, over, options):
    found = drawing_of_sweep(with_mlps.desk, with_mlps.sweep(over, how="zero", **options))
    ET.fromstring(svg_of(found))  # noqa: S314  our own
    if over == "mlp_out":
        assert [label.text for label in found.columns] == list("01234"), "ids of tokens would be taken for positions"


def test_an_estimate_is_hatched_and_said(board):
    found = drawing_of_sweep(board.desk, board.sweep("head", how="patch", approximate="atp"))
    assert (found.known != EXACT).all()
    svg = svg_of(found)
    assert "stroke-opacity" in svg
    assert "approximate" in texts(svg)


def test_the_caption_names_model_metric_prompts_and_edits(board):
    svg = svg_of(drawing_of_sweep(board.desk, board.sweep("head", how="zero")))
    words = " ".join(texts(svg).split())
    for told in (
        "Effect of zeroing each head, on top of 2 edits",
        "demo, float32",
        "mean over 4 prompts",
        f"{board.value:+.2f}".replace("-", "\u2212"),
        f"{board.baselines.clean:+.2f}",
        "mean 3.0; patch resid_pre 1 @ S2",
        "Circuitboard 0.",
        "98th percentile",
        "All 32 cells exact",
    ):
        assert told in words, told


def test_tokens_and_labels_name_positions(board):
    found = drawing_of_sweep(board.desk, board.sweep("resid_pre", by="pos"))
    names = [label.text for label in found.columns]
    assert names[0] == "<bos>"
    assert {label.text for label in found.columns if label.strong} >= {"S2", "END"}
    assert found.fixed
    assert found.clip == pytest.approx(abs(board.baselines.clean - board.baselines.corrupted), abs=1e-5)


def test_edited_cells_are_marked(board):
    sweep = board.sweep("head", how="zero")
    marks = drawing_of_sweep(board.desk, sweep).marks
    names = [str(cell.site) for cell in sweep.grid.cells]
    assert {names[cell]: mark for cell, mark in marks.items()} == {
        "3.0": Mark("mean", enabled=True),
        "2.1": Mark("zero", enabled=False),
    }
    assert "stroke-dasharray" in svg_of(drawing_of_sweep(board.desk, sweep))


def test_a_sweep_of_another_state_is_refused(board):
    sweep = board.sweep("head", how="zero")
    board.edit(cb.head(1, 1).zero(), cb.head(0, 0).zero())
    try:
        with pytest.raises(CircuitboardError) as refused:
            drawing_of_sweep(board.desk, sweep)
        assert refused.value.code == "sweep_of_another_state"
    finally:
        board.undo()
    drawing_of_sweep(board.desk, sweep)


# --- the scale --------------------------------------------------------------------------------------


@pytest.mark.parametrize("colours", STOPS)
def test_colours_are_the_panels(colours):
    stops = STOPS[colours]
    found = [colour_of(x, 2.0, colours) for x in (-9, -2, 0, 2, 9)]
    assert found == [stops[0], stops[0], stops[5], stops[-1], stops[-1]]
    assert colour_of(1.0, 0.0, colours) == stops[5]
    assert [ink_on(fill) for fill in (stops[0], stops[5], stops[-1])] == ["#fff", "#000", "#fff"]


@pytest.mark.parametrize("colours", STOPS)
def test_a_drawing_keeps_to_its_colours(colours):
    drawn = svg_of(drawing(colours=colours))
    lowest, neutral, highest = (STOPS[colours][at] for at in (0, 5, -1))
    for fill in (lowest, neutral, highest):
        assert f'fill="{fill}"' in drawn
    (other,) = set(STOPS) - {colours}
    assert not {STOPS[other][0], STOPS[other][-1]} & set(re.findall("#[0-9a-f]{6}", drawn))


def test_the_scale_ends_at_a_percentile_or_at_the_baselines():
    effect = np.concatenate([np.linspace(-1, 1, 199), [100.0]]).reshape(20, 10)
    known = np.full(effect.shape, fill_value=True)
    assert scale_of(effect, known, None) == (0.98, False) or scale_of(effect, known, None) == (0.99, False)
    assert scale_of(effect, known, 1.5) == (1.5, True)
    assert scale_of(effect, known, 0.2)[1] is False
    assert scale_of(np.full((2, 2), np.nan), known[:2, :2], None) == (0.0, False)
    assert scale_of(effect, np.zeros_like(known), None) == (0.0, False)


def test_what_is_unknown_or_not_finite_has_a_look_of_its_own():
    svg = svg_of(drawing())
    words = texts(svg)
    for told in ("nan", "not finite", "not computed", "exactly 0", "approximate", "4 of 6 cells exact"):
        assert told in words, told
    assert "inf" not in words


def test_nothing_known_is_said():
    svg = svg_of(drawing(known=np.zeros((2, 3), np.uint8), clip=0.0))
    assert "The scale is set from the first effects." in texts(svg)


# --- the file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "img", "style", "bidi", "entity", "surrogate", "long", "cjk"])
def test_hostile_names_are_only_text(text):
    hostile = drawing(
        caption=text,
        details=[text, text],
        row_axis=text[:100],
        column_axis=text[:100],
        rows=[Label(text[:24])] * 2,
        columns=[Label(text[:24], strong=True)] * 3,
        names=[text] * 6,
        unit=text[:100],
        tokens=True,
        clip=0.1,
    )
    svg = svg_of(hostile)
    root = ET.fromstring(svg)  # noqa: S314  our own
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "rect", "path", "text",
    }  # fmt: skip
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or "href" in name or name == "style"}
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]", svg)
    assert len(svg) < 200_000


@pytest.mark.parametrize("bare", [False, True])
def test_nothing_comes_from_outside(bare):
    svg = svg_of(drawing(), bare=bare)
    addresses = re.findall(r"(?:https?:|//|url\()[^\s\"')]*", svg.replace("http://www.w3.org/2000/svg", ""))
    assert all(address.startswith("url(data:font/woff;base64,") for address in addresses)
    assert len(addresses) == (0 if bare else 2)


def embedded(svg: str) -> list[TTFont]:
    return [
        TTFont(io.BytesIO(base64.b64decode(data))) for data in re.findall(r"url\(data:font/woff;base64,([^)]+)\)", svg)
    ]


def test_the_fonts_hold_the_characters_that_are_written_and_no_others(board):
    svg = svg_of(drawing_of_sweep(board.desk, board.sweep("resid_pre", by="pos")))
    normal, strong = embedded(svg)
    for found, written in zip((normal, strong), characters(svg), strict=True):
        assert {ord(letter) for letter in written} == set(found.getBestCmap())
        assert "DejaVu" in found["name"].getDebugName(1)
        assert "Bitstream" in found["name"].getDebugName(0)
    assert len(svg) < 40_000


def test_characters_that_the_font_lacks_stay_text_and_are_named():
    svg = svg_of(drawing(columns=[Label("\u4f60"), Label("\U0001f98a"), Label("é")]))
    assert {"\u4f60", "\U0001f98a"} <= set(texts(svg))
    described = ET.fromstring(svg).find(f"{SVG}desc").text  # noqa: S314  our own
    assert described.endswith("lacks them: \u4f60\U0001f98a")
    assert font.lacking("abc · − ±é\u05d0\u0628") == ""


def test_words_are_as_wide_as_they_are_measured():
    assert font.width_of("", 12) == 0
    assert font.width_of("ii", 12) < font.width_of("WW", 12) < font.width_of("WW", 12, "bold")
    assert font.width_of("\u4f60", 12) == 12
    cut = font.cut_to("a long name of a thing", 40, 11)
    assert cut.endswith("\u2026")
    assert font.width_of(cut, 11) <= 40


def test_the_same_map_is_the_same_bytes(board):
    first, second = (svg_of(drawing_of_sweep(board.desk, board.sweep("head", how="zero"))) for _ in range(2))
    assert first == second


def test_a_large_map_stays_within_bounds():
    rng = np.random.default_rng(0)
    shape = (48, 512)
    effect = rng.normal(size=shape)
    rows, columns = ([Label(str(i)) for i in range(n)] for n in shape)
    large = drawing(
        rows=rows, columns=columns, names=["x"] * effect.size, effect=effect, known=np.full(shape, EXACT, np.uint8)
    )
    svg = svg_of(large)
    ET.fromstring(svg)  # noqa: S314  our own
    assert len(svg) < 30 * effect.size + 60_000


# --- board.export_svg -------------------------------------------------------------------------------


def test_a_map_is_written_to_a_file_as_readable_as_any(board, tmp_path):
    path = tmp_path / "heads.svg"
    board.export_svg(path)
    sweep = board.sweep("head", how="zero")
    assert path.read_text("utf-8") == svg_of(drawing_of_sweep(board.desk, sweep))
    plain = tmp_path / "plain"
    plain.write_text("")
    assert path.stat().st_mode == plain.stat().st_mode
    board.export_svg(path, board.sweep("resid_pre", by="pos"), overwrite=True)
    assert "residual" in path.read_text("utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["heads.svg", "plain"]


@pytest.mark.parametrize("colours", STOPS)
def test_files_are_in_the_colours_that_are_asked_for(board, tmp_path, colours):
    board.export_svg(tmp_path / "a.svg", colours=colours)
    assert (tmp_path / "a.svg").read_text("utf-8") == svg_of(
        replace(drawing_of_sweep(board.desk, board.sweep("head", how="zero")), colours=colours)
    )
    board.export_html(tmp_path / "a.html", colours=colours)
    page = (tmp_path / "a.html").read_text("utf-8")
    other = next(name for name in STOPS if name != colours)
    assert STOPS[colours][0] in page
    assert STOPS[other][0] not in page
    for write in (board.export_svg, board.export_html):
        with pytest.raises(CircuitboardError) as refused:
            write(tmp_path / "b", colours="red-green")
        assert refused.value.code == "bad_colours"
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("write", ["export_svg", "export_html"])
def test_a_file_that_is_there_a_missing_folder_and_a_folder_are_refused(board, tmp_path, write):
    there = tmp_path / "there"
    there.write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for path, code in {
        there: "file_exists",
        tmp_path / "link": "file_exists",
        tmp_path / "no" / "x.svg": "cannot_write",
        tmp_path: "cannot_write",
        tmp_path / "a\0b": "cannot_write",
        tmp_path / ("x" * 300): "cannot_write",
    }.items():
        with pytest.raises(CircuitboardError) as refused:
            getattr(board, write)(path)
        assert refused.value.code == code, path
    assert there.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "there"]
