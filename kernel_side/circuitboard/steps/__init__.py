"""Which edits act, how they came to be, and what a step changes. Values; nothing here computes with a model."""

from circuitboard.steps.history import History, Node
from circuitboard.steps.state import Base, BoardState, Edit

__all__ = ["Base", "BoardState", "Edit", "History", "Node"]
