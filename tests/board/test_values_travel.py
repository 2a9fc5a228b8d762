"""What a board returns can be copied, pickled and compared; what holds a model refuses in our words."""

from __future__ import annotations

import copy
import multiprocessing
import pickle  # noqa: TID251  what users do with their results; nothing of ours reads one
import weakref

import pytest
import torch

import circuitboard as cb
from circuitboard.analysis import LogitLens

ROUNDS = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),  # noqa: S301
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


def text_pair(n=1):
    pairs = [
        ("When John and Mary went to the shops, John gave the bag to", "When John and Mary went to the shops, Mary gave the bag to"),
        ("When Tom and Anna went to the shops, Tom gave the bag to", "When Tom and Anna went to the shops, Anna gave the bag to"),
    ][:n]  # fmt: skip
    return cb.PromptPair(
        [clean for clean, _ in pairs],
        [corrupted for _, corrupted in pairs],
        answer=[{" Mary", " Anna"}] if n == 1 else [" Mary", " Anna"],
        wrong=[" John", " Tom"][:n],
        labels={"END": -1},
    )


@pytest.fixture(scope="module", params=[1, 2], ids=["one prompt", "two prompts"])
def board(request):
    made = cb.Board(cb.load("demo"), text_pair(request.param))
    yield made
    made.close()


@pytest.fixture(scope="module")
def things(board):
    sweep = board.sweep("head", how="zero")
    outcome = board.edit(cb.head(3, 3).zero(), cb.head(2, 1).patch(board.as_run()))
    return {
        "a pair that a board has read": board.pair,
        "a pair of a task": cb.tasks.ioi(2, model=board.model),
        "prompts": board.prompts,
        "notes": board.pair.notes,
        "a sweep": sweep,
        "an estimate": board.sweep("head", approximate="atp", how="zero"),
        "statistics asked for before": (sweep, sweep.stderr)[0],
        "an outcome": outcome,
        "a receipt": outcome.receipts,
        "an error bar": board.spread,
        "a site": cb.head(1, 2).pattern.at("END", [0, slice(1, 3)]),
        "an edge": cb.edge(cb.head(1, 2), cb.head(2, 1).q).at(-1),
        "an edit": cb.head(1, 2).add(torch.arange(32.0), 0.5),
        "edits": board.edits,
        "a run": board.as_run(),
        "a lens": board.logit_lens(),
        "direct effects": board.direct_logit_attribution(),
        "self-repair": board.self_repair(cb.head(2, 2).zero()),
        "attention": board.attention(1, 1),
        "baselines": board.baselines,
        "a verification": board.verify(),
        "a self-test": board.self_test(),
        "the engine's status": board.engine,
        "the history": board.history,
        "a change between states": board.compare_states(0).change,
        "a comparison": board.compare({"a": board.pair, "b": text_pair(board.prompts.n)}, how="zero", layers=[3]),
    }


@pytest.mark.parametrize("way", ROUNDS)
def test_values_are_equal_after_they_travelled(things, way):
    for what, value in things.items():
        again = ROUNDS[way](value)
        assert type(again) is type(value), what
        assert again == value, what
        assert not again != value, what  # noqa: SIM202
        if what not in ("edits", "notes"):
            assert hash(again) == hash(value), what
        assert repr(again) == repr(value), what


def test_they_are_small_and_hold_no_model(things, board):
    for what, value in things.items():
        assert len(pickle.dumps(value)) < 100_000, what
    model = weakref.ref(board.model)
    copied = copy.deepcopy(board.pair)
    assert copied._binding.model is None
    assert model() is board.model


def test_a_pair_that_travelled_has_its_tokens_and_is_read_again_by_a_model(board):
    again = pickle.loads(pickle.dumps(board.pair))  # noqa: S301
    assert again.clean_tokens.equal(board.pair.clean_tokens)
    assert again.table().equals(board.pair.table())
    assert again.notes == board.pair.notes
    other = cb.Board(board.model, again)
    assert other.prompts.tokenizer is not None
    assert other.value == board.baselines.clean
    other.close()


def test_a_lens_that_travelled_names_all_that_it_shows(board):
    lens = board.logit_lens(top=8)
    again: LogitLens = ROUNDS["pickle"](ROUNDS["pickle"](lens))
    assert again.tokens() == lens.tokens()
    assert again.tokens(base=True) == lens.tokens(base=True)
    with pytest.raises(cb.CircuitboardError, match="Bind the pair"):
        again.prompts.token_str(10**6)


def test_other_numbers_are_not_equal(things, board):
    sweep = things["a sweep"]
    assert sweep != board.sweep("head", how="zero", layers=[0])
    assert sweep != things["an estimate"]
    assert things["an outcome"] != board.preview(cb.head(0, 0).zero())
    assert board.pair != cb.PromptPair("When", answer=" Mary")
    assert board.pair != "When"
    ids = torch.tensor([[1, 2]])
    assert cb.PromptPair(ids, answer=1) == cb.PromptPair(ids.clone(), answer=1)
    assert cb.PromptPair(ids, answer=1) != cb.PromptPair(ids + 1, answer=1)


def test_the_same_question_has_an_equal_answer(board):
    assert board.preview(cb.head(0, 0).zero()) == board.preview(cb.head(0, 0).zero())
    assert len({board.preview(cb.head(0, 0).zero()), board.preview(cb.head(0, 0).zero())}) == 1


@pytest.mark.parametrize("way", ROUNDS)
def test_what_holds_a_model_refuses_and_says_what_to_do(board, way):
    for thing, words in (
        (board, ("cb.Board(board.model, board.pair)", "board.save(")),
        (board.sweep_async("head", how="zero"), ("stream.partial()",)),
        (board.desk.verify(board.history.state), ("job.result()",)),
        (board.compare_states(0), (".table",)),
        ({"mine": board}, ("board.save(",)) if way != "copy" else (board.desk.lab, ("its board",)),
        (board.desk.shown, ("board.as_run()",)) if way != "copy" else (board, ()),
    ):
        with pytest.raises(cb.CircuitboardError) as refused:
            ROUNDS[way](thing)
        assert refused.value.code == "not_copied"
        assert all(word in str(refused.value) for word in words)
    assert board.preview(cb.head(0, 0).zero()).value == board.preview(cb.head(0, 0).zero()).value


def test_errors_travel_too():
    error = cb.PromptError("what was asked", code="bad_prompt", where="1.2")
    again = ROUNDS["pickle"](error)
    assert (str(again), again.code, again.where) == (str(error), "bad_prompt", "1.2")
    assert multiprocessing.reduction.ForkingPickler.dumps(error)
