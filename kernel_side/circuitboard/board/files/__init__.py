"""What a saved board's file is made of: edits, the tree of states, functions as text; and how bytes come to the disk."""

from circuitboard.board.files.disk import require_place, write
from circuitboard.board.files.edits import EditReader, EditWriter, numpy_little, rows_in
from circuitboard.board.files.functions import (
    MetricsGiven,
    changed_texts,
    functions_of,
    load_call,
    metrics_in,
    variable_of,
)
from circuitboard.board.files.kept_name import KeptName, new_name
from circuitboard.board.files.plain import path_of, plain, shown_path, why
from circuitboard.board.files.quota import age, files, prune
from circuitboard.board.files.states import FEWEST, SavedTree, saved_tree, tree_in

__all__ = [
    "FEWEST",
    "EditReader",
    "EditWriter",
    "KeptName",
    "MetricsGiven",
    "SavedTree",
    "age",
    "changed_texts",
    "files",
    "functions_of",
    "load_call",
    "metrics_in",
    "new_name",
    "numpy_little",
    "path_of",
    "plain",
    "prune",
    "require_place",
    "rows_in",
    "saved_tree",
    "shown_path",
    "tree_in",
    "variable_of",
    "why",
    "write",
]
