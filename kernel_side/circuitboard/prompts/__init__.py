"""Prompts: pairs of clean and corrupted text, their answers, and tasks that generate them."""

from circuitboard.prompts import tasks
from circuitboard.prompts.pair import PromptPair
from circuitboard.prompts.prompts import Prompts

__all__ = ["PromptPair", "Prompts", "tasks"]
