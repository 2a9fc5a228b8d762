"""What a notebook shows of an error: the user's line and our sentence."""

from __future__ import annotations

import re

import pytest

ANSI = re.compile(r"\x1b\[[0-9;]*m")
SWITCH = "cb.full_tracebacks = True"


@pytest.fixture
def shown(kernel):
    """The text that a cell's error puts into the notebook."""

    def run(code: str) -> str:
        cell = kernel.finish(kernel.start(code), 60)
        assert cell.error is not None
        text = "\n".join(cell.traceback)
        assert cell.error.partition(": ")[2] in ANSI.sub("", text)  # the whole message is there
        return ANSI.sub("", text)

    yield run
    kernel.run("cb.full_tracebacks = False")


def test_an_answer_of_two_tokens_shows_the_line_and_the_sentence(kernel, shown):
    kernel.run("demo = cb.load('demo')")
    text = shown(
        "pair2 = cb.PromptPair('When Mary', answer=' Mary Mary', wrong=' John')\n\nboard2 = cb.Board(demo, pair2)\nboard2"
    )
    assert "----> 3 board2 = cb.Board(demo, pair2)" in text
    assert "it must be exactly one" in text
    assert "Cell In[" in text
    assert SWITCH in text
    assert "kernel_side" not in text
    assert "torch" not in text
    assert len(text.splitlines()) < 15


def test_the_whole_traceback_is_one_switch_away(kernel, shown):
    kernel.run(SWITCH)
    text = shown("cb.head(-1, 2)")
    assert "kernel_side/circuitboard/address/site.py" in text
    assert SWITCH not in text


def test_a_function_of_the_user_that_failed_within_ours_is_shown_with_its_line(shown):
    text = shown("def mine(logits):\n    return 1 / 0\n\ncb.Board(model, pair, metric=mine)")
    assert "----> 2     return 1 / 0" in text
    assert "ZeroDivisionError: division by zero" in text
    assert "----> 4 cb.Board(model, pair, metric=mine)" in text
    assert text.rindex("MetricError") > text.rindex("ZeroDivisionError: division by zero\n")
    assert "kernel_side" not in text
    assert len(text.splitlines()) < 30


def test_between_a_user_and_a_user_nothing_of_a_library_is_shown(shown):
    text = shown("import pandas as pd\n\npd.Series([1, 2]).apply(lambda layer: cb.head(-layer, 1))")
    assert "pd.Series([1, 2]).apply" in text
    assert "pandas/core" not in text
    assert "must be 0 or more" in text


def test_a_step_that_failed_on_the_worker_is_shown_at_the_line_that_asked(kernel, shown):
    kernel.run("board = cb.Board(model, pair)")
    text = shown("x = 1\nboard.edit(cb.head(99, 1).zero())")
    assert "----> 2 board.edit(cb.head(99, 1).zero())" in text
    assert "kernel_side" not in text
    assert len(text.splitlines()) < 15
    kernel.run("board.close()")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("cb.ablate", "cb.head(9, 6).zero()"),
        ("cb.PromptPair('When Mary', corrupt='When John', answer=' Mary')", "Here it is called corrupted=…"),
        ("cb.PromptPair('When Mary', 'When John', (' Mary', ' John'))", "answer=' Mary', wrong=' John'"),
        ("cb.head(9)", "cb.head"),
        ("pair.corrupt", "pair.corrupted"),
    ],
)
def test_wrong_names_and_calls_too(shown, code, words):
    text = shown(code)
    assert words in text
    assert "kernel_side" not in text
    assert text.count("Traceback (most recent call last)") == 1
    assert len(text.splitlines()) < 15


def test_an_error_that_was_caught_and_raised_again_as_another(shown):
    text = shown(
        "try:\n    cb.head(-1, 2)\nexcept cb.CircuitboardError as error:\n    raise cb.PromptError('mine') from error"
    )
    assert "must be 0 or more" in text
    assert "mine" in text
    assert "kernel_side" not in text
