"""What a model was when it was measured, and how it differs from that now.

Numbers of a board are numbers of one model: these weights, these modules, these hooks and settings. An account is a
cheap record of all of them, taken when a board measures, and compared ever after. It has two halves. `written` looks at
the tensors alone (where they lie, how often they were written to) and costs microseconds; `changed` also walks through
the modules and reads a sample of each tensor, which sees replaced parts, hooks, settings, and writes that torch does
not count (`p.data.mul_(…)`, or through numpy).
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.models.account.lock import lock_of
from circuitboard.models.account.program import Program, modules_of
from circuitboard.models.account.setting import NO_SETTING, changed_setting, setting, unchanged
from circuitboard.models.account.tensor_sample import TensorSample
from circuitboard.models.account.user_hooks import TABLES, functions_of, global_hooks, hooked_modules, hooks_of

if TYPE_CHECKING:
    from torch import Tensor

_MOMENTARY = (
    "cache",
    "fired",
    "captur",
    "context_level",
    "last_",
    "seen",
    "training",
    "checkpointing",
    "requires_grad",
    "_hf_",
)
"""Words in names of attributes that say what a module did last, or how it is trained, not what it computes."""

_WRAPPED = "._original_component"
"""What a bridge puts in the name of each part of the model that it wraps."""

_VERSION = operator.attrgetter("_version")
"""Torch's own count of writes in place."""

_CONFIGURATIONS = ("cfg", "config")
"""What modules call the settings that they share."""

_TORCHS_OWN = frozenset(vars(torch.nn.Module()))
"""Attributes that every module has, and that are compared by themselves."""

_DROPOUT = ("dropout", "attention_dropout", "attn_dropout_p")
"""Names under which modules that compute attention keep their rate of dropout."""

_MOST_NAMED = 3
"""Things that a message names, of one sort; more are counted."""


_Parts = Sequence[tuple[str, torch.nn.Module]]
"""Modules, and what a message calls them; two may share a name: a part and what a bridge wraps it in."""


class Account:
    """A model's state, to be compared with what it is later.

    Parameters
    ----------
    model
        Any module; it is held, so that its parts can be compared by identity.

    Attributes
    ----------
    modules
        All modules of the model.
    hooked, hooks
        Those that carry hooks of the user's, and where hooks act, in words.
    lock
        That of the model: nobody puts hooks of ours on it while somebody else holds this.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        self._model = model
        self.lock = lock_of(model)
        own = tuple(_parts([(type(model).__name__, "", model)]))
        hooked = hooked_modules(own)
        self._global_hooks = global_hooks()
        hooks = (*(function for _, module in hooked for function in functions_of(module)), *self._global_hooks)
        used = _parts((name, f"{name}.", module) for name, module in modules_of(hooks))
        parts = tuple({id(module): (name, module) for name, module in (*used, *own)}.values())
        self._modules = tuple(_Entry.of(name, module) for name, module in parts)
        self._configurations = tuple((name, vars(found), _settings(found)) for name, found in _configurations(parts))
        self._program = Program(parts, hooks)
        named = tuple(_tensors(parts))
        self._names = tuple(name for name, _ in named)
        self._tensors = tuple(tensor for _, tensor in named)
        self._counted = tuple(tensor for tensor in self._tensors if not tensor.is_inference())
        self._dtypes = tuple(tensor.dtype for tensor in self._tensors)
        self._marks = self._marked()
        self._versions = self._versioned()
        self._sample: TensorSample | None = TensorSample(self._tensors)
        self._sum = self._sample.sum()
        self.modules = tuple(module for _, module in own)
        self.hooked = tuple(module for _, module in hooked)
        self.hooks = (*(name for name, _ in hooked), *(["every module"] if self._global_hooks else []))

    def written(self) -> str | None:
        """What became of the weights since, as far as that is seen at once; None if nothing did."""
        if self._marked() == self._marks and self._versioned() == self._versions:
            return None
        # What was written to stays so; a sample of memory that nothing else uses any more need not be held.
        self._sample = None
        return self._what_was_written()

    def changed(self) -> str | None:
        """What is another in the model now, in words; None if nothing is."""
        # Meanwhile nobody puts hooks of ours on the user's model.
        with self.lock:
            return self.written() or self._structure()

    def settle(self) -> None:
        """Leave out what runs of the model have changed by themselves: notes that modules and hooks make of what they did."""
        self._modules = tuple(entry.settled() for entry in self._modules)
        self._configurations = tuple(
            (name, attributes, unchanged(attributes, settings)) for name, attributes, settings in self._configurations
        )
        self._program.settle()

    def remarks(self) -> tuple[str, ...]:
        """What about the model as it is now a reader of its numbers should know."""
        found = []
        if self.hooks:
            found.append(f"hooks of yours act in it: {listed(self.hooks)}")
        if any(entry.module.training and entry.drops_out for entry in self._modules):
            found.append("it is in train mode with dropout and is measured in eval mode, without")
        return tuple(found)

    def _structure(self) -> str | None:
        for entry in self._modules:
            found = entry.changed()
            if found is not None:
                return found
        if global_hooks() != self._global_hooks:
            return "the hooks that torch calls in every module are others"
        for name, attributes, settings in self._configurations:
            found = _other_setting(name, attributes, settings)
            if found is not None:
                return found
        found = self._program.changed()
        if found is not None:
            return found
        if self._sample is None or self._sample.sum() != self._sum:
            return "weights were written to in place"
        return None

    # The way of a click: mapped, not looped, which is three times as quick.

    def _marked(self) -> list[int]:
        # Another dtype or another device has another place.
        return list(map(torch.Tensor.data_ptr, self._tensors))

    def _versioned(self) -> list[int]:
        return list(map(_VERSION, self._counted))

    def _what_was_written(self) -> str:
        lay, types = self._marks, self._dtypes
        cast = [n for n, tensor in enumerate(self._tensors) if tensor.dtype != types[n]]
        if cast:
            before, now = ({types[n] for n in cast}, {self._tensors[n].dtype for n in cast})
            return f"its weights were {_dtypes(before)} and are {_dtypes(now)}"
        moved = [n for n, tensor in enumerate(self._tensors) if tensor.data_ptr() != lay[n]]
        if moved:
            return f"weights were replaced or moved: {self._listed(moved)}"
        position = {id(tensor): n for n, tensor in enumerate(self._tensors)}
        counts = zip(self._counted, self._versions, self._versioned(), strict=True)
        return f"weights were written to: {self._listed([position[id(tensor)] for tensor, was, now in counts if was != now])}"

    def _listed(self, which: list[int]) -> str:
        return listed([self._names[n] for n in which], f"of {len(self._names)} tensors")


@dataclass(frozen=True, eq=False)
class _Entry:
    """One module as it was."""

    name: str
    module: torch.nn.Module
    attributes: dict[str, Any]
    children: dict[str, Any]
    tensors: tuple[tuple[dict[Any, Any], tuple[Any, ...]], ...]
    tables: tuple[tuple[dict[Any, Any], tuple[Any, ...]], ...]
    settings: dict[str, Any]
    configurations: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, name: str, module: torch.nn.Module) -> _Entry:
        attributes = vars(module)
        kept = () if _rewrites_its_own(module) else ("_parameters", "_buffers")
        tensors = tuple((attributes[table], tuple(attributes[table].values())) for table in kept)
        tables = tuple((getattr(module, table), tuple(hooks_of(module, table))) for table in TABLES)
        # A hook point computes nothing; what is there to change on it are its hooks.
        settings = {} if hasattr(module, "fwd_hooks") else _settings(module)
        configurations = tuple((own, attributes[own]) for own in _CONFIGURATIONS if own in attributes)
        children = dict(attributes["_modules"])
        return cls(name, module, attributes, children, tensors, tables, settings, configurations)

    def settled(self) -> _Entry:
        """The same without the settings that have changed."""
        return replace(self, settings=unchanged(self.attributes, self.settings))

    @property
    def drops_out(self) -> bool:
        """Whether the module drops activations out in train mode."""
        names = ("p", *_DROPOUT) if "Dropout" in type(self.module).__name__ else _DROPOUT
        rates = map(self.attributes.get, names)
        return any(isinstance(rate, float) and rate > 0 for rate in rates)

    def changed(self) -> str | None:
        attributes = self.attributes
        if attributes["_modules"] != self.children:
            return f"the parts of {self.name} are others"
        for table, values in self.tensors:
            if values or table:
                now = tuple(table.values())
                if len(now) != len(values) or not all(map(operator.is_, now, values)):
                    return f"a parameter or buffer of {self.name} was replaced"
        for (table, before), kind in zip(self.tables, TABLES, strict=True):
            if table or before:
                found = tuple(hooks_of(self.module, kind))
                if found != before:
                    return f"a hook was {_what_became(before, found)} {self.name}"
        for own, held in self.configurations:
            if attributes.get(own) is not held:
                return f"the {own} of {self.name} was replaced"
        return _other_setting(self.name, attributes, self.settings)


def _what_became(before: tuple[Any, ...], found: tuple[Any, ...]) -> str:
    if len(found) == len(before):
        return "replaced on"
    return "added to" if len(found) > len(before) else "removed from"


def _parts(roots: Iterable[tuple[str, str, torch.nn.Module]]) -> Iterator[tuple[str, torch.nn.Module]]:
    """Every module of a model, also those that are held as plain attributes, each once, by where it was found first.

    Parameters
    ----------
    roots
        What a message calls a module, what it puts before the names of its parts, and the module.
    """
    seen: set[int] = set()
    waiting = [*roots]
    while waiting:
        shown, prefix, module = waiting.pop()
        if id(module) in seen:
            continue
        seen.add(id(module))
        yield shown.replace(_WRAPPED, ""), module
        attributes = vars(module)
        held = [*attributes["_modules"].items(), *attributes.items()]
        for name, part in reversed(held):
            if isinstance(part, torch.nn.Module):
                waiting.append((prefix + name, f"{prefix}{name}.", part))
            elif isinstance(part, (list, tuple)):
                waiting += [
                    (f"{prefix}{name}.{n}", f"{prefix}{name}.{n}.", one)
                    for n, one in enumerate(part)
                    if isinstance(one, torch.nn.Module)
                ]


def _tensors(parts: _Parts) -> Iterator[tuple[str, Tensor]]:
    """The parameters and buffers that lie somewhere, each once."""
    seen: set[int] = set()
    for name, module in parts:
        restless = _rewrites_its_own(module)
        for table in (module._parameters, module._buffers):  # noqa: SLF001  the same without torch's checks of names
            for own, tensor in table.items():
                if tensor is None or id(tensor) in seen or (restless and own.endswith("inv_freq")):
                    continue
                seen.add(id(tensor))
                if _lies_somewhere(tensor):
                    yield f"{name}.{own}", tensor


def _rewrites_its_own(module: torch.nn.Module) -> bool:
    """Whether a forward pass alone gives a module other tensors: offloaded weights, angles that follow the prompt's length.

    Of the rotary embeddings of Transformers only those two kinds compute their angles again.
    """
    attributes = vars(module)
    offloaded = "_hf_hook" in attributes and any(
        weight is not None and weight.is_meta for weight in attributes["_parameters"].values()
    )
    return offloaded or any(kind in str(attributes.get("rope_type")) for kind in ("dynamic", "longrope"))


def _lies_somewhere(tensor: Tensor) -> bool:
    try:
        return tensor.data_ptr() != 0 or tensor.numel() == 0
    except RuntimeError:  # wrapped, faked or not there yet
        return False


def _configurations(parts: _Parts) -> Iterator[tuple[str, Any]]:
    """The configurations that modules hold, each once."""
    seen: set[int] = set()
    for name, module in parts:
        for own in _CONFIGURATIONS:
            held = vars(module).get(own)
            if hasattr(held, "__dict__") and id(held) not in seen:
                seen.add(id(held))
                yield f"the {own} of {name}", held


def _settings(holder: Any) -> dict[str, Any]:
    """The settings among an object's attributes, copied."""
    copies = {
        name: setting(value)
        for name, value in vars(holder).items()
        if name not in _TORCHS_OWN and not any(word in name for word in _MOMENTARY)
    }
    return {name: copy for name, copy in copies.items() if copy is not NO_SETTING}


def _other_setting(where: str, attributes: Mapping[str, Any], settings: Mapping[str, Any]) -> str | None:
    for name, before in settings.items():
        # What is the same object needs no copy to be compared with; it is so nearly always.
        if attributes.get(name) is before:
            continue
        found = changed_setting(attributes, name, before)
        if found is not None:
            return f"{name} of {where} {found}"
    return None


def listed(names: Sequence[str], of: str = "") -> str:
    """The first few names; how many there are, if there are more."""
    shown = ", ".join(names[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{len(names)} {of}".rstrip() + f" ({shown}, …)"


def _dtypes(found: set[torch.dtype]) -> str:
    return ", ".join(sorted(str(dtype).removeprefix("torch.") for dtype in found))
