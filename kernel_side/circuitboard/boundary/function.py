"""A user's function that is called later, looked at when it is given: later nobody is there to be told."""

from __future__ import annotations

import inspect

from circuitboard.errors import InterventionError


def require_function(given: object, what: str, *, code: str = "bad_listener") -> None:
    """Refuse what cannot be called, and what would only make a coroutine that nobody awaits.

    Parameters
    ----------
    what
        What it is, with its arguments: "A listener is a function of the new state".

    Raises
    ------
    InterventionError
        `code`.
    """
    if not callable(given):
        raise InterventionError(f"{what}, not {given!r:.60}.", code=code)
    if inspect.iscoroutinefunction(given) or inspect.iscoroutinefunction(getattr(given, "__call__", None)):  # noqa: B004
        raise InterventionError(
            f"{what}, and {given!r:.80} is asynchronous: nobody would await it. Give a plain function; from it, "
            "asyncio.run_coroutine_threadsafe(coroutine, loop) starts a coroutine.",
            code=code,
        )
