"""The hooks that a user has on a model: of TransformerLens and of torch, permanent or not.

They are part of what the model computes. TransformerLens and Transformers have some of their own, by which they note
what passes by; those are machinery, come with the first forward pass, and are no hooks of the user's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch.nn import Module

TABLES = ("_forward_pre_hooks", "_forward_hooks")
"""Where torch keeps the hooks of a module that act in a forward pass."""

BACKWARD_TABLES = ("_backward_pre_hooks", "_backward_hooks")
"""Where it keeps those that rewrite gradients."""

_GLOBAL = (
    torch.nn.modules.module._global_forward_pre_hooks,  # noqa: SLF001  torch offers no other way to see them
    torch.nn.modules.module._global_forward_hooks,  # noqa: SLF001
)
"""Hooks that torch calls in every module."""

_MAKES_WEIGHTS = "torch.nn.utils."

_MACHINERY = ("transformer_lens.", "transformers.")


def global_hooks() -> tuple[Any, ...]:
    """The user's hooks that torch calls in every module; those by which torch itself counts and traces are none."""
    found = [hook for table in _GLOBAL for hook in table.values()]
    return tuple(hook for hook in found if not _module(hook).startswith(("torch.", *_MACHINERY)))


def global_backward_hooks() -> bool:
    """Whether torch calls hooks on gradients in every module."""
    return any(getattr(torch.nn.modules.module, f"_global{table}") for table in BACKWARD_TABLES)


def hooks_of(module: Module, table: str) -> Iterator[Any]:
    """The user's hooks in one table of a module, in order."""
    return (hook for hook, _ in _hooks_and_functions(module, table))


def functions_of(module: Module) -> Iterator[Any]:
    """The functions that the user gave as hooks of a module."""
    return (function for table in TABLES for _, function in _hooks_and_functions(module, table))


def _hooks_and_functions(module: Module, table: str) -> Iterator[tuple[Any, Any]]:
    found = getattr(module, table)
    if not found:
        return
    # On a hook point TransformerLens wraps whatever function it was given, a user's or one of its own.
    given = {handle.hook.id: getattr(handle, "user_hook", None) for handle in getattr(module, "fwd_hooks", ())}
    for key, hook in found.items():
        function = given.get(key) or hook
        if (key in given and function is hook) or not _module(function).startswith(_MACHINERY):
            yield hook, function


def _module(function: Any) -> str:
    return str(getattr(getattr(function, "func", function), "__module__", ""))


def hooked_modules(parts: Iterable[tuple[str, Module]]) -> tuple[tuple[str, Module], ...]:
    """Those of these modules that carry hooks of the user's, with their names.

    What prunes or normalises a weight before it is used is no such hook: it makes the weight what it is.
    """
    return tuple(part for part in parts if any(any(_rewriting(part[1], table)) for table in TABLES))


def _rewriting(module: Module, table: str) -> Iterator[int]:
    """The ids of the user's hooks that rewrite what passes by."""
    return (id(hook) for hook in hooks_of(module, table) if not _module(hook).startswith(_MAKES_WEIGHTS))


@contextmanager
def hooks_off(model: Module) -> Iterator[None]:
    """A copy of the user's model without the user's hooks, until the end of the block."""
    taken: list[tuple[Any, list[tuple[Any, Any]]]] = []
    for module in model.modules():
        for table in TABLES:
            found = getattr(module, table)
            theirs = set(_rewriting(module, table))
            if theirs:
                taken.append((found, list(found.items())))
                for key, hook in taken[-1][1]:
                    if id(hook) in theirs:
                        del found[key]
    try:
        yield
    finally:
        for found, entries in taken:
            found.clear()
            found.update(entries)
