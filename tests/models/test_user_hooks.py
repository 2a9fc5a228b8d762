"""Hooks of the user's, where they are in the way of ours: a right number, or a refusal that says why."""

from __future__ import annotations

from contextlib import closing

import pytest
import torch

import circuitboard as cb
from circuitboard.engine import tolerance
from circuitboard.errors import CircuitboardError, ModelError
from tests.odd_models import _bridge, llama

CLEAN = torch.tensor([[5, 6, 7, 8, 9]])
PAIR = cb.PromptPair(CLEAN, torch.tensor([[5, 16, 7, 28, 9]]), answer=1, wrong=2)

FIRST_HEAD_OFF = torch.tensor([0, 1, 1, 1])[:, None]


def model_with(place, hook, *, n_layers=3):
    model = _bridge(llama(num_hidden_layers=n_layers))
    place(model).register_forward_hook(hook)
    return model


def value(model, *hooks):
    with torch.no_grad():
        logits = model.run_with_hooks(CLEAN, fwd_hooks=list(hooks), use_cache=False)[:, -1]
    return float((logits[:, 1] - logits[:, 2]).mean())


def half(_module, _args, out):
    return (out[0] * 0.5, *out[1:]) if isinstance(out, tuple) else out * 0.5


ROUNDABOUT = {
    "output projection": (lambda model: model.original_model.model.layers[1].self_attn.o_proj, cb.head(1, 0).result),
    "what it gives": (lambda model: model.hook_dict["blocks.1.attn.o.hook_out"], cb.head(1, 0).result),
    "attention": (lambda model: model.blocks[1].attn, cb.resid_mid(1)),
    "queries before the block": (lambda model: model.blocks[1].ln1, None),
}


@pytest.mark.parametrize("where", ROUNDABOUT)
def test_a_hook_between_a_site_and_what_is_read_of_it_is_seen(where):
    """What is edited in a roundabout way is held against what hooks leave of it, on the board's own prompts."""
    place, site = ROUNDABOUT[where]
    model = model_with(place, half)
    with closing(cb.Board(model, PAIR)) as board:
        for kind in (cb.head(1, 0).result, cb.resid_mid(1), cb.head(1, 0).pattern):
            if kind == site:
                with pytest.raises(CircuitboardError, match="with hooks of yours in force") as caught:
                    board.preview(kind.zero())
                assert caught.value.code == "site_not_in_model"
            else:
                board.preview(kind.zero())
        elsewhere = board.preview(cb.resid_mid(0).zero()).value
        expected = value(
            model,
            ("blocks.0.hook_resid_mid", lambda x, hook: x * 0),
            ("blocks.0.hook_resid_post", lambda x, hook: model.blocks[0].mlp(model.blocks[0].ln2(x * 0))),
        )
        assert elsewhere == pytest.approx(expected, abs=tolerance(torch.float32))
        assert board.verify().ok
        assert board.self_test().ok


def test_a_hook_that_changes_a_shape_costs_that_site_alone():
    model = model_with(
        lambda model: model.hook_dict["blocks.0.hook_mlp_out"], lambda _m, _a, out: out.mean(1, keepdim=True)
    )
    with closing(cb.Board(model, PAIR)) as board:
        assert board.value == pytest.approx(value(model), abs=tolerance(torch.float32))
        with pytest.raises(CircuitboardError, match="unusual shape"):
            board.preview(cb.mlp_out(0).zero())
        assert board.self_test().ok


def test_hooks_that_read_what_others_noted_are_never_replayed():
    """A pass that begins in a later block would read the notes of another run."""
    model, notes = _bridge(llama(num_hidden_layers=4)), {}
    model.hook_dict["blocks.0.hook_mlp_out"].add_perma_hook(lambda x, hook: notes.update(z=x))
    model.hook_dict["blocks.1.hook_attn_out"].add_perma_hook(lambda x, hook: x + notes["z"] / 2)
    with closing(cb.Board(model, PAIR)) as board:
        assert board.engine.tier == "hooked"
        assert "take notes in one block and read them in another" in board.engine.why
        for layer, found in enumerate(board.sweep("head", how="zero").per_prompt[:, 0].flatten().tolist()):
            expected = value(model, (f"blocks.{layer}.attn.hook_z", lambda z, hook: z * FIRST_HEAD_OFF))
            assert found == pytest.approx(expected, abs=tolerance(torch.float32))
        assert board.self_test().ok


def test_what_reads_the_tokens_in_a_hook_is_given_those_of_the_run():
    model, notes = _bridge(llama()), {}
    model.embed.register_forward_hook(lambda _m, args, _out: notes.update(tokens=args[0]))
    model.hook_dict["blocks.1.attn.hook_z"].add_perma_hook(lambda z, hook: z * (notes["tokens"] % 3)[:, :, None, None])
    with closing(cb.Board(model, PAIR)) as board:
        assert board.engine.tier == "hooked"
        board.edit(cb.head(1, 0).zero())
        off = value(model, ("blocks.1.attn.hook_z", lambda z, hook: z * FIRST_HEAD_OFF))
        assert board.value == pytest.approx(off, abs=tolerance(torch.float32))
        assert board.verify().ok
        assert board.self_test().ok


def test_a_model_that_says_something_else_each_time_is_told_so():
    model = model_with(lambda model: model.blocks[0].mlp, lambda _m, _a, out: out + torch.randn_like(out))
    with pytest.raises(ModelError, match="run twice on the same tokens") as caught:
        cb.Board(model, PAIR)
    assert caught.value.code == "not_reproducible"


@pytest.mark.filterwarnings("ignore:For backward hooks to be called:UserWarning")
def test_gradients_are_those_of_the_model_whatever_hooks_do_to_them():
    class Uncopied:
        def __deepcopy__(self, memo):
            raise AssertionError("copied")

        def nothing(self, _module, grads, *_):
            return tuple(None if grad is None else grad * 0 for grad in grads)

    nothing = Uncopied().nothing

    def estimates():
        with closing(cb.Board(model, PAIR)) as board:
            return board.sweep("head", how="zero", approximate="atp").values

    model = _bridge(llama(num_hidden_layers=2))
    expected = estimates()
    model.blocks[1].mlp.register_full_backward_hook(nothing)
    model.original_model.model.layers[1].register_full_backward_pre_hook(nothing)
    torch.testing.assert_close(estimates(), expected)
    handle = torch.nn.modules.module.register_module_full_backward_hook(nothing)
    try:
        with pytest.raises(ModelError, match="backward hooks of yours") as caught:
            estimates()
    finally:
        handle.remove()
    assert caught.value.code == "no_gradient"
