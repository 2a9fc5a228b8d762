"""Tasks: data sets of prompt pairs with known answers, made for the tokenizer of a given model.

`cb.tasks.<name>(n, seed=0, model=model, corruption=…)` makes `n` different pairs. The clean prompts, their answers and
labels depend on the seed alone, so that corruptions of the same seed can be compared prompt by prompt. What does not
suit the tokenizer is left out, and `pair.notes` says what and why.
"""

from __future__ import annotations

from typing import NoReturn

from circuitboard.prompts.tasks.a_an import a_an
from circuitboard.prompts.tasks.acronyms import acronyms
from circuitboard.prompts.tasks.brackets import brackets
from circuitboard.prompts.tasks.capitals import capitals
from circuitboard.prompts.tasks.catalogue import corruptions, make, vary
from circuitboard.prompts.tasks.catalogue import list_tasks as list  # noqa: A004 - cb.tasks.list() is the public name
from circuitboard.prompts.tasks.docstring import docstring
from circuitboard.prompts.tasks.gendered_pronoun import gendered_pronoun
from circuitboard.prompts.tasks.greater_than import greater_than
from circuitboard.prompts.tasks.induction import induction
from circuitboard.prompts.tasks.ioi import ioi
from circuitboard.prompts.tasks.subject_verb_agreement import subject_verb_agreement
from circuitboard.prompts.tasks.successor import successor
from circuitboard.prompts.tasks.table import from_table
from circuitboard.words import no_such_name

__all__ = [
    "a_an",
    "acronyms",
    "brackets",
    "capitals",
    "corruptions",
    "docstring",
    "from_table",
    "gendered_pronoun",
    "greater_than",
    "induction",
    "ioi",
    "list",
    "make",
    "subject_verb_agreement",
    "successor",
    "vary",
]


def __getattr__(name: str) -> NoReturn:
    raise no_such_name("cb.tasks", name, "tasks", __all__)
