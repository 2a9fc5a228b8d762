"""Promise 31: no raw exception from a public call.

What users call is found by walking: from `circuitboard.__all__` through everything that those calls return. Each of
them must be marked, and each is called with arguments that nobody meant.

Not covered: what is behind `board.desk.lab`, which is for code that builds on the board.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import re
from types import ModuleType

import numpy as np
import pytest
import torch

import circuitboard as cb
from circuitboard.boundary import is_public, public
from circuitboard.boundary.public import wants_mark
from circuitboard.errors import CircuitboardError, EngineError, there
from circuitboard.steps import History
from tests.board.prompts import pair
from tests.tiny_models import tiny

INNER = {
    "Lab",
    "Shown.run",
    "Origin",
    "Engine",
    "ModelAdapter",
    "Plan",
    "EditedRun",
    "CachedRun",
    "Answer",
    "Home",
    "SourceRun",
}
"""Rooms behind the board, which no user is led into."""


@functools.cache
def classes():
    """Every class of ours by its name."""
    found = {}
    for info in pkgutil.walk_packages(cb.__path__, "circuitboard."):
        if not re.search(r"\.(server|training|widget|protocol|cli|doctor|export)\b", info.name):
            for name, value in vars(importlib.import_module(info.name)).items():
                if inspect.isclass(value) and value.__module__.startswith("circuitboard"):
                    found.setdefault(name, value)
    return found


def members(kind):
    """What a class of ours offers, its bases of ours included: name → the function, property or method."""
    found = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("circuitboard"):
            found |= {name: member for name, member in vars(base).items() if wants_mark(name)}
    kinds = (property, functools.cached_property, staticmethod, classmethod)
    return {name: one for name, one in found.items() if isinstance(one, kinds) or inspect.isfunction(one)}


def function_of(member):
    for name in ("fget", "func", "__func__"):
        member = getattr(member, name, member)
    return member


@functools.cache
def reachable():
    """Everything public: name → function or class."""
    found, todo = {}, [(name, getattr(cb, name)) for name in cb.__all__]
    while todo:
        name, value = todo.pop()
        if isinstance(value, ModuleType):
            exported = value.__all__ if name == "tasks" else ()
            todo += [(f"{name}.{one}", getattr(value, one)) for one in exported]
            continue
        if name in found or (inspect.isclass(value) and issubclass(value, BaseException)):
            continue
        found[name] = value
        said = [getattr(value, "__annotations__", {}).get("return", "")]
        if inspect.isclass(value):
            said = [function_of(one).__annotations__.get("return", "") for one in members(value).values()]
            said += [text for field, text in inspect.get_annotations(value).items() if field[0] != "_"]
        for word in set(re.findall(r"\w+", " ".join(map(str, said)))) - INNER:
            if word in classes() and word not in found:
                todo.append((word, classes()[word]))
    return found


def test_the_walk_finds_what_there_is():
    assert {"Board", "Job", "SweepStream", "History", "Spread", "Grid", "LogitLens", "tasks.ioi"} <= reachable().keys()
    assert len(members(cb.Board)) > 50


def test_everything_public_is_marked():
    bare = []
    for name, value in reachable().items():
        if inspect.isclass(value):
            if not hasattr(value, "__struct_fields__"):
                bare += [f"{name}.{one}" for one, member in members(value).items() if not is_public(member)]
        elif not is_public(value):
            bare.append(name)
    assert not bare, f"mark these with @public of circuitboard.boundary: {sorted(bare)}"


def test_a_mark_keeps_what_editors_and_people_read():
    for kind in (cb.Board, cb.PromptPair, cb.Sweep, cb.Site):
        for name, member in members(kind).items():
            function = function_of(member)
            inner = function.__wrapped__
            assert (function.__name__, function.__doc__, function.__qualname__) == (
                inner.__name__,
                inner.__doc__,
                inner.__qualname__,
            )
            assert inspect.signature(function) == inspect.signature(inner), name
    assert list(inspect.signature(cb.Board).parameters)[:2] == ["model", "prompts"]
    assert cb.Board.value.__doc__ == "The metric, mean over prompts."


def raising(error):
    def call():
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuntimeError("no kernel image"), "foreign_error"),
        (NotImplementedError("on 'meta'"), "foreign_error"),
        (KeyError("scale"), "foreign_error"),
        (AttributeError("no attribute 'scale_attn'"), "foreign_error"),
        (RecursionError("maximum recursion depth exceeded"), "too_deep"),
        (FileNotFoundError(2, "No such file"), "system_error"),
        (ModuleNotFoundError("No module named 'matplotlib'"), "missing_package"),
        (MemoryError(), "out_of_memory"),
    ],
)
def test_an_error_of_another_is_the_cause_of_ours(error, code):
    with pytest.raises(CircuitboardError) as caught:
        public(raising(error))()
    assert caught.value.code == code
    assert caught.value.__cause__ is error
    assert caught.value.message.count(".") >= 2 or "install" in caught.value.message.lower(), "it says what to do"
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(), GeneratorExit(), cb.PromptError("Ours as it is.")]
)
def test_interrupts_and_our_own_errors_pass(error):
    with pytest.raises(type(error)) as caught:
        public(raising(error))()
    assert caught.value is error
    assert caught.value.__cause__ is None


def test_what_is_left_of_an_interrupt_is_an_interrupt():
    def broken():
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("release unlocked lock")

    with pytest.raises(KeyboardInterrupt):
        public(broken)()


def test_nothing_where_something_is_counted_on_is_told_as_a_mistake_of_ours():
    assert there(0) == 0
    with pytest.raises(EngineError, match="mistake of Circuitboard's") as caught:
        there(None)
    assert caught.value.code == "unexpected"


def test_only_the_outermost_call_speaks_and_inner_ones_see_errors_as_they_are():
    @public
    def inner():
        raise ZeroDivisionError("by inner")

    @public
    def outer():
        try:
            inner()
        except ZeroDivisionError:
            return "handled"

    assert outer() == "handled"
    with pytest.raises(CircuitboardError, match=r"^inner"):
        inner()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda b: b.sweep("head", hwo="zero"), "Did you mean how=…?"),
        (lambda b: b.sweep(), "missing 1 required positional argument: 'over'"),
        (lambda b: b.edit(cb.head(0, 0).zero(), at=3), "Board.edit(*interventions)"),
        (lambda b: cb.head(1), "It is called head(layer, head)"),
        (lambda b: cb.Board(), "It is called Board(model, prompts, *"),
        (lambda b: cb.PromptPair("a"), "missing 1 required keyword-only argument: 'answer'"),
        (lambda b: cb.head(1, 2).add(), "Site.add(vector"),
        (lambda b: cb.tasks.ioi(modle=b.model), "Did you mean model=…?"),
        (lambda b: b.history.require(), "History.require"),
    ],
)
def test_a_wrong_call_says_how_it_is_made(board, call, words):
    with pytest.raises(cb.CallError) as caught:
        call(board)
    assert isinstance(caught.value, TypeError)
    assert caught.value.code == "bad_call"
    assert words in caught.value.message


@pytest.fixture(scope="module")
def board():
    board = cb.Board(tiny("gpt2"), pair())
    board.edit(cb.head(0, 1).zero())
    yield board
    board.close()


class Odd:
    """Answers nothing that is asked of it."""

    def __getattr__(self, name):
        raise LookupError(name)

    def __repr__(self):
        return "Odd()"


def cyclic():
    found = []
    found.append(found)
    return found


ODD = (
    None,
    object(),
    Odd(),
    -1,
    2**70,
    1.5,
    float("nan"),
    True,
    "",
    "\ud800\0",
    b"x",
    [],
    {},
    [None],
    cyclic(),
    {"a": object()},
    slice("a", None),
    lambda *_args: 1 / 0,
    torch.tensor([[1.5]]),
    torch.empty(3, device="meta"),
    torch.tensor([1, 2]).to_sparse(),
    np.array([object()]),
    np.array([[1, 2], [3, 4]]),
    cb.head(0, 0),
    cb.head(0, 0).zero(),
    int,
)
"""Arguments that nobody means."""

LEFT_OUT = {
    "close",  # ends the board that the others are called on
    "on_close",  # takes any callback, and close() tells what it does
    "on_move",
    "subscribe",
    "last_saved",  # reads the user's own folder
    "run_in_background",  # starts whatever it is given, and its job tells
}


def objects(board):
    """One of each public class that a board leads to, by its name."""
    sweep, stream = board.sweep("head"), board.sweep_async("head")
    stream.result()
    lens, dla = board.logit_lens(), board.direct_logit_attribution()
    found = [
        board,
        board.pair,
        board.prompts,
        board.history,
        board.history.nodes[0],
        board.history.state,
        board.edits[0],
    ]
    found += [
        sweep,
        sweep.grid,
        stream,
        board.desk.maps,
        board.desk.shown.outcome,
        board.desk.shown,
        board.engine,
        board.baselines,
    ]
    found += [board.spread, board.verify(), lens, lens.current, dla, board.attention(0, 0), board.as_run()]
    found += [
        board.self_repair(cb.head(1, 1).zero()),
        board.compare_states(),
        board.desk.verify(board.history.state),
        board.self_test(),
    ]
    found += [
        cb.head(0, 0),
        cb.edge(cb.head(0, 0), cb.mlp_out(1)),
        cb.head(0, 0).zero(),
        cb.head(0, 0).add([1.0] * 8).values,
    ]
    return {type(one).__name__: one for one in found}


def odd_arguments(function, *, method):
    """Calls of a function with odd arguments: half of them for all that it requires, some for each of the others."""
    parameters = list(inspect.signature(function).parameters.values())[method:]
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)]
    required = [p for p in plain if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    others = [p for p in parameters if p not in required and p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
    yield (), {}
    for value in ODD[len(function.__name__) % 2 :: 2]:
        yield (value,) * len(required or plain[:1]), {}
    for index, p in enumerate(others):
        for value in ODD[(index + len(function.__name__)) % 6 :: 6]:
            yield (0,) * len(required), {p.name: value}


BUILDERS = re.compile(r"(Maps|SweepStream|Prompts|History|BoardState|DirectLogitAttribution\.of|Job|Engine\w*)\b")
"""Calls for code that builds on the board: what they are given is theirs to check, and they say no more than what failed."""


def attempt(what, call):
    """Make a call; whatever it raises is one of ours, and says in some words what of the arguments was not understood."""
    try:
        call()
    except CircuitboardError as error:
        understood = error.code not in ("unexpected", "foreign_error") or BUILDERS.match(what) or "Odd()" in what
        if not (error.code and understood and 15 < len(error.message) < 4000):
            pytest.fail(f"{what} says {error.message[:300]!r}")


def calls(board):
    """Every public call of a board's objects, of functions and of classes, with odd arguments: what, and the call."""
    for kind, one in objects(board).items():
        for name, member in members(type(one)).items():
            if name in LEFT_OUT or name.startswith("_"):
                continue
            if isinstance(member, (property, functools.cached_property)):
                yield f"{kind}.{name}", functools.partial(getattr, one, name)
                continue
            for args, kwargs in odd_arguments(function_of(member), method=not isinstance(member, staticmethod)):
                yield f"{kind}.{name}{args}{kwargs}", functools.partial(getattr(one, name), *args, **kwargs)
    functions = {name: value for name, value in reachable().items() if inspect.isfunction(value)}
    kinds = {
        kind.__name__: kind for kind in (cb.Board, cb.PromptPair, cb.Run, cb.Site, cb.Edge, cb.Intervention, History)
    }
    for name, value in (functions | kinds).items():
        function = value.__init__ if inspect.isclass(value) else value
        for args, kwargs in odd_arguments(function, method=inspect.isclass(value)):
            yield f"{name}{args}{kwargs}", functools.partial(value, *args, **kwargs)


@pytest.mark.timeout(300)
def test_odd_arguments_are_refused_in_words(board, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = board.value
    for what, call in calls(board):
        attempt(what, call)
    board.refresh()  # after whatever was begun and not waited for
    board.desk.step(lambda h: h.restored(1)).result()
    assert board.value == pytest.approx(before, abs=1e-5)
