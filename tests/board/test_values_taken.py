"""Every public argument that is a number or a list takes numpy's, torch's and pandas's as it takes Python's own."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import circuitboard as cb
from circuitboard.analysis import AttentionPattern, DirectLogitAttribution, LogitLens, SelfRepair
from circuitboard.desk.state_comparison import StateComparison
from circuitboard.sweeps import SweepStream
from tests.board.prompts import CLEAN, CORRUPTED, pair
from tests.tiny_models import tiny

NUMERIC = re.compile(
    r"\b(ArrayLike|int|float|Sequence|Iterable|object|PositionsLike|Any|Tensor|Text|Answers|MetricsLike|Positions|Mapping)\b"
)

RESULTS = (SweepStream, LogitLens, DirectLogitAttribution, SelfRepair, AttentionPattern, StateComparison)
"""Classes of what boards return, besides those that the package names."""


def public() -> dict[str, Any]:
    """Every public function, class and method by its name."""
    found: dict[str, Any] = {}
    named = {name: getattr(cb, name) for name in cb.__all__} | {kind.__name__: kind for kind in RESULTS}
    for name, thing in named.items():
        if inspect.isclass(thing) and not issubclass(thing, Exception):
            found[name] = thing
            found |= {
                f"{name}.{method}": function
                for method, function in inspect.getmembers(thing, callable)
                if not method.startswith("_")
            }
        elif inspect.isfunction(thing):
            found[name] = thing
    return found | {f"tasks.{name}": getattr(cb.tasks, name) for name in cb.tasks.__all__}


def parameters() -> dict[str, str]:
    """Those that may be a number or a list: "Board.logits.pos" → annotation."""
    found = {}
    for name, thing in public().items():
        for parameter in inspect.signature(thing).parameters.values():
            annotation = str(parameter.annotation)
            if parameter.name != "self" and NUMERIC.search(annotation):
                found[f"{name}.{parameter.name}"] = annotation
    return found


OURS = "made by the board; nobody writes one by hand"
WORK = "for code that builds on the board: a function of ours, or a value that it returned"
EXEMPT = {
    "DirectLogitAttribution.of.softcap": WORK,
    "DirectLogitAttribution.of.n_layers": WORK,
    "DirectLogitAttribution.of.n_heads": WORK,
    "SweepStream.add.cells": WORK,
    "SweepStream.add.values": WORK,
    "PromptPair.notes": "texts that a task says",
    "tasks.make.arguments": "those of the task",
    "tasks.vary.changes": "those of the task",
}
MADE = ("Outcome", "Receipt", "Sweep", "Verification", *(kind.__name__ for kind in RESULTS))


@dataclass(frozen=True)
class Taken:
    """One argument: how it is passed, and a value in Python's own types."""

    call: Callable[[Any], Any]
    value: Any
    bools: bool = False  # whether True means something here


@pytest.fixture(scope="module")
def made():
    model = tiny("gpt2")
    board = cb.Board(model, pair())
    board.edit(cb.head(0, 1).zero())
    board.edit(cb.head(0, 2).scale(2))
    yield board
    board.close()


def cases(board) -> dict[str, Taken]:  # noqa: C901  a list of cases
    """An entry a parameter."""
    model, site, edge = board.model, cb.head(0, 1), cb.edge(cb.head(0, 1), cb.head(1, 2).q)
    sweep = board.sweep("head")
    lens, dla, repair = board.logit_lens(), board.direct_logit_attribution(), board.self_repair(cb.head(0, 3).zero())

    states = board.compare_states(0)

    def back(call: Callable[[], Any]) -> Any:
        """What a step says, and the board as it was."""
        outcome = call()
        board.undo()
        return outcome

    def there(node: Any) -> Any:
        here = board.history.current
        outcome = board.go_to(node)
        board.go_to(here)
        return outcome

    def ids(**given: Any) -> Any:
        found = cb.PromptPair(**{"clean": CLEAN, "corrupted": CORRUPTED, "answer": 1, "wrong": 2} | given).bind(model)
        return found.clean_tokens, found.corrupted_tokens, found.answer_ids, found.wrong_ids, found.labels

    def in_numbers(layers: Any = None, positions: Any = None) -> dict[str, Any]:
        return {"how": "zero", "layers": layers, "positions": positions}

    found = {
        "Board.metric": Taken(lambda v: cb.Board(model, pair(), metric=v).value, ["prob", "kl"]),
        "Board.memory": Taken(lambda v: cb.Board(model, pair(), memory=v).value, 500_000_000),
        "Board.attention.layer": Taken(lambda v: board.attention(v, 1), 2),
        "Board.attention.head": Taken(lambda v: board.attention(1, v), 2),
        "Board.attention.prompt": Taken(lambda v: board.attention(1, 1, v), 2),
        "Board.compare.corruptions": Taken(
            lambda v: cb.Board(tiny("native"), pair_of_a_task()).compare(v, layers=[0]).table, ["b1", "no_repeat"]
        ),
        "Board.compare_states.left": Taken(lambda v: board.compare_states(v).change, 1),
        "Board.compare_states.right": Taken(lambda v: board.compare_states(0, v).change, 1),
        "Board.direct_logit_attribution.neurons": Taken(
            lambda v: board.direct_logit_attribution(neurons=v), [0, 2], bools=True
        ),
        "Board.group.which": Taken(lambda v: back(lambda: board.group("two", v)), 1),
        "Board.logit_lens.pos": Taken(board.logit_lens, [1, 3]),
        "Board.logit_lens.top": Taken(lambda v: board.logit_lens(top=v).tokens(), 3),
        "Board.logits.pos": Taken(board.logits, 3),
        "Board.max_activating.text": Taken(lambda v: board.max_activating(v, 0, 1), CLEAN.tolist()),
        "Board.max_activating.layer": Taken(lambda v: board.max_activating(CLEAN, v, 1), 2),
        "Board.max_activating.index": Taken(lambda v: board.max_activating(CLEAN, 1, v), 2),
        "Board.max_activating.k": Taken(lambda v: board.max_activating(CLEAN, 1, 1, k=v), 2),
        "Board.move.index": Taken(lambda v: back(lambda: board.move(v, 0)), 1),
        "Board.move.to": Taken(lambda v: back(lambda: board.move(0, v)), 1),
        "Board.neurons.layer": Taken(board.neurons, 1),
        "Board.neurons.pos": Taken(lambda v: board.neurons(1, v), 2),
        "Board.neurons.k": Taken(lambda v: board.neurons(1, k=v), 2),
        "Board.note.node": Taken(lambda v: (board.note("here", v), repr(board.history)), 1),
        "Board.go_to.node": Taken(there, 1),
        "Board.remove.which": Taken(lambda v: back(lambda: board.remove(v)), 1),
        "Board.rename.which": Taken(lambda v: back(lambda: board.rename(v, "mine")), 1),
        "Board.replace.index": Taken(lambda v: back(lambda: board.replace(v, cb.head(2, 2).zero())), 1),
        "Board.set_strength.index": Taken(lambda v: back(lambda: board.set_strength(v, 3)), 1),
        "Board.set_strength.strength": Taken(lambda v: back(lambda: board.set_strength(1, v)), 0.5),
        "Board.show_attention.layer": Taken(lambda v: board.show_attention(v, 1), 1),
        "Board.show_attention.head": Taken(lambda v: board.show_attention(1, v), 1),
        "Board.show_attention.prompt": Taken(lambda v: board.show_attention(1, 1, v), 1),
        "Board.show_tokens.values": Taken(board.show_tokens, [0.5, 1.0, -1.0, 0.0, 2.0]),
        "Board.show_tokens.prompt": Taken(lambda v: board.show_tokens([0.5, 1.0, -1.0, 0.0, 2.0], v), 1),
        "Board.toggle.which": Taken(lambda v: back(lambda: board.toggle(v)), 1),
        "Board.top_tokens.k": Taken(board.top_tokens, 3),
        "Board.top_tokens.prompt": Taken(lambda v: board.top_tokens(prompt=v), 2),
        "Edge.positions": Taken(lambda v: cb.Edge(edge.sender, edge.receiver, v), [1, 2]),
        "Intervention.strength": Taken(lambda v: cb.Intervention(site, "scale", v), 0.5),
        "Intervention.seed": Taken(lambda v: cb.Intervention(site, "resample", seed=v, per="position"), 3),
        "Intervention.from_": Taken(
            lambda v: cb.Intervention(site.at([1, 2]), "patch", per="position", from_=v), [2, 3]
        ),
        "Sweep.pvalue_floor.n_permutations": Taken(lambda v: sweep.pvalue_floor(n_permutations=v), 20),
        "Run.labels": Taken(lambda v: cb.Run(CLEAN, labels={"S2": v}), [1, 2, 3]),
        "PromptPair.clean": Taken(lambda v: ids(clean=v), CLEAN.tolist()),
        "PromptPair.corrupted": Taken(lambda v: ids(corrupted=v), CORRUPTED.tolist()),
        "PromptPair.answer": Taken(lambda v: ids(answer=v), [24, 25, 26]),
        "PromptPair.wrong": Taken(lambda v: ids(wrong=v), [24, 25, 26]),
        "PromptPair.labels": Taken(lambda v: ids(labels={"S2": v}), [1, 2, 3]),
        "PromptPair.table.prompt": Taken(pair_table(model), 2),
        "Run.prompts": Taken(cb.Run, CLEAN.tolist()),
        "Run.interventions": Taken(lambda v: cb.Run(CLEAN, v), [site.zero()]),
        "Site.layer": Taken(lambda v: cb.Site("head", v, 1), 2),
        "Site.index": Taken(lambda v: cb.Site("head", 1, v), 2),
        "Site.positions": Taken(lambda v: cb.Site("head", 1, 1, v), [1, 2]),
        "Site.sources": Taken(lambda v: cb.Site("head.pattern", 1, 1, None, v), [1, 2]),
        "Site.at.positions": Taken(site.at, [1, 2]),
        "Site.at.sources": Taken(lambda v: site.pattern.at(1, v), [1, 2]),
        "Edge.at.positions": Taken(edge.at, [1, 2]),
        "Sweep.top.k": Taken(sweep.top, 3),
        "Sweep.ci.level": Taken(sweep.ci, 0.5),
        "Sweep.ci.n_resamples": Taken(lambda v: sweep.ci(n_resamples=v), 20),
        "Sweep.ci.seed": Taken(lambda v: sweep.ci(seed=v), 3),
        "Sweep.pvalue.n_permutations": Taken(lambda v: sweep.pvalue(n_permutations=v), 20),
        "Sweep.pvalue.seed": Taken(lambda v: sweep.pvalue(seed=v), 3),
        "SweepStream.result.timeout": Taken(lambda v: board.sweep_async("head").result(v).values, 64.0),
        "LogitLens.tokens.prompt": Taken(lens.tokens, 1),
        "LogitLens.to_dataframe.prompt": Taken(lens.to_dataframe, 1),
        "DirectLogitAttribution.top.k": Taken(dla.top, 3),
        "SelfRepair.risers.k": Taken(repair.risers, 3),
        "StateComparison.tokens.k": Taken(states.tokens, 3),
        "StateComparison.tokens.prompt": Taken(lambda v: states.tokens(prompt=v), 1),
        "StateComparison.token_changes.k": Taken(lambda v: states.token_changes(v, 0), 3),
        "StateComparison.token_changes.prompt": Taken(lambda v: states.token_changes(2, v), 1),
        "head.layer": Taken(lambda v: cb.head(v, 1), 2),
        "head.head": Taken(lambda v: cb.head(1, v), 2),
        "neuron.layer": Taken(lambda v: cb.neuron(v, 1), 2),
        "neuron.index": Taken(lambda v: cb.neuron(1, v), 2),
        "tasks.from_table.table": Taken(lambda v: table_of(v, model), CLEAN.tolist()),
        "tasks.from_table.labels": Taken(
            lambda v: (
                cb.tasks.from_table([{"clean": [5, 6], "answer": 1, "A": 0, "B": 1}], model=model, labels=v).labels
            ),
            ["A", "B"],
        ),
    }
    for name in ("attn_out", "mlp_out", "resid_pre", "resid_mid", "resid_post"):
        found[f"{name}.layer"] = Taken(getattr(cb, name), 2)
    for name, place in (("Site", site), ("Edge", edge)):
        found |= {
            f"{name}.resample.seed": Taken(place.resample, 3),
            f"{name}.patch.from_": Taken(lambda v, place=place: place.at([1, 2]).patch(from_=v), [2, 3]),
            f"{name}.scale.factor": Taken(place.scale, 0.5),
            f"{name}.add.vector": Taken(place.add, [0.5, 1.0, -2.0]),
            f"{name}.add.scale": Taken(lambda v, place=place: place.add([1.0], v), 0.5),
            f"{name}.set.values": Taken(place.set, [0.5, 1.0, -2.0]),
        }
    for name in ("sweep", "sweep_async", "compare_states", "compare"):
        for argument in ("layers", "positions"):
            run = {
                "sweep": lambda **o: board.sweep("head", **o),
                "sweep_async": lambda **o: board.sweep_async("head", **o).result().values,
                "compare_states": lambda **o: board.compare_states(over="head", **o).effects,
                "compare": lambda **o: board.compare({"a": CORRUPTED, "b": CORRUPTED.flip(0)}, **o).table,
            }[name]
            found[f"Board.{name}.{argument}"] = Taken(
                lambda v, run=run, argument=argument: run(**in_numbers(**{argument: v})), [0, 2]
            )
    for name in cb.tasks.__all__:
        for argument, value in (("n", 3), ("seed", 3), ("length", 6)):
            task = getattr(cb.tasks, name)
            if argument in inspect.signature(task).parameters:
                found[f"tasks.{name}.{argument}"] = Taken(
                    lambda v, name=name, argument=argument: a_task(name, **{argument: v}), value
                )
    return found


def pair_of_a_task():
    return cb.tasks.induction(3, model=tiny("native"))


def a_task(name: str, **arguments: Any) -> Any:
    """The prompts of a task, or why this tokenizer has none: the same words for the same number."""
    model = tiny("native")
    options = {"n": 3, "model": model} | arguments
    n = options.pop("n")
    try:
        made = cb.tasks.make("induction", n, **options) if name == "make" else getattr(cb.tasks, name)(n, **options)
    except cb.CircuitboardError as refused:
        return refused.code
    return made.clean_tokens, made.recipe


def pair_table(model):
    bound = pair()
    bound.bind(model)
    return bound.table


def table_of(rows: Any, model) -> Any:
    return cb.tasks.from_table([{"clean": row, "answer": 1} for row in rows], model=model).clean_tokens


def equivalents(value: Any) -> list[Any]:
    """The same value as other libraries hold it."""
    if isinstance(value, int):
        return [np.int64(value), np.array([value]), torch.tensor(value), torch.tensor([value]), pd.Series([value])]
    if isinstance(value, float):
        return [np.float32(value), np.float64(value), np.array(value), torch.tensor(value), pd.Series([value])]
    if isinstance(value[0], list):
        return [np.array(value), torch.tensor(value), pd.Series(value, index=range(5, 5 + len(value))), list(map(np.array, value)), list(map(torch.tensor, value))]  # fmt: skip
    shifted = range(5, 5 + len(value))  # an index that is not 0, 1, …
    found = [tuple(value), pd.Series(value, index=shifted)]
    if not isinstance(value[0], str | int | float):
        return found
    found += [np.array(value), pd.Index(value)]
    return found if isinstance(value[0], str) else [*found, torch.tensor(value), [np.array(entry) for entry in value]]


def told(result: Any) -> Any:
    """A result as something that can be compared."""
    if isinstance(result, pd.DataFrame):
        return result.to_json()
    if isinstance(result, torch.Tensor):
        return result.tolist().__repr__()
    if isinstance(result, cb.Outcome):
        return told(result.values), tuple(map(str, result.receipts))
    if isinstance(result, (tuple, list)):
        return tuple(map(told, result))
    if isinstance(result, (cb.Sweep, DirectLogitAttribution, LogitLens, AttentionPattern)):
        return told(result.to_dataframe())
    return repr(result)


def test_every_public_number_and_list_is_tried_or_has_a_reason(made):
    asked = {name for name in parameters() if name not in EXEMPT and name.rsplit(".", 1)[0] not in MADE}
    tried = cases(made).keys()
    assert asked - tried == set()
    assert tried - parameters().keys() == set()
    assert EXEMPT.keys() - parameters().keys() == set()


def test_each_of_them_takes_what_other_libraries_hold(made):
    for name, case in cases(made).items():
        expected = told(case.call(case.value))
        for given in equivalents(case.value):
            assert told(case.call(given)) == expected, (name, given)


def test_none_of_them_takes_a_bool_for_a_number_or_a_float_for_a_whole_one(made):
    for name, case in cases(made).items():
        if name.startswith("tasks."):
            continue  # below: a task that does not suit the tokenizer says that first
        wrong = [] if case.bools else [True, np.True_, torch.tensor(True), np.array([True])]
        if isinstance(case.value, int):
            wrong += [float(case.value), np.float64(case.value), torch.tensor(float(case.value)), "2", None.__class__]
        for given in wrong:
            with pytest.raises(cb.CircuitboardError):
                pytest.fail(f"{name} took {given!r}: {case.call(given)!r:.80}")


@pytest.mark.parametrize("given", [True, np.True_, 3.0, torch.tensor(3.0), "3"], ids=repr)
@pytest.mark.parametrize("argument", ["n", "seed", "length"])
def test_no_task_takes_them_either(given, argument):
    with pytest.raises(cb.CircuitboardError):
        cb.tasks.induction(**{"n": 3, "model": tiny("native")} | {argument: given})
