"""The panel on two prompts that are not as long: patches are per label, and everything is still drawn."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.board.exporting import export_html
from circuitboard.protocol import messages as m
from tests.widget.view import real

SHORT, LONG = torch.tensor([21, 22, 23, 24, 25, 26]), torch.tensor([7, 8, 9, 10, 11, 12, 13, 14, 15])
LABELLED = [4, 8]
MAPS = ["head", "resid_pre", "attn_out", "mlp_out", "head_pos", "neuron"]


@pytest.fixture
def unequal(make_board):
    def make(**options):
        pair = cb.PromptPair(SHORT, LONG, answer=1, wrong=2, labels={"S2": -5, "END": -1})
        return make_board(pair=pair, **options)

    return make


def test_the_strip_shows_both_prompts_with_their_ends_side_by_side(unequal, make_view):
    setup = make_view(unequal()).hello().setup
    columns = setup.prompts[0].columns
    assert setup.n_positions == len(columns) == 9
    assert [column.clean for column in columns] == ["", "", "", *map(str, SHORT.tolist())]
    assert [column.corrupted for column in columns] == list(map(str, LONG.tolist()))
    assert [column.labels for column in columns if column.labels] == [["S2"], ["END"]]
    assert all(column.differs and not column.padding for column in columns)
    assert all(mode.refused is None for mode in setup.modes if mode.mode == "patch")


@pytest.mark.parametrize("base", ["clean", "corrupted"])
def test_a_click_patches_per_label(unequal, make_view, base):
    board = unequal(base=base)
    view = make_view(board)
    view.hello()
    view.ask("set_view", mode="patch")
    done = view.ask("click", site="0.1")
    (edit,) = board.edits
    assert edit.intervention == cb.head(0, 1).patch(per="label")
    row = view.snapshot(done.revision).edits[0]
    assert row.positions == LABELLED
    assert row.at == "all labels"
    assert board.verify().ok
    view.ask("click", site="0.1")
    assert not board.edits
    view.ask("set_view", map="resid_pre")
    done = view.ask("click", site="resid_pre 1", positions=[8])
    assert board.edits[0].intervention.per == "label"
    refused = view.ask("click", site="resid_pre 1", positions=[6])
    assert isinstance(refused, m.Failed)
    assert refused.error.code == "label_needed"
    view.ask("set_base", base="corrupted" if base == "clean" else "clean")
    assert board.verify().ok
    view.ask("undo")


@pytest.mark.parametrize("mode", ["patch", "zero"])
@pytest.mark.parametrize("over", MAPS)
def test_every_map_is_drawn_and_its_labelled_cells_are_those_of_a_sweep(unequal, make_view, over, mode):
    board = unequal()
    view = make_view(board)
    view.hello()
    view.ask("set_view", map=over, mode=mode)
    event, effect, _ = view.map(0, over=over)
    assert event.error is None
    if over not in ("resid_pre", "attn_out", "mlp_out"):
        return
    assert effect.shape[1] == 9
    sweep = board.sweep(over, by="label", how=mode)
    torch.testing.assert_close(torch.from_numpy(effect.copy())[:, LABELLED], sweep.effect.float(), atol=1e-5, rtol=0)
    untouched = [column for column in range(9) if column not in LABELLED] if mode == "patch" else [0, 1, 2]
    assert not effect[:, untouched].any()


def test_padding_is_not_clicked_and_details_traces_and_exports_are_answered(unequal, make_view, tmp_path):
    board = unequal()
    view = make_view(board)
    view.hello()
    view.ask("set_view", mode="patch")
    refused = view.ask("click", site="resid_pre 1", positions=[0])
    assert isinstance(refused, m.Failed)
    assert refused.error.code == "position_out_of_range"
    view.ask("click", site="0.1")
    detail = view.ask("detail", site="1.2", by_position=True)
    assert isinstance(detail, m.Detailed)
    assert detail.by_position is not None
    assert detail.by_position.columns == LABELLED
    assert {part.part for part in detail.refused} <= {"neurons", "lens"}
    edges = view.ask("trace", site="2.1", part="q")
    assert isinstance(edges, m.Traced)
    top = edges.rows[0]
    edit = cb.edge(cb.site(top.sender), cb.head(2, 1).q).patch(per="label")
    assert real(top.effect) == pytest.approx(board.preview(edit).change, abs=1e-5)
    assert isinstance(view.ask("readers", position=5), m.ReadBy)
    for what in ("python", "html", "svg", "csv", "board"):
        assert isinstance(view.ask("export", what=what), m.Exported), what
    export_html(board, tmp_path / "page.html")
    assert "S2" in (tmp_path / "page.html").read_text()
    assert isinstance(view.ask("compare", left=0, right=1, map=True), m.Compared)
