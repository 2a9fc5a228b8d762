"""Numbers, shares, names, tokens, captions and columns in words: the cases that the panel's tests read too.

`extension/src/protocol/words.test.ts` runs the same file through the panel's rules.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from circuitboard.pictures.colour import colour_of, ink_on
from circuitboard.pictures.words import column_names, map_caption, position_names, state_words
from circuitboard.protocol import wording
from circuitboard.protocol.drawing import TokenColumn
from circuitboard.protocol.vocabulary import MAPS
from circuitboard.sweeps.scale import rounded_up

CASES = json.loads((Path(__file__).parent / "words.json").read_text("utf-8"))
SPECIAL = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf"), "-0": -0.0}


def number(x):
    return SPECIAL.get(x, x) if isinstance(x, str) else x


def of_numbers(rule):
    return lambda *given: rule(*map(number, given))


def caption(given):
    columns = msgspec.convert(given["columns"], list[TokenColumn])
    words = MAPS[given["over"]]
    at = given["positions"]
    named = None if at is None or not words.columns else position_names(at, columns)
    what = words.object.replace("{layer}", str(given["layer"]))
    return map_caption(what, given["how"], given["base"], given["n_edits"], named)


RULES = {
    "signed": of_numbers(wording.signed),
    "plain": of_numbers(wording.plain),
    "percent": of_numbers(wording.percent),
    "decimals": of_numbers(wording.decimals),
    "with_error": of_numbers(wording.with_error),
    "rounded_up": of_numbers(rounded_up),
    "without_zero": wording.without_zero,
    "capital": wording.capital,
    "name": wording.name_words,
    "token": wording.token_words,
    "metric": wording.metric_words,
    "state": state_words,
    "colour": colour_of,
    "ink": ink_on,
    "caption": caption,
    "columns": lambda columns: column_names(msgspec.convert(columns, list[TokenColumn])),
}


def test_every_rule_has_its_cases():
    assert set(CASES) == set(RULES)
    assert sum(map(len, CASES.values())) >= 60


@pytest.mark.parametrize("rule", CASES)
def test_words_are_those_of_the_panel(rule):
    for *given, expected in CASES[rule]:
        assert RULES[rule](*given) == expected, (rule, given)
