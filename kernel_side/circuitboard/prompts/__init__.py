"""Prompts: pairs of clean and corrupted text, their answers, and tasks that generate them."""

from circuitboard.prompts import tasks
from circuitboard.prompts.answer_sets import AnswerSets
from circuitboard.prompts.pair import PromptPair
from circuitboard.prompts.prompts import Prompts

__all__ = ["AnswerSets", "PromptPair", "Prompts", "tasks"]
