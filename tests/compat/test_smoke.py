"""What a release of a library can break first, in a minute: `make compat` runs this with the newest and the lowest.

It is part of the usual suite too, which runs with the versions of constraints.txt.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires, version

import pytest
import torch
from packaging.requirements import Requirement

import circuitboard as cb
from circuitboard.widget import mimebundle
from tests.docs.support import TABLE
from tests.kernel.front_end import FrontEnd
from tests.tiny_models import tiny
from tests.widget.view import View, real

TIERS = ("wavefront", "replay", "hooked")
CLEAN = "When John and Mary went to the store, John gave the book to"
CORRUPTED = "When John and Mary went to the store, Mary gave the book to"
UNEDITED, WITHOUT_3_0 = 10.0536, 7.8782
IDS = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]])
TIER_OF = dict(re.findall(r"^\| (\w+) \| (wavefront|replay|hooked) \| [✓\d]", TABLE.read_text("utf-8"), re.MULTILINE))
"""Family → its tier, as SUPPORT.md promises with the versions of constraints.txt."""


@pytest.fixture(scope="module")
def demo():
    return cb.load("demo")


@pytest.fixture
def make_board(demo):
    boards = []

    def make(model=None, pair=None, **options):
        pair = pair or cb.PromptPair(CLEAN, CORRUPTED, answer=" Mary", wrong=" John")
        boards.append(cb.Board(model or demo, pair, **options))
        return boards[-1]

    yield make
    for board in boards:
        board.close()


def test_the_package_and_its_command_come_up():
    program = "import sys, circuitboard as cb; assert 'torch' not in sys.modules; print(cb.__version__)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert told == version("circuitboard")


def test_this_environment_is_one_that_the_package_allows():
    for asked in map(Requirement, requires("circuitboard") or []):
        if asked.marker is None or asked.marker.evaluate({"extra": ""}):
            assert asked.specifier.contains(version(asked.name), prereleases=True), asked


@pytest.mark.parametrize("tier", TIERS)
def test_an_edit_a_sweep_and_a_saved_board_on_each_tier(tier, demo, make_board, tmp_path):
    board = make_board(engine=tier)
    assert board.engine.tier == tier
    with torch.no_grad():
        logits = demo(demo.to_tokens(CLEAN))[0, -1]
    mary, john = (demo.to_single_token(name) for name in (" Mary", " John"))
    assert board.value == pytest.approx(float(logits[mary] - logits[john]), abs=1e-4)
    assert board.value == pytest.approx(UNEDITED, abs=1e-3)
    done = board.edit(cb.head(3, 0).zero())
    assert done.value == pytest.approx(WITHOUT_3_0, abs=1e-3)
    sweep = board.sweep("head", by="pos", how="patch")
    assert sweep.values.isfinite().all()
    assert sweep.top(3).site.str.len().gt(0).all()
    assert board.sweep("head", how="zero", approximate="atp").values.isfinite().all()
    assert board.verify().ok
    board.save(tmp_path / "board.json")
    again = cb.Board.load(tmp_path / "board.json", demo)
    assert (again.value, again.edits) == (pytest.approx(done.value, abs=1e-4), board.edits)
    again.close()
    board.undo()
    assert board.value == pytest.approx(UNEDITED, abs=1e-3)


def test_self_test_analyses_and_pictures(make_board, tmp_path):
    board = make_board()
    assert board.self_test().ok
    assert board.direct_logit_attribution().value.isfinite().all()
    assert len(board.logit_lens().entries) > 1
    assert len(board.top_tokens(5)) == 5
    assert "logit_diff" in board.metrics.index
    board.export_html(tmp_path / "board.html")
    board.export_svg(tmp_path / "map.svg")
    board.sweep("head").plot().save(tmp_path / "plot.svg")
    data, *_ = mimebundle(board)
    assert {"text/html", "text/plain"} <= data.keys()


@pytest.mark.parametrize("family", TIER_OF)
def test_a_family_has_its_tier_and_the_numbers_of_plain_hooks(family, make_board):
    model = tiny(family)
    pair = cb.PromptPair(IDS, IDS.flip(1), answer=[1, 2], wrong=[3, 4])
    board = make_board(model, pair)
    assert board.engine.tier == TIER_OF[family], board.engine.why
    plain = make_board(model, pair, engine="hooked")
    edit = cb.resid_pre(1).at(2).zero() if family == "mamba" else cb.head(1, 2).zero()
    for each in (board, plain):
        each.edit(edit)
    assert board.value == pytest.approx(plain.value, abs=1e-4)
    assert board.verify().ok


def test_a_panel_without_a_browser(make_board):
    board = make_board()
    view = View(board)
    assert view.hello().snapshot.metric is not None
    _, effect, known = view.map(0)
    assert known.all()
    assert effect.any()
    done = view.ask("click", site="3.0")
    assert real(view.snapshot(done.revision).metric.value) == pytest.approx(WITHOUT_3_0, abs=1e-3)
    undone = view.ask("undo")
    assert real(view.snapshot(undone.revision).metric.value) == pytest.approx(UNEDITED, abs=1e-3)
    view.session.close()


def test_a_board_in_a_kernel_answers_its_widget():
    kernel = FrontEnd()
    try:
        kernel.run("import circuitboard as cb\nmodel = cb.load('demo')")
        kernel.run(f"pair = cb.PromptPair({CLEAN!r}, {CORRUPTED!r}, answer=' Mary', wrong=' John')")
        kernel.run("board = cb.Board(model, pair)")
        comm = kernel.show("board")
        kernel.ask(comm, "hello")
        kernel.ask(comm, "click", site="3.0")
        assert float(kernel.run("print(board.value)")) == pytest.approx(WITHOUT_3_0, abs=1e-3)
    finally:
        kernel.stop()
