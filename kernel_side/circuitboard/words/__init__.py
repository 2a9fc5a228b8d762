"""The words of the field, and what to type here for each: behind refusals of names, and attributes not there."""

from circuitboard.words.attributes import Told, no_such_name
from circuitboard.words.near import instead, nearest
from circuitboard.words.table import FIELD, Meant, Word

__all__ = ["FIELD", "Meant", "Told", "Word", "instead", "nearest", "no_such_name"]
