"""How a task's prompts were made, so that they can be made again, or with another corruption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from circuitboard.address import ByContent
from circuitboard.boundary import public


@public
@dataclass(frozen=True, eq=False)
class Recipe(ByContent):
    """The call of a task that made a `PromptPair`.

    Attributes
    ----------
    task
        Its name, as in `cb.tasks.<name>`.
    arguments
        Everything it was called with but the model, defaults included: n, seed, corruption, prepend_bos and the task's
        own options. Plain values, as JSON has them.
    """

    task: str
    arguments: Mapping[str, Any]

    def vary(self, **changes: Any) -> Recipe:
        """The same call with some arguments changed: `recipe.vary(corruption="abc")`."""
        return Recipe(self.task, {**self.arguments, **changes})

    def __str__(self) -> str:
        """The call as Python, for a variable `model`."""
        first = ("n", "seed")
        rest = [f"{name}={value!r}" for name, value in self.arguments.items() if name not in first]
        arguments = [repr(self.arguments["n"]), f"seed={self.arguments['seed']!r}", "model=model", *rest]
        return f"cb.tasks.{self.task}({', '.join(arguments)})"
