"""The tasks that the embedded model knows: solved by it, and labelled where they say."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge

from circuitboard.errors import PromptError
from circuitboard.models import load
from circuitboard.prompts import tasks


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
    """The best right answer against the best wrong one, clean and corrupted."""
    prompts = pair.bind(model)
    diffs = []
    for tokens in (pair.clean_tokens, pair.corrupted_tokens):
        with torch.no_grad():
            last = model(tokens)[:, -1]
        right, wrong = (last.gather(1, answers.ids).max(1).values for answers in (prompts.answers, prompts.wrongs))
        diffs.append(right - wrong)
    return diffs


@pytest.mark.parametrize(
    ("task", "corruption", "flips"),
    [
        ("ioi", "s2_io", True),
        ("ioi", "s2_random", False),
        ("ioi", "abc", False),
        ("induction", "b1", True),
        ("induction", "a1", False),
        ("induction", "no_repeat", False),
        ("docstring", "random_answer", False),
        ("docstring", "random_both", False),
    ],
)
def test_the_demo_model_solves_it_and_not_when_it_is_corrupted(task, corruption, flips):
    clean, corrupted = _logit_diffs(tasks.make(task, 100, model=_demo(), corruption=corruption), _demo())
    assert (clean > 0).float().mean() >= 0.99
    assert corrupted.mean() < 0.35 * clean.mean()
    if flips:
        assert (corrupted < 0).float().mean() >= 0.99


@pytest.mark.parametrize("corruption", ["swap", "new_names"])
def test_these_corruptions_keep_the_pattern(corruption):
    pair = tasks.ioi(20, model=_demo(), corruption=corruption)
    prompts = pair.bind(_demo())
    for row, corrupted in enumerate(prompts.token_ids("corrupted")):
        io, s1, s2 = (prompts.labels[name][row] for name in ("IO", "S1", "S2"))
        if corruption == "swap":
            assert corrupted[s1] == prompts.answer_ids[row]
            assert corrupted[io] == corrupted[s2] == prompts.wrong_ids[row]
        else:
            assert corrupted[s1] == corrupted[s2] != corrupted[io]
            assert not {int(prompts.answer_ids[row]), int(prompts.wrong_ids[row])} & set(corrupted)


def test_abc_has_three_new_names():
    prompts = tasks.ioi(20, model=_demo(), corruption="abc").bind(_demo())
    for row, (clean, corrupted) in enumerate(zip(*map(prompts.token_ids, ("clean", "corrupted")), strict=True)):
        at = [prompts.labels[name][row] for name in ("IO", "S1", "S2")]
        assert len({corrupted[i] for i in at} | {clean[i] for i in at}) == 5
        assert [i for i, (a, b) in enumerate(zip(clean, corrupted, strict=True)) if a != b] == sorted(at)


@pytest.mark.parametrize("order", ["ABBA", "BABA"])
def test_the_order_of_the_names_can_be_chosen(order):
    labels = tasks.ioi(20, model=_demo(), order=order).bind(_demo()).labels
    assert all((io < s1) is (order == "ABBA") for io, s1 in zip(labels["IO"], labels["S1"], strict=True))


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


def test_docstring_labels_name_the_arguments():
    for corruption, changed in (
        ("random_answer", ("C_def",)),
        ("random_doc", ("A_doc", "B_doc")),
        ("random_def", ("A_def", "B_def", "C_def", "D_def")),
        ("random_both", ("A_def", "B_def", "C_def", "D_def", "A_doc", "B_doc")),
    ):
        prompts = tasks.docstring(10, model=_demo(), corruption=corruption).bind(_demo())
        for row, (clean, corrupted) in enumerate(zip(*map(prompts.token_ids, ("clean", "corrupted")), strict=True)):
            at = {label: positions[row] for label, positions in prompts.labels.items()}
            assert clean[at["C_def"]] in prompts.answers.sets[row]
            assert {clean[at[label]] for label in ("A_def", "B_def", "D_def")} == set(prompts.wrongs.sets[row])
            assert clean[at["A_def"]] == clean[at["A_doc"]]
            assert clean[at["B_def"]] == clean[at["B_doc"]]
            differ = [i for i, (a, b) in enumerate(zip(clean, corrupted, strict=True)) if a != b]
            assert differ == sorted(at[label] for label in changed)
            assert not {corrupted[i] for i in differ} & set(clean)


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


def test_nothing_is_repeated_in_a_corruption_without_repetition():
    prompts = tasks.induction(10, model=_demo(), length=10, corruption="no_repeat").bind(_demo())
    for clean, corrupted in zip(*map(prompts.token_ids, ("clean", "corrupted")), strict=True):
        assert len(set(corrupted)) == len(corrupted)
        assert clean[-5:] == corrupted[-5:]
    a1 = tasks.induction(10, model=_demo(), length=10, corruption="a1").bind(_demo())
    for row, corrupted in enumerate(a1.token_ids("corrupted")):
        assert corrupted.count(corrupted[-1]) == 1
        assert corrupted[a1.labels["A1"][row]] == a1.wrong_ids[row]


def test_unfit_models_and_lengths_are_refused():
    for call, code in (
        (lambda: tasks.induction(3, model=_without_tokenizer(), length=30), "prompt_too_long"),
        (lambda: tasks.induction(3, model=_without_tokenizer(), length=25, corruption="no_repeat"), "task_unsuitable"),
        (lambda: tasks.induction(3, model=_without_tokenizer(), prepend_bos=True), "no_bos"),
        (lambda: tasks.induction(3, model=_demo(), length=3), "bad_task_size"),
    ):
        with pytest.raises(PromptError) as caught:
            call()
        assert caught.value.code == code
