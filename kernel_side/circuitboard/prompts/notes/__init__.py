"""What about prompts may not be meant: told, never refused."""

from circuitboard.prompts.notes.note import Note
from circuitboard.prompts.notes.of_prompts import notes_of_prompts, notes_of_texts
from circuitboard.prompts.notes.of_runs import Baseline, notes_of_runs

__all__ = ["Baseline", "Note", "notes_of_prompts", "notes_of_runs", "notes_of_texts"]
