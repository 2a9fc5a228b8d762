"""Forward passes that are kept: the clean run, the corrupted run, and any other that edits take activations from."""

from circuitboard.runs.cached_run import CachedRun, record_run
from circuitboard.runs.origin import Origin
from circuitboard.runs.run import Run

__all__ = ["CachedRun", "Origin", "Run", "record_run"]
