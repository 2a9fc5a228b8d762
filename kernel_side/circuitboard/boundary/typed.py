"""What becomes of an error that is not ours when it reaches the user."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable
from typing import Any

from circuitboard.boundary.memory import another_name_for_memory, out_of_memory, own_words, ran_out_of_memory
from circuitboard.errors import CallError, CircuitboardError, EngineError
from circuitboard.words import instead

_MOST_WORDS = 300
"""Characters of a foreign message that are repeated; all of it is in the chained cause."""

_OURS = "circuitboard"

_KNOWN: dict[type[Exception], tuple[str, str]] = {
    ImportError: (
        "missing_package",
        "needs a package that cannot be imported here: {words}. Install it in the kernel's environment and restart the kernel.",
    ),
    OSError: (
        "system_error",
        "was refused by the system: {words}. Check the name, the rights and the free space; nothing was changed.",
    ),
    RecursionError: (
        "too_deep",
        "was nested too deeply: {words}. A value that contains itself, or a function that calls back, has no end.",
    ),
}
"""Kinds of errors whose remedy is known: code, and what to say after the name of the call."""


def typed(error: BaseException, asked: str) -> CircuitboardError:
    """The error to raise `from` another that left a call of ours; those that are ours stay as they are.

    Unless they come from memory that ran out and say something else, as code does that had reason to expect another
    failure there.

    Parameters
    ----------
    asked
        What the user called: "Board.sweep".
    """
    if isinstance(error, CircuitboardError) and not another_name_for_memory(error):
        return error
    if ran_out_of_memory(error):
        # A notebook keeps its last error, and with it all that the frames of the computation hold.
        traceback.clear_frames(error.__traceback__)
        said = own_words(error)
        return out_of_memory(f"{asked}(…)") if said is None else EngineError(said.message, code=said.code)
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    words = f"{words[:_MOST_WORDS]}…" if len(words) > _MOST_WORDS else words
    for kind, (code, text) in _KNOWN.items():
        if isinstance(error, kind):
            return EngineError(f"{asked}(…) {text.format(words=words)}", code=code)
    library = _library(error)
    if library == "__main__":
        return EngineError(
            f"{asked}(…) was not carried out: code of yours that it called raised {words}. The board is as it was.",
            code="yours_raised",
        )
    if library != _OURS:
        return EngineError(
            f"{asked}(…) was not carried out: {library} raised {words}. If the model alone, called on these tokens, raises this too, it is the model's; else try Board(engine='hooked'), and tell us. The board is as it was.",
            code="foreign_error",
        )
    return EngineError(
        f"{asked}(…) was not carried out: {words}. Check what was given against help(cb.{asked}); if that is right, it is a mistake of Circuitboard's: please report it with the error that is chained here. The board is as it was.",
        code="unexpected",
    )


def was_interrupt(error: BaseException) -> bool:
    """Whether an error is what is left of an interrupt that came while Python's own library changed hands on a lock."""
    return (
        isinstance(error, RuntimeError)
        and isinstance(error.__context__, KeyboardInterrupt)
        and str(error) in ("release unlocked lock", "cannot release un-acquired lock")
    )


def wrong_call(error: TypeError, asked: str, call: Callable[..., Any], *, method: bool) -> CallError:
    """The error for arguments that a public call does not take; a method's own object is not among what is given."""
    signature = inspect.signature(call)
    plain = [
        parameter.replace(annotation=parameter.empty) for parameter in list(signature.parameters.values())[method:]
    ]
    text = re.sub(r"^[\w.<>]*\(\)", f"{asked}()", str(error)).rstrip(".")
    hint = ""
    if (unknown := re.search(r"unexpected keyword argument '(\w+)'", text)) is not None:
        hint = instead("argument", unknown[1], [parameter.name for parameter in plain])
    elif "positional argument" in text and "takes" in text:
        hint = _named(plain)
    hint += instead("call", asked)
    called = signature.replace(parameters=plain, return_annotation=signature.empty)
    return CallError(f"{text}. It is called {asked}{called}.{hint}")


def _named(parameters: list[inspect.Parameter]) -> str:
    """What to do with arguments that were given by their place and have none."""
    named = [f"{one.name}=…" for one in parameters if one.kind is one.KEYWORD_ONLY]
    return f" Given by name: {', '.join(named)}." if named else ""


def _library(error: BaseException) -> str:
    """The package whose code raised an error."""
    trace, name = error.__traceback__, _OURS
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__") or _OURS)
        trace = trace.tb_next
    return name.partition(".")[0]
