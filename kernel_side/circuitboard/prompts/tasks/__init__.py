"""Tasks: data sets of prompt pairs with known answers, made for the tokenizer of a given model."""

from circuitboard.prompts.tasks.catalogue import list_tasks as list  # noqa: A004 - cb.tasks.list() is the public name
from circuitboard.prompts.tasks.induction import induction
from circuitboard.prompts.tasks.ioi import ioi

__all__ = ["induction", "ioi", "list"]
