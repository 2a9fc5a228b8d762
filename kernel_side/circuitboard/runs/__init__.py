"""Forward passes that are kept: the clean run and the corrupted run."""

from circuitboard.runs.cached_run import CachedRun, record_run

__all__ = ["CachedRun", "record_run"]
