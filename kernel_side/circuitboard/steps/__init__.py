"""Which edits act, how they came to be, and what a step changes. Values; nothing here computes with a model."""

from circuitboard.steps.history import Change, History, Node, Step
from circuitboard.steps.state import Base, BoardState, Edit

__all__ = ["Base", "BoardState", "Change", "Edit", "History", "Node", "Step"]
