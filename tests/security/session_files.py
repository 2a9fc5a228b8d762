"""A saved board of a tiny model, and ways to spoil it."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch

import circuitboard as cb
from tests.tiny_models import tiny

MODEL = "attention_only"


def board_pair() -> cb.PromptPair:
    clean, corrupted = torch.tensor([[5, 6, 7], [9, 8, 7]]), torch.tensor([[5, 16, 7], [9, 8, 27]])
    return cb.PromptPair(clean, corrupted, answer=[1, 2], wrong=[3, 4], labels={"END": -1})


def board() -> cb.Board:
    made = cb.Board(tiny(MODEL), board_pair())
    made.edit(cb.head(1, 2).at(["END", 0]).zero(), cb.attn_out(0).patch())
    made.edit(cb.resid_pre(1).at(slice(0, 2)).scale(0.5))
    made.toggle(0)
    return made


def line(document: dict, states: list[dict]) -> dict:
    """The document with other states, each of which led to the next; the board stands at the last one."""
    follows = [state | ({"parent": index - 1} if index else {}) for index, state in enumerate(states)]
    return document | {"states": follows, "current": len(states) - 1, "ahead": []}


def spots(value: object, path: tuple = ()) -> Iterator[tuple]:
    """The way to every value inside a JSON document."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from spots(one, (*path, key))


def replaced(document: object, path: tuple, value: object) -> object:
    """A copy of a document with one value replaced."""
    if not path:
        return value
    made = copy.deepcopy(document)
    at = made
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return made
