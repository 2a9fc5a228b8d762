"""What users call: one mark, on functions and on whole classes.

`@public` keeps names, signatures, docstrings and types, and costs a fraction of a microsecond. What leaves the call is
its result, a `CircuitboardError`, or an interrupt; every other error is the `__cause__` of one of ours. Calls of ours
among themselves pass errors on as they are, so only the call that the user made names itself.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from circuitboard.boundary.memory import another_name_for_memory
from circuitboard.boundary.stack import enclosed, inside
from circuitboard.boundary.text import own_text
from circuitboard.boundary.torch_state import plain_torch, unusual_torch
from circuitboard.boundary.typed import typed, was_interrupt, wrong_call
from circuitboard.errors import CircuitboardError

T = TypeVar("T")

_PROTOCOLS = frozenset({"__init__", "__call__", "__iter__", "__len__", "__contains__", "__repr__", "__str__"})
"""Special methods that are calls; of the others Python itself expects certain errors, or they cannot fail."""

_SHOWING = ("_repr_", "_display_", "_ipython_display_")
"""How notebooks ask an object to show itself."""


def public(thing: T) -> T:
    """Mark a function, or a class with all its public methods and properties and those of its bases in this package."""
    if isinstance(thing, type):
        for kind in thing.__mro__:
            if kind.__module__.partition(".")[0] == __package__.partition(".")[0]:
                _guard_class(kind)
        return thing
    return _guarded(thing)  # type: ignore[return-value, arg-type]


def is_public(call: object) -> bool:
    """Whether a function, property, class or static method is marked."""
    if isinstance(call, property):
        return all(is_public(part) for part in (call.fget, call.fset, call.fdel) if part is not None)
    if isinstance(call, functools.cached_property):
        return is_public(call.func)
    if isinstance(call, (staticmethod, classmethod)):
        return is_public(call.__func__)
    return getattr(call, "__public__", False) is True


def wants_mark(name: str) -> bool:
    """Whether a name in a class is one that users call."""
    return not name.startswith("_") or name in _PROTOCOLS or name.startswith(_SHOWING)


def _guard_class(kind: type) -> None:
    for name, member in tuple(vars(kind).items()):
        if not wants_mark(name) or is_public(member):
            continue
        if isinstance(member, property):
            get, put, drop = (
                None if part is None else _guarded(part, kind) for part in (member.fget, member.fset, member.fdel)
            )
            setattr(kind, name, property(get, put, drop, member.__doc__))
        elif isinstance(member, functools.cached_property):
            member.func = _guarded(member.func, kind)
        elif isinstance(member, (staticmethod, classmethod)):
            setattr(kind, name, type(member)(_guarded(member.__func__, kind)))
        elif inspect.isfunction(member):
            setattr(kind, name, _guarded(member, kind))


def _guarded(call: Callable[..., Any], owner: type | None = None) -> Callable[..., Any]:
    if is_public(call):
        return call
    if inspect.isgeneratorfunction(call):
        guarded = _generator(call, owner)
    elif call.__code__.co_filename == "<string>":
        guarded = _value(call, owner)
    else:
        guarded = _call(call, owner)
    guarded.__public__ = True  # type: ignore[attr-defined]
    return guarded


def _call(call: Callable[..., Any], owner: type | None) -> Callable[..., Any]:
    @functools.wraps(call)
    @inside
    def public_call(*args: Any, **kwargs: Any) -> Any:
        try:
            args = tuple(map(own_text, args))
            if kwargs:
                kwargs = {name: own_text(value) for name, value in kwargs.items()}
            if unusual_torch():
                with plain_torch():
                    return call(*args, **kwargs)
            return call(*args, **kwargs)
        except Exception as error:
            told = _told(error, call, owner, args, kwargs)
            if told is None:
                raise
            raise told from error

    return public_call


def _value(call: Callable[..., Any], owner: type | None) -> Callable[..., Any]:
    """What `dataclass` wrote: called a million times in a large sweep, and with nothing in it that torch could change."""

    @functools.wraps(call)
    @inside
    def public_call(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except Exception as error:
            told = _told(error, call, owner, args, kwargs)
            if told is None:
                raise
            raise told from error

    return public_call


def _generator(call: Callable[..., Generator[Any, Any, Any]], owner: type | None) -> Callable[..., Any]:
    @functools.wraps(call)
    @inside
    def public_call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        try:
            return (yield from call(*args, **kwargs))
        except Exception as error:
            told = _told(error, call, owner, args, kwargs)
            if told is None:
                raise
            raise told from error

    return public_call


def _told(
    error: Exception, call: Callable[..., Any], owner: type | None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> BaseException | None:
    """What leaves a public call in an error's place; None for one that is ours already, or that a call of ours made."""
    if isinstance(error, CircuitboardError) and not another_name_for_memory(error):
        return None
    if enclosed(sys._getframe(2)):  # noqa: SLF001  two frames up is who made the call
        return None
    if was_interrupt(error):
        return KeyboardInterrupt()
    asked = _asked(call, owner, args)
    if isinstance(error, TypeError) and not _takes(call, args, kwargs):
        return wrong_call(error, asked, call, method=_takes_object(call, owner))
    return typed(error, asked)


def _takes_object(call: Callable[..., Any], owner: type | None) -> bool:
    """Whether the first argument is the object that a method is called on; static methods have none."""
    return owner is not None and not isinstance(inspect.getattr_static(owner, call.__name__, None), staticmethod)


def _takes(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    try:
        inspect.signature(call).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def _asked(call: Callable[..., Any], owner: type | None, args: tuple[Any, ...]) -> str:
    """The call as users write it: a method by the class of its object, whichever base it comes from."""
    if owner is None:
        return call.__name__
    given = args[0] if args else None
    kind = given if isinstance(given, type) else type(given) if isinstance(given, owner) else owner
    return kind.__name__ if call.__name__.startswith("__") else f"{kind.__name__}.{call.__name__}"
