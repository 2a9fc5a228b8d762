"""The error tree: everything Circuitboard refuses, it refuses with one of these.

Every error carries a stable `code` for programs (and for the wire) and a message that says what was
asked, what was found and what to do. New kinds of refusal get a new code, not a new class: the
classes only separate who has to act.
"""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


class CircuitboardError(Exception):
    """Base of all errors raised by Circuitboard.

    Parameters
    ----------
    message
        One or two sentences: what was asked, what was found, what to do.
    code
        Stable identifier in snake_case, part of the public contract.
    where
        The place it is about, in the words of the UI ("9.6", "resid_pre 5 @ 12"), if there is one.
    """

    default_code = "error"

    def __init__(self, message: str, *, code: str | None = None, where: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.where = where

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: the user's own lines and the message; `cb.full_tracebacks = True` shows all."""
        from circuitboard.users_lines import rendered

        return rendered(self)


class CallError(CircuitboardError, TypeError):
    """Arguments that a call does not take: Python's own refusal, with the way in which it is called."""

    default_code = "bad_call"


class AddressError(CircuitboardError):
    """A site, layer, head or position that does not exist in this model or prompt."""

    default_code = "bad_address"


class PromptError(CircuitboardError):
    """Prompts or answers that cannot be compared as asked."""

    default_code = "bad_prompt"


class ModelError(CircuitboardError):
    """A model that cannot be loaded, or that cannot do what was asked of it."""

    default_code = "bad_model"


class InterventionError(CircuitboardError):
    """An intervention that would do nothing, or that is not defined here."""

    default_code = "bad_intervention"


class MetricError(CircuitboardError):
    """A metric that is unknown or that returned something unusable."""

    default_code = "bad_metric"


class EngineError(CircuitboardError):
    """A computation that could not be carried out exactly."""

    default_code = "engine_failed"


class SessionFileError(CircuitboardError):
    """A saved board that cannot be read or does not fit this model."""

    default_code = "bad_session_file"


class ProtocolError(CircuitboardError):
    """A message from a view that is unknown or ill-typed."""

    default_code = "bad_message"


class Cancelled(CircuitboardError):
    """The computation was stopped because something newer, or the user, asked for it."""

    default_code = "cancelled"


class NoSuchName(CircuitboardError, AttributeError):
    """An attribute that is not there; the message says what to type instead."""

    default_code = "no_such_name"


class StillComputing(CircuitboardError, TimeoutError):
    """What was waited for takes longer than one wanted to wait; it goes on."""

    default_code = "still_computing"


def there(value: T | None) -> T:
    """A value that cannot be None where it is read; that it is None all the same is a mistake of Circuitboard's."""
    if value is None:
        raise EngineError(
            "What was counted on is not there: it is a mistake of Circuitboard's. Please report it with the traceback that cb.full_tracebacks = True shows. The board is as it was.",
            code="unexpected",
        )
    return value
