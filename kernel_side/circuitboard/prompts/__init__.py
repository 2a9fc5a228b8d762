"""Prompts: pairs of clean and corrupted text, their answers, and tasks that generate them."""

from circuitboard.prompts import tasks
from circuitboard.prompts.answer_sets import AnswerSets
from circuitboard.prompts.binding import spread_over
from circuitboard.prompts.pair import PromptPair
from circuitboard.prompts.prompts import Layout, Prompts, Side

__all__ = ["AnswerSets", "Layout", "PromptPair", "Prompts", "Side", "spread_over", "tasks"]
