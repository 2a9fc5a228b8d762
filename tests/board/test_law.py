"""Promise 29: at every moment the unedited value is the metric of the user's own `model(tokens)`, or the board says why not.

Promise 30: `verify` and `self_test` run the user's model, so they cannot agree with themselves.
"""

from __future__ import annotations

import json

import pytest
import torch

import circuitboard as cb
from circuitboard.engine import tolerance
from tests.oracle import logit_diff
from tests.tiny_models import FAMILIES, MORE_FAMILIES

TOKENS, OTHER = torch.tensor([[5, 6, 7, 8, 9, 10]]), torch.tensor([[5, 16, 7, 8, 29, 10]])
PAIR = {"answer": 1, "wrong": 2}
EVERY = FAMILIES | MORE_FAMILIES
EDIT = cb.head(1, 1).zero()


def made(family="gpt2", **options):
    model = EVERY[family]().eval()
    return model, cb.Board(model, cb.PromptPair(TOKENS, OTHER, **PAIR), **options)


def said(model, tokens=TOKENS):
    """What the user's own model says now, in eval mode."""
    was = model.training
    model.eval()
    with torch.no_grad():
        logits = model(tokens, return_type="logits")
    model.train(was)
    return float(logit_diff(logits, [1], [2]).mean())


def equal(board, model):
    allowed = tolerance(board.desk.lab.adapter.dtype, board.desk.lab.clean.logits)
    assert board.baselines.clean == pytest.approx(said(model), abs=allowed)
    assert board.baselines.corrupted == pytest.approx(said(model, OTHER), abs=allowed)
    fresh = cb.Board(model, board.pair, engine="hooked")
    for edit in board.edits:
        fresh.edit(edit.intervention)
    assert board.value == pytest.approx(fresh.value, abs=allowed)
    fresh.close()


def refused(call):
    with pytest.raises(cb.EngineError) as caught:
        call()
    assert caught.value.code == "model_changed"
    assert "board.refresh()" in caught.value.message
    return caught.value.message


def train(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    model(TOKENS, return_type="loss").backward()
    optimizer.step()
    optimizer.zero_grad()


@pytest.mark.parametrize("engine", ["wavefront", "replay", "hooked"])
@pytest.mark.parametrize("family", ["llama_gqa", "attention_only"])
def test_training_beside_a_board(family, engine):
    model, board = made(family, engine=engine)
    board.edit(EDIT)
    board.note("a finding")
    for _ in range(2):
        train(model)
        assert "written to" in refused(lambda: board.edit(cb.head(0, 0).zero()))
        before = board.history
        outcome = board.refresh()
        assert outcome.change == 0
        assert outcome.value == board.value
        assert board.history == before
        assert board.history.nodes[-1].note == "a finding"
        equal(board, model)
    board.undo()
    equal(board, model)
    board.redo()
    board.edit(cb.head(0, 0).zero())
    equal(board, model)
    assert board.verify().ok
    board.close()


EVERYTHING = {
    "edit": lambda board: board.edit(cb.head(0, 0).zero()),
    "preview": lambda board: board.preview(cb.head(0, 0).zero()),
    "undo": lambda board: board.undo(),
    "sweep": lambda board: board.sweep("head", how="zero"),
    "atp": lambda board: board.sweep("head", how="zero", approximate="atp"),
    "stream": lambda board: board.sweep_async("head", how="zero").result(),
    "verify": lambda board: board.verify(),
    "self_test": lambda board: board.self_test(),
    "value": lambda board: board.value,
    "values": lambda board: board.values,
    "normalized": lambda board: board.normalized,
    "baselines": lambda board: board.baselines,
    "metrics": lambda board: board.metrics,
    "spread": lambda board: board.spread,
    "logits": lambda board: board.logits(),
    "logits elsewhere": lambda board: board.logits(1),
    "top_tokens": lambda board: board.top_tokens(),
    "lens": lambda board: board.logit_lens(),
    "dla": lambda board: board.direct_logit_attribution(),
    "neurons": lambda board: board.neurons(1),
    "self_repair": lambda board: board.self_repair(cb.head(0, 0).zero()),
    "attention": lambda board: board.attention(0, 0),
    "compare_states": lambda board: board.compare_states(),
}


@pytest.fixture(scope="module")
def changed():
    """A board whose model was changed behind torch's back, by each of two ways."""
    found = []
    for change in (
        lambda model: model.blocks[0].mlp.out.original_component.weight.data.mul_(0.5),
        lambda model: model.blocks[2].mlp.register_forward_hook(lambda _m, _a, out: out * 0),
    ):
        model, board = made()
        board.edit(EDIT)
        change(model)
        found.append(board)
    return found


@pytest.mark.parametrize("what", EVERYTHING)
def test_no_number_leaves_a_board_whose_model_has_changed(changed, what):
    for board in changed:
        refused(lambda board=board: EVERYTHING[what](board))
        assert [str(edit) for edit in board.edits] == ["zero 1.1"]
        assert "the model has changed" in repr(board)


@pytest.mark.parametrize("how", ["svg", "html", "save"])
def test_nothing_is_written_of_a_board_whose_model_has_changed(changed, how, tmp_path):
    write = {"svg": cb.Board.export_svg, "html": cb.Board.export_html, "save": cb.Board.save}[how]
    path = tmp_path / "file"
    refused(lambda: write(changed[0], path))
    assert not path.exists()


def test_what_is_computed_while_the_model_changes_is_thrown_away():
    """A step and a sweep that begin on one model and end on another."""
    model, board = made(engine="replay")
    weight = model.blocks[0].mlp.out.original_component.weight
    calls = []

    def change(module, args):
        calls.append(1)
        if len(calls) == 3:
            with torch.no_grad():
                weight.mul_(0.9)

    board.desk.lab.adapter._model.blocks[2].register_forward_pre_hook(change)
    stream = board.sweep_async("head", how="zero", order="layer")
    refused(stream.result)
    board.refresh()
    board.desk.lab.adapter._model.blocks[2].register_forward_pre_hook(change)
    calls.clear()
    calls.extend([1, 1])
    refused(lambda: board.edit(EDIT))
    assert board.edits == ()
    board.refresh()
    board.edit(EDIT)
    equal(board, model)


HOOKS = {
    "TransformerLens, permanent": lambda model: model.hook_dict["hook_embed"].add_perma_hook(lambda x, hook: x * 0.5),
    "TransformerLens": lambda model: model.add_hook("blocks.1.attn.hook_z", lambda x, hook: x * 0.5),
    "torch": lambda model: model.blocks[2].mlp.register_forward_hook(lambda _m, _a, out: out * 0),
    "torch, before": lambda model: model.blocks[1].register_forward_pre_hook(
        lambda _m, args: (args[0] * 0.5, *args[1:])
    ),
    "on the last position": lambda model: model.add_hook(
        "blocks.1.hook_resid_pre", lambda x, hook: torch.cat([x[:, :-1], x[:, -1:] * 0.5], 1)
    ),
    "on logits": lambda model: model.unembed.register_forward_hook(lambda _m, _a, out: out.clamp(max=0.3)),
    "on the whole": lambda model: model.register_forward_hook(lambda _m, _a, out: out * 2),
}


@pytest.mark.parametrize("hook", HOOKS)
def test_hooks_on_the_model_are_part_of_it(hook):
    model = EVERY["gpt2"]().eval()
    without = said(model)
    HOOKS[hook](model)
    assert said(model) != pytest.approx(without, abs=1e-4)
    board = cb.Board(model, cb.PromptPair(TOKENS, OTHER, **PAIR))
    assert board.engine.tier != "wavefront"
    assert "hooks of yours act in it" in board.engine.why
    equal(board, model)
    board.edit(EDIT)
    equal(board, model)
    sweep = board.sweep("head", how="zero", layers=[0, 2])
    fresh = cb.Board(model, board.pair, engine="hooked")
    fresh.edit(EDIT)
    torch.testing.assert_close(
        sweep.values, fresh.sweep("head", how="zero", layers=[0, 2]).values, atol=1e-5, rtol=1e-5
    )
    assert board.verify().ok
    assert board.self_test().ok


def test_a_hook_of_a_prompt_of_its_own_takes_a_board_to_hooks():
    model = EVERY["gpt2"]().eval()

    def first_prompt_only(x, hook):
        x = x.clone()
        x[0] = 0
        return x

    model.add_hook("blocks.1.attn.hook_z", first_prompt_only)
    board = cb.Board(model, cb.PromptPair(TOKENS, OTHER, **PAIR))
    equal(board, model)
    assert board.engine.tier == "hooked"


def test_hooks_come_and_go():
    model, board = made()
    handle = model.blocks[2].mlp.register_forward_hook(lambda _m, _a, out: out * 0)
    assert "a hook was added to blocks.2.mlp" in refused(lambda: board.edit(EDIT))
    board.refresh()
    equal(board, model)
    assert board.engine.tier == "replay"
    handle.remove()
    assert "a hook was removed from blocks.2.mlp" in refused(lambda: board.edit(EDIT))
    board.refresh()
    equal(board, model)
    assert board.engine.tier == "wavefront"


def test_a_hook_that_is_a_method_is_called_where_it_is():
    class Counter:
        def __init__(self):
            self.seen = 0

        def __deepcopy__(self, memo):
            raise AssertionError("copied")

        def look(self, value, hook):
            self.seen += 1

    model, counter = EVERY["gpt2"]().eval(), Counter()
    model.hook_dict["blocks.0.hook_resid_pre"].add_perma_hook(counter.look)
    board = cb.Board(model, cb.PromptPair(TOKENS, OTHER, **PAIR))
    assert counter.seen
    equal(board, model)


def test_train_mode_is_said_and_measured_without_dropout():
    model = EVERY["gpt2"]()
    model.train()
    board = cb.Board(model, cb.PromptPair(TOKENS, OTHER, **PAIR))
    assert model.training
    assert "train mode" in board.engine.why
    equal(board, model)
    assert board.verify().ok
    assert all(module.training for module in model.original_model.modules())
    model.eval()
    assert "train mode" not in board.engine.why
    equal(board, model)


def test_verify_says_which_part_disagrees():
    """A twin that is wrong from the start, and an engine that is wrong about edits: neither can vouch for itself."""
    _, board = made(engine="hooked")
    board.edit(EDIT)
    assert board.verify().disagrees is None
    twin = board.desk.lab.adapter._model
    handle = twin.blocks[1].attn.register_forward_hook(lambda _m, _a, out: (out[0] * 1.5, *out[1:]))
    found = board.verify()
    assert not found.ok
    assert found.disagrees == "edited"
    assert "NOT OK" in repr(found)
    handle.remove()
    object.__setattr__(board.desk.lab, "clean", cb.Board(EVERY["gpt2"](), board.pair, engine="hooked").desk.lab.clean)
    board.desk.lab.clean.logits.add_(0.5)
    found = board.verify()
    assert found.disagrees == "unedited"
    assert "unedited run differs" in repr(found)
    assert not board.self_test().ok


def test_a_copy_that_computes_something_else_is_refused():
    model = EVERY["gpt2"]().eval()

    class Odd(torch.nn.Linear):
        def __deepcopy__(self, memo):
            return torch.nn.Linear(self.in_features, self.out_features, bias=False)

    odd = Odd(32, 60, bias=False)
    model.original_model.lm_head = odd
    model.unembed.set_original_component(odd)
    with pytest.raises(cb.ModelError) as caught:
        cb.Board(model, cb.PromptPair(TOKENS, OTHER, **PAIR))
    assert caught.value.code == "not_the_same_model"


def test_verify_leaves_no_hook_and_changes_nothing():
    model, board = made()
    board.edit(EDIT, cb.resid_mid(1).scale(0.5), cb.head(0, 1).pattern.scale(0.5))
    before = said(model)
    assert board.verify().ok
    assert board.self_test().ok
    assert not any(point.fwd_hooks for point in model.hook_dict.values())
    assert said(model) == before
    assert board.change is None


def test_a_saved_board_names_the_weights_that_its_numbers_come_from(tmp_path):
    model, board = made()
    board.save(tmp_path / "before.json")
    train(model)
    refused(lambda: board.save(tmp_path / "between.json"))
    board.refresh()
    board.save(tmp_path / "after.json")
    marks = [json.loads((tmp_path / f"{name}.json").read_text())["model"]["weights"] for name in ("before", "after")]
    fresh = cb.Board(model, board.pair)
    fresh.save(tmp_path / "fresh.json")
    assert marks[0] != marks[1]
    assert marks[1] == json.loads((tmp_path / "fresh.json").read_text())["model"]["weights"]


def test_weights_written_behind_torchs_back_have_another_fingerprint(tmp_path):
    model, board = made()
    board.save(tmp_path / "before.json")
    model.blocks[0].mlp.out.original_component.weight.data.mul_(0.5)
    board.refresh()
    board.save(tmp_path / "after.json")
    marks = [json.loads((tmp_path / f"{name}.json").read_text())["model"]["weights"] for name in ("before", "after")]
    assert marks[0] != marks[1]


def test_a_refresh_that_cannot_be_leaves_the_board_as_it_was():
    model, board = made(engine="wavefront")
    board.edit(EDIT)
    handle = model.blocks[2].mlp.register_forward_hook(lambda _m, _a, out: out * 0)
    with pytest.raises(cb.EngineError) as caught:
        board.refresh()
    assert caught.value.code == "tier_refused"
    refused(lambda: board.value)
    handle.remove()
    equal(board, model)  # the model is what it was, so the numbers are right again
    board.refresh()
    equal(board, model)


def test_runs_to_patch_from_are_recorded_again():
    model, board = made()
    run = cb.Run(torch.tensor([[5, 16, 27, 8, 9, 10]]))
    board.edit(cb.head(1, 1).patch(run))
    train(model)
    board.refresh()
    equal(board, model)


def test_a_refresh_says_which_edit_the_model_cannot_have_any_more():
    model, board = made()
    board.edit(cb.head(2, 0).zero())
    transformer = model.original_model.transformer
    layers = transformer.h
    transformer.h = torch.nn.ModuleList(list(layers)[:-1])
    with pytest.raises(cb.InterventionError, match=r"cannot have an edit of this board.*Make a new board"):
        board.refresh()
    transformer.h = layers
    assert board.refresh().value == board.value
    board.close()
