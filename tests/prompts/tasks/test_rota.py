"""Items take turns: all are used equally often, and generators do not disturb each other."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from circuitboard.prompts.tasks.rota import Rota


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 99))
def test_everything_comes_once_before_anything_comes_again(n, rounds, seed):
    rota, rng = Rota(range(n)), random.Random(seed)
    for _ in range(rounds):
        assert sorted(rota.draw(rng) for _ in range(n)) == list(range(n))


@given(st.integers(0, 99))
def test_what_may_not_come_keeps_its_turn(seed):
    rota, rng = Rota("abc"), random.Random(seed)
    drawn = [rota.draw(rng, but="a") for _ in range(4)]
    assert "a" not in drawn
    assert Counter(drawn) == {"b": 2, "c": 2}


def test_generators_have_turns_of_their_own():
    rota, first, second = Rota("abcdef"), random.Random(0), random.Random(0)
    mixed = [(rota.draw(first), rota.draw(second)) for _ in range(10)]
    assert all(one == other for one, other in mixed)
