"""What a task tells about itself, and the one list of tasks that is made of it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec

from circuitboard.address import single, whole
from circuitboard.boundary import public
from circuitboard.errors import PromptError
from circuitboard.words import nearest

if TYPE_CHECKING:
    from circuitboard.prompts.pair import PromptPair

P = ParamSpec("P")

MOST = 10_000
"""More prompts than anybody sweeps over."""

_SHARED = """
Arguments that every task has
-----------------------------
n
    Number of prompts, all different.
seed
    The same seed gives the same prompts; the clean ones do not depend on the corruption.
model
    The model whose tokenizer the prompts are for. Words that are not one token for it are left out; `pair.notes`
    tells which and how many.
corruption
{corruptions}
prepend_bos
    None for TransformerLens's default for this model.

Returns
-------
PromptPair
    Bound to `model`, with `recipe` and `notes`.

Raises
------
PromptError
    `bad_task_size`, `unknown_corruption`, `bad_task_option`, `no_tokenizer`, `task_unsuitable` with the reason,
    `prompt_too_long`.
"""


@dataclass(frozen=True)
class Task:
    """A task: the function that makes its prompts, and what there is to know about it.

    Attributes
    ----------
    name
        As in `cb.tasks.<name>`.
    make
        The function.
    asks
        What is asked, in one line, with the answer.
    source
        The paper or post it comes from.
    corruptions
        Name → what the corrupted prompts are; the first is the default.
    """

    name: str
    make: Callable[..., PromptPair]
    asks: str
    source: str
    corruptions: Mapping[str, str]

    @property
    def options(self) -> tuple[str, ...]:
        """Arguments of this task alone."""
        shared = {"n", "seed", "model", "corruption", "prepend_bos"}
        return tuple(name for name in inspect.signature(self.make).parameters if name not in shared)


TASKS: dict[str, Task] = {}


def task(
    *, asks: str, source: str, corruptions: Mapping[str, str]
) -> Callable[[Callable[P, PromptPair]], Callable[P, PromptPair]]:
    """Make a function one of `TASKS`, and complete its docstring with what all tasks share."""

    def register(make: Callable[P, PromptPair]) -> Callable[P, PromptPair]:
        name = make.__name__

        @public
        @functools.wraps(make)
        def made(*args: P.args, **kwargs: P.kwargs) -> PromptPair:
            return make(*map(single, args), **{name: single(given) for name, given in kwargs.items()})

        TASKS[name] = Task(name, made, asks, source, corruptions)
        listed = "\n".join(
            f"    {key!r}{' (default)' if i == 0 else ''}: {text}." for i, (key, text) in enumerate(corruptions.items())
        )
        made.__doc__ = (
            f"{inspect.cleandoc(make.__doc__ or asks)}\n\n{source}.\n{_SHARED.format(corruptions=listed)}".rstrip()
        )
        return made

    return register


def task_named(name: object) -> Task:
    """The task of this name.

    Raises
    ------
    PromptError
        `unknown_task`.
    """
    if not isinstance(name, str) or name not in TASKS:
        raise PromptError(
            f"There is no task {name!r:.60}.{_near(name, TASKS)} There are {', '.join(sorted(TASKS))} (cb.tasks.list() describes them).",
            code="unknown_task",
        )
    return TASKS[name]


def check_size(n: object) -> int:
    """Refuse a number of prompts that is none, or more than anybody sweeps over.

    Raises
    ------
    PromptError
        `bad_task_size`.
    """
    found = whole(n)
    if found is None or not 1 <= found <= MOST:
        raise PromptError(f"A task makes between 1 and {MOST} prompts, not {n!r:.60}.", code="bad_task_size")
    return found


def check_choice(name: str, given: object, choices: tuple[object, ...] | Mapping[str, str], code: str) -> None:
    """Refuse an option that is none of its choices."""
    if not any(given is one or (type(given) is type(one) and given == one) for one in choices):
        raise PromptError(
            f"{name} must be one of {', '.join(repr(one) for one in choices)}, not {given!r:.60}.{_near(given, choices)}",
            code=code,
        )


def _near(given: object, names: Iterable[object]) -> str:
    close = nearest(given, [name for name in names if isinstance(name, str)])
    return "" if close is None else f" Did you mean {close!r}?"
