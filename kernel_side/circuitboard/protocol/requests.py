"""What views ask of a board: requests, each with an id of the view's own making."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from circuitboard.address import How, Per
from circuitboard.protocol.drawing import Base, MapOver, Mode


class Request(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """Something that a view asks for; `id` is of its own making."""

    id: str


class Hello(Request, frozen=True, tag="hello"):
    """Ask for everything. Answered by `Welcome`, followed by a `MapEvent`."""


class Click(Request, frozen=True, tag="click"):
    """Edit this component with the current mode, or take its edit back if it is edited.

    `site` is an address without positions ("9.6", "resid_pre 5"); `positions` null means all.
    """

    site: str
    positions: list[int] | None = None


class Remove(Request, frozen=True, tag="remove"):
    """Remove the edit at this index of `Snapshot.edits`."""

    index: int
    revision: int


class Toggle(Request, frozen=True, tag="toggle"):
    """Switch the edit at this index of `Snapshot.edits` off, or on again."""

    index: int
    revision: int


class SetStrength(Request, frozen=True, tag="set_strength"):
    """Give the edit at this index of `Snapshot.edits` another strength; only scale and add have one."""

    index: int
    revision: int
    strength: float


class Move(Request, frozen=True, tag="move"):
    """Have the edit at one index of `Snapshot.edits` act at another."""

    index: int
    to: int
    revision: int


class EditSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One intervention in words.

    `site` is an address, with positions ("9.6 @ END"); `values` are what "set" and "add" take, one number or one per
    dimension.
    """

    site: str
    how: How
    strength: float | None = None
    values: list[float] | None = None
    seed: int | None = None
    per: Per | None = None


class Apply(Request, frozen=True, tag="apply"):
    """Add edits, all in one step."""

    edits: list[EditSpec]


class Undo(Request, frozen=True, tag="undo"):
    """Go back to the state before the last step."""


class Redo(Request, frozen=True, tag="redo"):
    """Go forward again to where the last undo came from."""


class Restore(Request, frozen=True, tag="restore"):
    """Go to a state of `Snapshot.history` by its id. From there, undo goes to its parent.

    Going back along the line of the current state is like so many undos, and redo leads forward again; going where
    redo leads is like so many redos; going to another branch leaves nothing to redo.
    """

    node: int


class Clear(Request, frozen=True, tag="clear"):
    """Remove all edits; a step like any other."""


class SetBase(Request, frozen=True, tag="set_base"):
    """Choose which run is edited."""

    base: Base


class SetView(Request, frozen=True, tag="set_view"):
    """Change what the panel is set to; what is absent stays as it is."""

    mode: Mode | UnsetType = UNSET
    positions: list[int] | UnsetType | None = UNSET
    map: MapOver | UnsetType = UNSET
    prompt: int | UnsetType = UNSET
    map_layer: int | UnsetType = UNSET
    live: bool | UnsetType = UNSET


class CancelMap(Request, frozen=True, tag="cancel_map"):
    """Stop the map where it is."""


class ResumeMap(Request, frozen=True, tag="resume_map"):
    """Compute what a stopped map still lacks; or, if the map is stale and `View.live` is off, the map of this state."""


class Verify(Request, frozen=True, tag="verify"):
    """Run the current edits again with plain hooks. Answered by `Verified`."""


class CopyCode(Request, frozen=True, tag="copy_code"):
    """Ask for Python that rebuilds this state. Answered by `Code`."""


class Detail(Request, frozen=True, tag="detail"):
    """Ask what a component does in the state that is shown. Answered by `Detailed`.

    `site` is an address without positions. `position` is a column of the token tensor, at which neurons and the logit
    lens are read; null for the one where the answer is read. With `by_position`, a head's effect is computed at each
    position, which takes a run a position; without, it is sent only if the map knows it. A `Superseded` answer means
    that a newer `Detail` came first.
    """

    site: str
    prompt: int = 0
    position: int | None = None
    by_position: bool = False


class Export(Request, frozen=True, tag="export"):
    """Ask for text to copy or save. Answered by `Exported`.

    "csv": the map as far as it is known, one row a cell. "python": the last step, as code that takes it again on
    `board`.
    """

    what: Literal["csv", "python"]
