"""What components write, and what queries look for, against products of weights written out by hand."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.address import site
from circuitboard.analysis import Moved, copied, needed_for, preferred_keys, written
from circuitboard.engine import CancelToken
from circuitboard.engine.recording import recorded
from circuitboard.errors import Cancelled, EngineError
from tests.analysis.plain_stream import TWO_PROMPTS
from tests.tiny_models import D_VOCAB, FAMILIES, tiny


def on_worker(board, work):
    return board.desk.run_in_background(lambda cancel: ended(work, cancel)).future.result()


def ended(work, cancel):
    result = work(cancel)
    if hasattr(result, "send"):
        result = yield from result
    return result
    yield


def writes(board, name, column, prompt):
    """What `written` says of the board's run."""
    lab, plan, where = board.desk.lab, board.desk.shown.run.plan, site(name)

    def work(cancel):
        kept = recorded(lab.adapter, plan, (), cancel, whole=needed_for(lab.adapter, plan, where)).whole
        return written(lab.adapter, lab.adapter.outlets(), kept, where, column, prompt)

    return on_worker(board, work)


def copies(board, name, column, source, prompt):
    lab, plan, where = board.desk.lab, board.desk.shown.run.plan, site(name)

    def work(cancel):
        kept = recorded(lab.adapter, plan, (), cancel, whole=needed_for(lab.adapter, plan, where)).whole
        return copied(lab.adapter, lab.adapter.outlets(), kept, where, column, source, prompt)

    return on_worker(board, work)


def keys(board, layer, head, column, source, prompt):
    lab, plan, place = board.desk.lab, board.desk.shown.run.plan, ("head.q", layer)

    def work(cancel):
        queries = recorded(lab.adapter, plan, [place], cancel).activations[place]
        return preferred_keys(lab.adapter, plan.base, queries, layer, head, column, source, prompt, cancel)

    return on_worker(board, work)


def cached(model, tokens, name):
    _, cache = model.run_with_cache(tokens)
    return cache[name].double()


def held_logits(model, stream, vector):
    """Of a vector, through the final norm held at what it does to `stream`: by its derivative, which is exact for the
    part that does not change the scale. Written out for a layer norm and an RMS norm."""
    inner = model.ln_final.original_component
    weight = inner.weight.detach().double() if getattr(inner, "weight", None) is not None else 1.0
    x, v = stream.double(), vector.double()
    if not model.ln_final.uses_rms_norm:
        x, v = x - x.mean(), v - v.mean()
    eps = getattr(inner, "eps", getattr(inner, "variance_epsilon", 1e-5))
    if type(inner).__name__ == "Gemma2RMSNorm":
        weight = 1.0 + weight
    normed = v / (x.pow(2).mean() + eps).sqrt() * weight
    logits = model.W_U.detach().double().T @ normed
    return (logits - logits.mean()).float()


@pytest.mark.parametrize("family", ["gpt2", "native", "llama_gqa", "neox", "gemma2"])
@pytest.mark.parametrize("column", [3, 5])
def test_a_head_writes_z_times_its_weights(make_board, family, column):
    model = tiny(family)
    board = make_board(model)
    lab, layer, head, prompt = board.desk.lab, 1, 2, 1
    found = writes(board, "1.2", column, prompt)
    z = cached(model, TWO_PROMPTS, f"blocks.{layer}.attn.hook_z")
    z = z.reshape(*z.shape[:2], lab.adapter.shape.n_heads, -1)
    w_o = model.blocks[layer].attn.o.original_component.weight.detach().double()
    w_o = w_o if type(model.blocks[layer].attn.o.original_component).__name__ == "Conv1D" else w_o.T
    w_o = w_o.reshape(z.shape[2], z.shape[3], -1)
    own = z[prompt, column, head] @ w_o[head]
    if family == "gemma2":
        whole = torch.einsum("he,hed->d", z[prompt, column], w_o)
        norm = model.blocks[layer].ln1_post.original_component
        own = own / (whole.pow(2).mean() + norm.eps).sqrt() * (1 + norm.weight.detach().double())
    stream = cached(model, TWO_PROMPTS, "blocks.2.hook_resid_post")[prompt, column]
    torch.testing.assert_close(found, held_logits(model, stream, own), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["attn_out 1", "mlp_out 1", "neuron 1.3"])
def test_so_do_whole_layers_and_neurons(make_board, name):
    model = tiny("gpt2")
    board = make_board(model)
    where, found = site(name), writes(board, name, 4, 0)
    if where.kind == "neuron":
        activation = cached(model, TWO_PROMPTS, "blocks.1.mlp.hook_post")[0, 4, 3]
        vector = activation * model.blocks[1].mlp.out.original_component.weight.detach().double()[3]
    else:
        vector = cached(model, TWO_PROMPTS, f"blocks.1.hook_{where.kind}")[0, 4]
    stream = cached(model, TWO_PROMPTS, "blocks.2.hook_resid_post")[0, 4]
    torch.testing.assert_close(found, held_logits(model, stream, vector), rtol=1e-4, atol=1e-5)


def test_compatibility_mode_gives_the_same_tokens(make_board):
    """It moves b_V from the values into b_O, so what one head writes differs by a constant, and nothing else does."""
    found = []
    for processed in (False, True):
        model = FAMILIES["gpt2"]().eval()
        if processed:
            model.enable_compatibility_mode()
        board = make_board(model)
        found.append(copies(board, "1.2", 5, 1, 0) - copies(board, "1.2", 5, 3, 0))
    torch.testing.assert_close(*found, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "native", "llama_gqa", "gemma2"])
def test_what_it_copies_adds_up_to_what_it_writes(make_board, family):
    model = tiny(family)
    board = make_board(model, cb.head(0, 1).zero())
    pattern = board.attention(1, 2, 1).pattern
    column = 4
    parts = [copies(board, "1.2", column, source, 1) for source in range(column + 1)]
    whole = writes(board, "1.2", column, 1)
    summed = sum(float(pattern[column, s]) * part for s, part in enumerate(parts))
    torch.testing.assert_close(summed, whole, rtol=1e-4, atol=1e-5)


def test_a_head_whose_result_is_edited_writes_the_edited_result(make_board):
    board = make_board(tiny("gpt2"), cb.head(1, 2).result.zero())
    found = writes(board, "1.2", 5, 0)
    assert not bool(found.any())
    assert Moved.of(found, 5).up_ids.tolist() == []


def test_extremes_are_in_order_and_of_the_right_sign():
    moved = Moved.of(torch.tensor([0.5, -2.0, 0.0, 3.0, -1.0]), 3)
    assert (moved.up_ids.tolist(), moved.up_logits.tolist()) == ([3, 0], [3.0, 0.5])
    assert (moved.down_ids.tolist(), moved.down_logits.tolist()) == ([1, 4], [-2.0, -1.0])


@pytest.mark.parametrize("family", ["llama_gqa", "qwen3", "native_gqa", "gemma1"])
@pytest.mark.parametrize("kv_group", [0, 3])
def test_preferred_keys_are_what_attention_shows_in_the_first_layer(make_board, family, kv_group):
    """In layer 0 of a model with rotary positions a key is made of its token alone, so log attention says the same."""
    model = tiny(family)
    head, column, source, other = kv_group, 3, 2, 1
    board = make_board(model)
    found = keys(board, 0, head, column, source, 0)
    assert found.shape == (D_VOCAB,)
    tokens = TWO_PROMPTS[:1].repeat(8, 1)
    tokens[:, source] = torch.tensor([1, 5, 9, 13, 17, 21, 25, 29])
    pattern = cached(model, tokens, "blocks.0.attn.hook_pattern")[:, head, column]
    seen = (pattern[:, source] / pattern[:, other]).log().float()
    chosen = found[tokens[:, source]]
    torch.testing.assert_close(chosen - chosen.mean(), seen - seen.mean(), rtol=1e-3, atol=1e-4)


def test_a_model_that_is_not_taken_apart_says_so(make_board):
    board = make_board(tiny("bloom"))
    with pytest.raises(EngineError) as refused:
        keys(board, 1, 0, 5, 2, 0)
    assert refused.value.code == "no_qk_circuit"


def test_it_can_be_cancelled(make_board):
    board = make_board(tiny("llama_gqa"))
    token = CancelToken()
    token.cancel()
    queries = torch.zeros(2, 6, board.desk.lab.adapter.shape.n_heads, board.desk.lab.adapter.shape.d_head)
    steps = preferred_keys(board.desk.lab.adapter, board.desk.shown.run.plan.base, queries, 1, 0, 5, 2, 0, token)
    with pytest.raises(Cancelled):
        list(steps)
