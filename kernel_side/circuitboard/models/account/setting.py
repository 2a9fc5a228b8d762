"""Settings that objects keep as plain attributes, copied so that a later look tells whether they are still the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from circuitboard.models.account.tensor_sample import TensorSample

_PLAIN = (bool, int, float, str, type(None), torch.dtype, torch.device, torch.nn.Module)
"""What is equal to itself alone, or to what says the same."""

_MOST_ENTRIES, _MOST_DEEP = 64, 3
"""Of a list or table that is a setting; what is longer or deeper is data."""

NO_SETTING = object()
"""In place of a copy, for a value that no setting has."""

_GONE = object()


@dataclass(frozen=True, eq=False)
class _Tensor:
    """A tensor as it was; held, so that no other one can lie in its place."""

    tensor: torch.Tensor
    place: int
    version: int
    sample: tuple[int, ...]

    @classmethod
    def of(cls, tensor: torch.Tensor) -> Any:
        try:
            place = tensor.data_ptr()
        except RuntimeError:  # wrapped, faked or not there yet
            return NO_SETTING
        version = 0 if tensor.is_inference() else tensor._version  # noqa: SLF001  torch's count of writes
        return cls(tensor, place, version, TensorSample((tensor,)).sum())

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Tensor)
            and other.tensor is self.tensor
            and (other.place, other.version, other.sample) == (self.place, self.version, self.sample)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"a tensor {list(self.tensor.shape)}"


def setting(value: Any, deep: int = 0) -> Any:
    """A copy of a setting that does not change with it; equal to a later one as long as it has not changed."""
    if isinstance(value, torch.Tensor):
        return _Tensor.of(value)
    if isinstance(value, _PLAIN):
        return value
    if type(value) not in (list, tuple, set, dict) or len(value) > _MOST_ENTRIES or deep > _MOST_DEEP:
        return NO_SETTING
    if isinstance(value, set):
        return set(value) if all(isinstance(entry, _PLAIN) for entry in value) else NO_SETTING
    entries = [setting(entry, deep + 1) for entry in (value.values() if isinstance(value, dict) else value)]
    if any(entry is NO_SETTING for entry in entries):
        return NO_SETTING
    return dict(zip(value, entries, strict=True)) if isinstance(value, dict) else entries


def changed_setting(holder: Mapping[str, Any], name: str, before: Any) -> str | None:
    """What became of a setting, in words; None if it is what it was."""
    value = holder.get(name, _GONE)
    now = value if value is _GONE else setting(value)
    if now is before or (type(now) is type(before) and now == before):
        return None
    if before is None and name.startswith("_"):
        return None  # filled in by the first forward pass
    if value is _GONE:
        return f"was {_shown(before)} and is gone"
    # Where data has taken a setting's place, a module has noted down what it did.
    if now is NO_SETTING:
        return None
    return f"was {_shown(before)} and is {_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return "another tensor"
    return type(value).__name__ if isinstance(value, torch.nn.Module) else f"{value!r:.40}"


def unchanged(holder: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of an object's settings that are what they were."""
    return {name: before for name, before in settings.items() if changed_setting(holder, name, before) is None}
