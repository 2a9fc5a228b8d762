"""The copy that the engine works on: the user's model stays theirs, whatever they did with it before."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.models.bridge import twin
from tests.tiny_models import FAMILIES, MORE_FAMILIES, WAVEFRONT

TOKENS = torch.tensor([[5, 6, 7, 8, 9, 10]])
EVERY = FAMILIES | MORE_FAMILIES


@pytest.mark.parametrize("family", WAVEFRONT)
def test_a_model_that_was_run_with_gradients_can_be_copied(family):
    model = EVERY[family]().eval()
    expected = model(TOKENS)
    assert expected.requires_grad
    copied = twin(model)
    torch.testing.assert_close(copied(TOKENS), expected)
    copied(TOKENS.flip(1))
    own = {id(parameter) for parameter in model.parameters()}
    assert {id(parameter) for parameter in copied.parameters()} == own


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa", "native"])
def test_running_the_copy_leaves_no_trace_in_the_original(family):
    model = EVERY[family]().eval()
    with torch.no_grad():
        model(TOKENS)
    held = [
        (module, name) for module in model.modules() for name, value in vars(module).items() if torch.is_tensor(value)
    ]
    before = {(id(module), name): getattr(module, name) for module, name in held}
    copied = twin(model)
    seen = []
    model.cfg.use_hook_mlp_in = True
    for block in model.blocks:
        block.hook_mlp_in.add_hook(lambda value, hook: seen.append(hook.name) or value)
    with torch.no_grad():
        copied(TOKENS.flip(1))
    assert not seen
    assert all(getattr(module, name) is before[id(module), name] for module, name in held)
    assert all(getattr(block.attn, "_captured_pre_ln_residual", None) is None for block in model.blocks)


def test_a_board_on_a_model_that_was_run_with_gradients():
    model = FAMILIES["gpt2"]().eval()
    model(TOKENS).sum().backward()
    board = cb.Board(model, cb.PromptPair(TOKENS, TOKENS.flip(1), answer=1, wrong=2))
    assert board.verify(cb.head(1, 1).zero()).ok
    board.close()
