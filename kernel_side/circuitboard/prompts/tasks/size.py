"""How many prompts a task is asked for."""

from __future__ import annotations

from circuitboard.errors import PromptError

MOST = 10_000


def check_size(n: object) -> int:
    """Refuse a number of prompts that is none, or more than anybody sweeps over."""
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST:
        raise PromptError(f"A task makes between 1 and {MOST} prompts, not {n!r}.", code="bad_task_size")
    return n
