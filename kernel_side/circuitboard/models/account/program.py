"""The code that a model runs: functions of its classes and of the files they are from, and what objects have in their place.

A patched `forward`, a rotary embedding replaced in the file that defines it, a hook that reads another number than
before: none of them touches a weight, and each makes another model.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch.nn import functional

from circuitboard.models.account.setting import NO_SETTING, changed_setting, setting, unchanged

_CODE = (FunctionType, BuiltinFunctionType, MethodType, partial, staticmethod, classmethod)

_MAKING = ("__init__", "__setstate__", "register_")
"""How functions are called that make a module and never run in a pass."""

_NOTEBOOK = "__main__"
"""Where functions come and go without being the model's."""


class Program:
    """The code that modules run, to be compared with what it is later.

    Parameters
    ----------
    parts
        Modules and their names.
    hooks
        The user's hooks on them.
    """

    def __init__(self, parts: Sequence[tuple[str, torch.nn.Module]], hooks: Iterable[Any]) -> None:
        kinds = {kind for _, module in parts for kind in type(module).__mro__ if kind is not object}
        replaceable = {type(module): _replaceable(type(module)) for _, module in parts}
        self._objects = tuple(_Object.of(name, module, replaceable[type(module)]) for name, module in parts)
        self._holders = tuple(_holders(parts))
        self._tables = tuple(_Table(where, names, _code(names)) for where, names in _tables(kinds))
        self._hooks = tuple((hook, _reads(hook)) for hook in hooks)

    def changed(self) -> str | None:
        """What is another in the code now, in words; None if nothing is."""
        entries: tuple[_Object | _Holder | _Table, ...] = (*self._objects, *self._holders, *self._tables)
        for entry in entries:
            found = entry.changed()
            if found is not None:
                return found
        for hook, before in self._hooks:
            now = _outside(hook)
            for name, value in before.items():
                found = changed_setting(now, name, value)
                if found is not None:
                    return f"{name}, which a hook of yours reads, {found}"
        return None

    def settle(self) -> None:
        """Leave out what hooks change themselves when they run: they count, or keep what they saw."""
        self._hooks = tuple((hook, unchanged(_outside(hook), before)) for hook, before in self._hooks)


@dataclass(frozen=True, eq=False)
class _Table:
    """Functions that are found by name: in a class, a file or a registry."""

    where: str
    names: Mapping[str, Any]
    before: dict[str, Any]

    def changed(self) -> str | None:
        now = _code(self.names)
        if now == self.before:
            return None
        name = next(name for name in (*self.before, *now) if now.get(name) is not self.before.get(name))
        return f"the function {name} of {self.where} was replaced"


@dataclass(frozen=True, eq=False)
class _Object:
    """What one object has in place of its class's functions, or beside them."""

    name: str
    held: Any
    kind: type
    replaceable: frozenset[str]
    before: dict[str, Any]

    @classmethod
    def of(cls, name: str, held: Any, replaceable: frozenset[str], more: tuple[type, ...] = ()) -> _Object:
        own = {
            key: value for key, value in vars(held).items() if key in replaceable or isinstance(value, (*_CODE, *more))
        }
        return cls(name, held, type(held), replaceable, own)

    def changed(self) -> str | None:
        if type(self.held) is not self.kind:
            return f"the class of {self.name} is another"
        attributes = vars(self.held)
        if not self.before and self.replaceable.isdisjoint(attributes):
            return None
        looked_at = self.before.keys() | (self.replaceable & attributes.keys())
        for key in looked_at:
            if attributes.get(key) is not self.before.get(key):
                return f"the {key} function of {self.name} was replaced"
        return None


@dataclass(frozen=True, eq=False)
class _Holder:
    """An object of a library's through which a module reaches modules, as a bridge reaches the model that it drives."""

    name: str
    attributes: Mapping[str, Any]
    key: str
    inside: _Object

    def changed(self) -> str | None:
        if self.attributes.get(self.key) is not self.inside.held:
            return f"{self.name} was replaced"
        return self.inside.changed()


def _holders(parts: Sequence[tuple[str, torch.nn.Module]]) -> Iterator[_Holder]:
    for name, module in parts:
        for key, value in vars(module).items():
            held = None if isinstance(value, (torch.nn.Module, type)) else getattr(value, "__dict__", None)
            if held and any(isinstance(one, torch.nn.Module) for one in held.values()):
                where = f"{key} of {name}"
                inside = _Object.of(where, value, _replaceable(type(value)), (torch.nn.Module,))
                yield _Holder(where, vars(module), key, inside)


def _replaceable(kind: type) -> frozenset[str]:
    """The names of a class's functions, which an object may have another function for."""
    return frozenset(name for one in kind.__mro__ if one is not object for name in _code(vars(one)))


def _code(names: Mapping[str, Any]) -> dict[str, Any]:
    """Functions by name, but for what torch.compile leaves behind, such as `__resume_at_30_1` and a `Module.__init__`."""
    return {
        name: value
        for name, value in tuple(names.items())
        if isinstance(value, _CODE)
        and not name.startswith(_MAKING)
        and (not name.startswith("__") or name.endswith("__"))
    }


def _tables(kinds: Iterable[type]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Where the functions that these classes call are found by name."""
    files = {functional.__name__: functional}
    for kind in sorted(kinds, key=lambda kind: kind.__qualname__):
        yield kind.__name__, vars(kind)
        if kind.__module__ != _NOTEBOOK and kind.__module__ in sys.modules:
            files[kind.__module__] = sys.modules[kind.__module__]
    registries: dict[int, tuple[str, Mapping[str, Any]]] = {}
    for name, file in files.items():
        yield name.rpartition(".")[2], vars(file)
        for key, value in tuple(vars(file).items()):
            # A plain dict at the top of a file is a table of something else; registries have a class of their own.
            if isinstance(value, MutableMapping) and not isinstance(value, dict):
                registries[id(value)] = (key, value)
    yield from registries.values()


def _reads(hook: Any) -> dict[str, Any]:
    """The settings among what a hook finds outside itself."""
    copies = {name: setting(value) for name, value in _outside(hook).items()}
    return {name: copy for name, copy in copies.items() if copy is not NO_SETTING}


def _outside(hook: Any) -> dict[str, Any]:
    """What a hook finds outside itself, by name: globals, what it closes over, its arguments, attributes that it reads."""
    function = getattr(hook, "func", hook)
    if not isinstance(function, (FunctionType, MethodType)):
        function = getattr(function, "__call__", function)  # noqa: B004  an object that is called: the method that is
    owner, function = getattr(function, "__self__", None), getattr(function, "__func__", function)
    if not isinstance(function, FunctionType):
        return {}
    code = function.__code__
    # Its own methods read for it.
    helpers = (getattr(type(owner), name, None) for name in code.co_names)
    read = {
        *code.co_names,
        *(name for one in helpers if isinstance(one, FunctionType) for name in one.__code__.co_names),
    }
    found = {name: function.__globals__[name] for name in code.co_names if name in function.__globals__}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    given = (*(function.__defaults__ or ()), *getattr(hook, "args", ()))
    found |= {f"argument {position}": value for position, value in enumerate(given)}
    found |= (function.__kwdefaults__ or {}) | getattr(hook, "keywords", {})
    held = {"self": owner, **found}
    return found | {f"{name}.{key}": value for name, one in held.items() for key, value in _attributes(one, read)}


def _attributes(holder: Any, names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """What an object of a user's holds under these names; a module's state is looked at with the model's."""
    if not isinstance(holder, (torch.nn.Module, torch.Tensor, type, ModuleType, *_CODE)):
        attributes = getattr(holder, "__dict__", {})
        yield from ((name, attributes[name]) for name in names if name in attributes)


def modules_of(hooks: Iterable[Any]) -> Iterator[tuple[str, torch.nn.Module]]:
    """Modules that hooks use, such as a sparse dictionary or a probe, by name."""
    for hook in hooks:
        for name, value in _outside(hook).items():
            for one in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(one, torch.nn.Module):
                    yield f"{name} (used by a hook of yours)", one
