"""Tasks: their prompts are aligned, labelled, reproducible, and solved by the models that should solve them."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge

from circuitboard.errors import PromptError
from circuitboard.models import load
from circuitboard.prompts import tasks
from circuitboard.prompts.tasks.ioi import TEMPLATES


@cache
def _demo():
    return load("demo", device="cpu")


@cache
def _without_tokenizer():
    config = TransformerBridgeConfig(
        d_model=8, d_head=4, n_heads=2, n_layers=1, n_ctx=40, d_vocab=50, init_weights=True, seed=0
    )
    return TransformerBridge.boot_native(config)


def _logit_diffs(pair, model):
    diffs = []
    for tokens in (pair.clean_tokens, pair.corrupted_tokens):
        with torch.no_grad():
            last = model(tokens)[:, -1]
        diffs.append((last.gather(1, pair.answer_ids[:, None]) - last.gather(1, pair.wrong_ids[:, None]))[:, 0])
    return diffs


@pytest.mark.parametrize("task", [tasks.ioi, tasks.induction])
def test_the_demo_model_solves_it_and_the_corruption_flips_the_answer(task):
    pair = task(100, model=_demo())
    clean, corrupted = _logit_diffs(pair, _demo())
    assert (clean > 0).float().mean() >= 0.99
    assert (corrupted < 0).float().mean() >= 0.99


@pytest.mark.parametrize("task", [tasks.ioi, tasks.induction])
def test_the_seed_decides(task):
    first, again, other = (task(8, seed=seed, model=_demo()) for seed in (0, 0, 1))
    assert torch.equal(first.clean_tokens, again.clean_tokens)
    assert torch.equal(first.corrupted_tokens, again.corrupted_tokens)
    assert not torch.equal(first.clean_tokens, other.clean_tokens)


@pytest.mark.parametrize("prepend_bos", [True, False])
def test_ioi_labels_name_the_roles(prepend_bos):
    prompts = tasks.ioi(20, model=_demo(), prepend_bos=prepend_bos).bind(_demo())
    assert prompts.prepend_bos is prepend_bos
    orders = set()
    for row, (clean, corrupted) in enumerate(
        zip(prompts.clean_tokens.tolist(), prompts.corrupted_tokens.tolist(), strict=True)
    ):
        io, s1, s2, end = (prompts.labels[name][row] for name in ("IO", "S1", "S2", "END"))
        answer, wrong = prompts.answer_ids[row], prompts.wrong_ids[row]
        assert clean[io] == answer
        assert clean[s1] == clean[s2] == wrong
        assert corrupted[s2] == answer
        assert [i for i, pair in enumerate(zip(clean, corrupted, strict=True)) if pair[0] != pair[1]] == [s2]
        assert end == prompts.n_positions - 1
        orders.add(io < s1)
    assert orders == {True, False}


def test_induction_labels_name_the_pair():
    prompts = tasks.induction(20, model=_demo(), length=10).bind(_demo())
    assert prompts.n_positions == 1 + 10 + 5
    for row, (clean, corrupted) in enumerate(
        zip(prompts.clean_tokens.tolist(), prompts.corrupted_tokens.tolist(), strict=True)
    ):
        a1, b1, a2 = (prompts.labels[name][row] for name in ("A1", "B1", "A2"))
        assert clean[a1] == clean[a2]
        assert (b1, a2) == (a1 + 1, prompts.n_positions - 1)
        assert clean[b1] == prompts.answer_ids[row]
        assert corrupted[b1] == prompts.wrong_ids[row]
        assert [i for i, pair in enumerate(zip(clean, corrupted, strict=True)) if pair[0] != pair[1]] == [b1]


def test_induction_needs_no_tokenizer():
    pair = tasks.induction(3, model=_without_tokenizer())
    assert pair.clean_tokens.shape == (3, 30)


def test_unfit_models_and_sizes_are_refused():
    cases = [
        (lambda: tasks.ioi(3, model=_without_tokenizer()), "no_tokenizer"),
        (lambda: tasks.induction(3, model=_without_tokenizer(), length=30), "prompt_too_long"),
        (lambda: tasks.induction(3, model=_without_tokenizer(), prepend_bos=True), "no_bos"),
        (lambda: tasks.induction(3, model=_demo(), length=3), "bad_task_size"),
        *((lambda n=n: tasks.ioi(n, model=_demo()), "bad_task_size") for n in (0, -1, 1.5, True, 10**9)),
    ]
    for call, code in cases:
        with pytest.raises(PromptError) as caught:
            call()
        assert caught.value.code == code


def test_the_list_cites_every_task():
    table = tasks.list()
    assert set(table.index) == set(tasks.__all__) - {"list"}
    assert table["source"].str.contains("arXiv").all()


def test_no_template_opens_with_a_name():
    assert len(TEMPLATES) == len(set(TEMPLATES)) == 15
    for template in TEMPLATES:
        assert not template.startswith("{")
        assert all(template.count("{" + word + "}") == 1 for word in ("first", "second", "giver"))
