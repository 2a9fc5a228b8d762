"""A real model: every task suits its tokenizer, and it answers as was measured with TransformerLens."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.prompts import tasks
from circuitboard.prompts.tasks.a_an import TEMPLATE as TREES
from circuitboard.prompts.tasks.gendered_pronoun import TEMPLATE as PRAISE

pytestmark = pytest.mark.smollm2

NAMES = tuple(tasks.list().index)
# Tasks of one length have no padding, so that a plain forward of the tokens is the oracle.
AT_ONCE = 20


@pytest.fixture
def model(smollm2):
    return smollm2


def last_logits(model, tokens):
    with torch.no_grad():
        return torch.cat([model(part)[:, -1] for part in tokens.split(AT_ONCE)])


def differences(model, pair):
    """The best right answer's logit less the best wrong one's, clean and corrupted."""
    prompts = pair.bind(model)
    assert prompts.real is None
    found = []
    for tokens in (pair.clean_tokens, pair.corrupted_tokens):
        logits = last_logits(model, tokens)
        right, wrong = (logits.gather(1, answers.ids).max(1).values for answers in (prompts.answers, prompts.wrongs))
        found.append(right - wrong)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_corruption_is_aligned_and_seeded_and_changes_the_prompt(model, name):
    found = {
        key: tasks.make(name, 12, model=model, corruption=key, prepend_bos=False) for key in tasks.corruptions(name)
    }
    first = next(iter(found.values()))
    for key, pair in found.items():
        assert pair.clean_tokens.shape == pair.corrupted_tokens.shape
        assert (pair.clean_tokens != pair.corrupted_tokens).any(1).all()
        assert torch.equal(pair.clean_tokens, first.clean_tokens)
        again = tasks.make(name, 12, model=model, corruption=key, prepend_bos=False)
        assert torch.equal(pair.corrupted_tokens, again.corrupted_tokens)
        assert not torch.equal(
            first.clean_tokens, tasks.make(name, 12, seed=1, model=model, prepend_bos=False).clean_tokens
        )


# Share of prompts answered right, clean, and of those still right with the default corruption.
SOLVED = {
    "a_an": (0.8, 0.0),
    "acronyms": (1.0, 0.1),
    "brackets": (1.0, 0.0),
    "capitals": (0.9, 0.1),
    "docstring": (0.95, 0.1),
    "gendered_pronoun": (1.0, 0.0),
    "greater_than": (0.9, 0.2),
    "induction": (0.95, 0.05),
    "ioi": (0.95, 0.05),
    "subject_verb_agreement": (0.9, 0.1),
    "successor": (0.9, 0.5),
}


@pytest.mark.parametrize("name", NAMES)
def test_it_can_do_the_task_until_the_prompt_is_corrupted(model, name):
    clean, corrupted = differences(model, tasks.make(name, 40, model=model, prepend_bos=False))
    right, left = SOLVED[name]
    assert (clean > 0).float().mean() >= right
    assert (corrupted > 0).float().mean() <= left


def test_ioi_of_a_hundred(model):
    pair = tasks.ioi(100, model=model, prepend_bos=False)
    clean, corrupted = differences(model, pair)
    assert int((clean > 0).sum()) == 100
    assert clean.mean().item() == pytest.approx(4.65, abs=0.1)
    assert (corrupted < 0).float().mean() >= 0.95
    assert not any("keeps them" in note.text for note in pair.notes), "all fifteen templates are of one length"


def test_eight_names_have_their_pronoun(model):
    names = {"Evan": 1, "John": 1, "David": 1, "Michael": 1, "Mary": -1, "Emily": -1, "Sarah": -1, "Lisa": -1}
    texts = [PRAISE.format(opening="So", name=f" {name}", role="friend") for name in names]
    # " Evan" is two tokens here, so this data set is of different lengths.
    board = cb.Board(model, cb.PromptPair(texts, answer=" he", wrong=" she", prepend_bos=False))
    assert board.values.sign().tolist() == list(names.values())
    assert board.values[0].item() == pytest.approx(2.46, abs=0.1)
    assert board.values[4].item() == pytest.approx(-9.36, abs=0.1)
    board.close()
    pair = tasks.gendered_pronoun(47, model=model, prepend_bos=False)
    assert {name for name in names if any(f"So {name} is" in text for text in pair.clean)} == names.keys() - {"Evan"}
    assert (differences(model, pair)[0] > 0).all()


def test_an_apple(model):
    text = TREES.format(first=" pear", fruit=" pear", second=" apple")
    assert text == "I climbed the pear tree and picked a pear. I climbed the apple tree and picked"
    board = cb.Board(model, cb.PromptPair(text, answer=" an", wrong=" a", prepend_bos=False))
    assert board.value == pytest.approx(1.78, abs=0.1)
    board.close()


def test_docstrings_name_the_third_argument(model):
    pair = tasks.docstring(30, model=model, prepend_bos=False)
    prompts = pair.bind(model)
    top = last_logits(model, pair.clean_tokens).argmax(-1)
    assert int((top == prompts.answers.ids[:, 0]).sum()) >= 28


def test_the_loss_falls_where_tokens_are_repeated(model):
    length = 20
    pair = tasks.induction(20, model=model, length=length, prepend_bos=False)
    tokens = pair.clean_tokens
    with torch.no_grad():
        losses = -model(tokens)[:, :-1].log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
    # The repetition's first token cannot be foretold.
    first, second = losses[:, : length - 1].mean().item(), losses[:, length:].mean().item()
    assert first - second > 8
