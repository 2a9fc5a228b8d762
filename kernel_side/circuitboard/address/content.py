"""Values that travel, and things that stay: what can be copied, pickled and compared, and what cannot.

A result is what it says: two with the same numbers are equal, NaN to NaN, in whatever process they are. What holds a
model, a thread or a view is one thing in one place; it refuses to be copied, and says what to do instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from circuitboard.errors import CircuitboardError
from circuitboard.words import Meant, Told

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    class _Base(DataclassInstance):
        """What a frozen dataclass has."""
else:
    _Base = object


class ByContent(Told, _Base):
    """A frozen dataclass (`eq=False`) that equals another with the same content, and travels without what it has cached."""

    _told_as: ClassVar[Meant] = "result"

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        return all(
            _same(getattr(self, field.name), getattr(other, field.name)) for field in fields(self) if field.compare
        )

    def __hash__(self) -> int:
        return hash((type(self), *(_key(getattr(self, field.name)) for field in fields(self) if field.compare)))

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: _alone(getattr(self, field.name)) for field in fields(self)}


class Stays:
    """What is not copied and not pickled; `_instead` says what to do."""

    _instead: ClassVar[str]

    def __copy__(self) -> NoReturn:
        self._refuse()

    def __deepcopy__(self, memo: object) -> NoReturn:
        self._refuse()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise CircuitboardError(
            f"A {type(self).__name__} is not copied, pickled or sent to another process. {self._instead}",
            code="not_copied",
        )


def _is_tensor(value: object) -> bool:
    return hasattr(type(value), "untyped_storage")


def _same(one: Any, other: Any) -> bool:  # noqa: PLR0911  a line a kind
    if one is other:
        return True
    if _is_tensor(one) or _is_tensor(other):
        if not (_is_tensor(one) and _is_tensor(other)) or one.dtype != other.dtype or one.shape != other.shape:
            return False
        one, other = one.detach().cpu(), other.detach().cpu()
        return bool(((one == other) | ((one != one) & (other != other))).all())  # noqa: PLR0124  NaN is what is not itself
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and isinstance(other, float) and one != one:  # noqa: PLR0124
        return other != other  # noqa: PLR0124
    return bool(one == other)


def _key(value: Any) -> Any:
    """Something to hash that is equal for equal values."""
    if _is_tensor(value):
        return tuple(value.shape), str(value.dtype)
    if isinstance(value, Mapping):
        return frozenset(value)
    if isinstance(value, (list, tuple)):
        return tuple(map(_key, value))
    if isinstance(value, float) and value != value:  # noqa: PLR0124
        return "nan"
    try:
        hash(value)
    except TypeError:
        return type(value)
    return value


def _alone(value: Any) -> Any:
    """A tensor that is part of a larger one, without the rest of it."""
    if _is_tensor(value) and value.untyped_storage().nbytes() > value.numel() * value.element_size():
        return value.detach().clone()
    return value
