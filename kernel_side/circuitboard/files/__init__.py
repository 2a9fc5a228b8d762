"""What a saved board's file is made of: edits, the tree of states, functions as text; and how bytes come to the disk."""

from circuitboard.files.disk import require_place, write
from circuitboard.files.edits import EditReader, EditWriter, rows_in
from circuitboard.files.functions import (
    MetricsGiven,
    changed_texts,
    functions_of,
    load_call,
    metrics_in,
    variable_of,
)
from circuitboard.files.kept_name import KeptName, new_name
from circuitboard.files.plain import path_of, plain, shown_path, why
from circuitboard.files.quota import age, files, prune
from circuitboard.files.states import FEWEST, SavedTree, saved_tree, tree_in

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
