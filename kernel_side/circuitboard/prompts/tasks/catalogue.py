"""Which tasks there are, and tasks by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuitboard.boundary import public
from circuitboard.errors import PromptError
from circuitboard.prompts.pair import PromptPair
from circuitboard.prompts.tasks.task import TASKS, task_named
from circuitboard.words import instead

if TYPE_CHECKING:
    from pandas import DataFrame
    from transformer_lens.model_bridge import TransformerBridge


@public
def list_tasks() -> DataFrame:
    """List the tasks: one row each, with what it asks, its corruptions (the default first) and where it comes from."""
    from pandas import DataFrame

    rows = [
        {
            "task": task.name,
            "asks": task.asks,
            "corruptions": ", ".join(task.corruptions),
            "options": ", ".join(task.options),
            "source": task.source,
        }
        for _, task in sorted(TASKS.items())
    ]
    return DataFrame(rows).set_index("task")


@public
def make(name: str, n: int, *, model: TransformerBridge, **arguments: Any) -> PromptPair:
    """Make a task's prompts by its name: `make("ioi", 8, model=model, corruption="abc")`.

    A pair's recipe makes it again: `make(pair.recipe.task, model=model, **pair.recipe.arguments)`.

    Raises
    ------
    PromptError
        `unknown_task`, `bad_task_option` for arguments that the task does not have, and what the task raises.
    """
    task = task_named(name)
    known = {"seed", "corruption", "prepend_bos", *task.options}
    if unknown := [argument for argument in arguments if argument not in known]:
        raise PromptError(
            f"The task {name!r} has no argument {', '.join(unknown)}; it has n, model, {', '.join(sorted(known))}.{instead('argument', unknown[0], known)}",
            code="bad_task_option",
        )
    return task.make(n, model=model, **arguments)


@public
def vary(pair: PromptPair, *, model: TransformerBridge, **changes: Any) -> PromptPair:
    """Make a task's pair again with other arguments; with another corruption, the clean prompts stay the same.

    Raises
    ------
    PromptError
        `no_recipe` if no task made the pair, and what `make` raises.
    """
    if not isinstance(pair, PromptPair) or pair.recipe is None:
        raise PromptError(
            "This pair was not made by a task, so it has no corruption to choose; give its corrupted prompts to PromptPair, or use cb.tasks.",
            code="no_recipe",
        )
    recipe = pair.recipe.vary(**changes)
    return make(recipe.task, model=model, **recipe.arguments)


@public
def corruptions(name: str) -> dict[str, str]:
    """What corruptions a task has, the default first: name → what the corrupted prompts are.

    Raises
    ------
    PromptError
        `unknown_task`.
    """
    return dict(task_named(name).corruptions)
