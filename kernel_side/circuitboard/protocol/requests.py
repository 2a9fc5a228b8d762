"""What views ask of a board: requests, each with an id of the view's own making."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from circuitboard.address import How, Per
from circuitboard.protocol.drawing import Base, ColourMap, MapOver, Mode


class Request(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """Something that a view asks for; `id` is of its own making."""

    failure: ClassVar[str] = "That was not done."
    """What a view says where it is refused or fails, before the reason."""

    id: str


class StepRequest(Request, frozen=True):
    """A step of `circuitboard.steps.step`, of the same name and with the same fields."""

    moves: ClassVar[bool] = True
    """Whether the board is in another place after it."""


class Hello(Request, frozen=True, tag="hello"):
    """Ask for everything. Answered by `Welcome`, followed by a `MapEvent`."""

    failure: ClassVar[str] = "The board could not be shown."


class Click(Request, frozen=True, tag="click"):
    """Edit this component with the current mode, or take its edit back if it is edited.

    `site` is an address without positions ("9.6", "resid_pre 5"); `positions` null means all.
    """

    site: str
    positions: list[int] | None = None


class Remove(StepRequest, frozen=True, tag="remove"):
    """Remove the edit at this index of `Snapshot.edits`, or those at several, in one step."""

    failure: ClassVar[str] = "The edit was not removed."
    index: int | list[int]
    revision: int


class Toggle(StepRequest, frozen=True, tag="toggle"):
    """Switch the edit at this index of `Snapshot.edits` off, or on again; of several, all off if any is in force."""

    failure: ClassVar[str] = "The edit was not switched."
    index: int | list[int]
    revision: int


class SetStrength(StepRequest, frozen=True, tag="set_strength"):
    """Give the edit at this index of `Snapshot.edits` another strength; only scale and add have one.

    Requests with the same `drag` that follow each other are one step of the history: the last strength is the one
    that is kept. A newer one may supersede one that is still being computed.
    """

    failure: ClassVar[str] = "The strength was not changed."
    index: int
    revision: int
    strength: float
    drag: str | None = None


class Group(StepRequest, frozen=True, tag="group"):
    """Put the edits at these indices of `Snapshot.edits`, and no others, under a name; null takes them out of theirs."""

    failure: ClassVar[str] = "The edits were not grouped."
    indices: list[int]
    revision: int
    name: str | None


class Rename(StepRequest, frozen=True, tag="rename"):
    """Call something by another name; null takes the name away.

    `which` is an edit by its index in `Snapshot.edits`, or a group by its name, which must have one.
    """

    failure: ClassVar[str] = "The name was not changed."
    which: int | str
    revision: int
    name: str | None


class Note(StepRequest, frozen=True, tag="note"):
    """Call a state of `Snapshot.history` by a name; null takes the name away. No step."""

    failure: ClassVar[str] = "The state was not named."
    moves: ClassVar[bool] = False
    node: int
    text: str | None


class Move(StepRequest, frozen=True, tag="move"):
    """Have the edit at one index of `Snapshot.edits` act at another."""

    failure: ClassVar[str] = "The edit was not moved."
    index: int
    to: int
    revision: int


class EditSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One intervention in words.

    `site` is an address, with positions ("9.6 @ END"); `values` are what "set" and "add" take, one number or one per
    dimension. `renormalize`: see `cb.Intervention`.
    """

    site: str
    how: How
    strength: float | None = None
    values: list[float] | None = None
    seed: int | None = None
    per: Per | None = None
    renormalize: bool = False


class Apply(Request, frozen=True, tag="apply"):
    """Add edits, all in one step."""

    failure: ClassVar[str] = "Nothing was edited."
    edits: list[EditSpec]


class Undo(StepRequest, frozen=True, tag="undo"):
    """Go back to the state before the last step."""

    failure: ClassVar[str] = "Nothing was undone."


class Redo(StepRequest, frozen=True, tag="redo"):
    """Go forward again to where the last undo came from."""

    failure: ClassVar[str] = "Nothing was redone."


class Restore(StepRequest, frozen=True, tag="restore"):
    """Go to a state of `Snapshot.history` by its id. From there, undo goes to its parent.

    Going back along the line of the current state is like so many undos, and redo leads forward again; going where
    redo leads is like so many redos; going to another branch leaves nothing to redo.
    """

    failure: ClassVar[str] = "That state was not restored."
    node: int


class Clear(StepRequest, frozen=True, tag="clear"):
    """Remove all edits; a step like any other."""

    failure: ClassVar[str] = "The edits were not cleared."


class SetBase(StepRequest, frozen=True, tag="set_base"):
    """Choose which run is edited."""

    failure: ClassVar[str] = "The base run was not changed."
    base: Base


class SetView(Request, frozen=True, tag="set_view"):
    """Change what the panel is set to; what is absent stays as it is."""

    failure: ClassVar[str] = "The panel was not changed."
    mode: Mode | UnsetType = UNSET
    positions: list[int] | UnsetType | None = UNSET
    map: MapOver | UnsetType = UNSET
    prompt: int | UnsetType = UNSET
    map_layer: int | UnsetType = UNSET
    live: bool | UnsetType = UNSET
    colours: ColourMap | UnsetType = UNSET


class CancelMap(Request, frozen=True, tag="cancel_map"):
    """Stop the map where it is."""

    failure: ClassVar[str] = "The map was not stopped."


class ResumeMap(Request, frozen=True, tag="resume_map"):
    """Compute what a stopped map still lacks; or, if the map is stale and `View.live` is off, the map of this state."""

    failure: ClassVar[str] = "The map was not resumed."


class Refresh(Request, frozen=True, tag="refresh"):
    """Measure the model as it is now; edits, history and names stay. Answered by `Done`."""

    failure: ClassVar[str] = "The model was not measured again."


class Verify(Request, frozen=True, tag="verify"):
    """Run the user's model itself, unedited and with plain hooks. Answered by `Verified`."""

    failure: ClassVar[str] = "The numbers were not verified."


class CopyCode(Request, frozen=True, tag="copy_code"):
    """Ask for Python that rebuilds this state. Answered by `Code`."""

    failure: ClassVar[str] = "The code was not written."


class Detail(Request, frozen=True, tag="detail"):
    """Ask what a component does in the state that is shown. Answered by `Detailed`.

    `site` is an address without positions. `position` is a column of the token tensor, at which neurons and the logit
    lens are read; null for the one where the answer is read. With `by_position`, a head's effect is computed at each
    position, which takes a run a position; without, it is sent only if the map knows it. With `circuit`, a head's OV
    and QK circuits are read between the columns `row` (null for `position`) and `source` (null for the one that it
    attends to most from there). A `Superseded` answer means that a newer `Detail` came first.
    """

    site: str
    prompt: int = 0
    position: int | None = None
    by_position: bool = False
    row: int | None = None
    source: int | None = None
    circuit: bool = False


class Trace(Request, frozen=True, tag="trace"):
    """Ask which earlier components move what this one reads. Answered by `Traced`.

    `site` is an address without positions; `part` is "q", "k" or "v" of a head, or "in": all that an MLP reads. Each
    edge from an earlier component to it is edited by the mode of the view, at all positions. A `Superseded` answer
    means that a newer `Trace` or `Readers` came first.
    """

    site: str
    part: Literal["q", "k", "v", "in"]


class Readers(Request, frozen=True, tag="readers"):
    """Ask which heads read from the token at the column `position`. Answered by `ReadBy`."""

    position: int
    prompt: int = 0


class MapLook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a view looks at its map, so that what it exports is what it shows.

    `unit` is the metric's own, or a share of clean − corrupted. `rows` and `columns` are those that are drawn, in their
    order; null for all as they are. `show` names the cells that are drawn; those whose |effect| is under `hide_below`
    are not; those from `numbers_from` on carry their number (null for a share of the scale); both in the metric's unit.
    `order` and `layers` say why: what is sorted by its largest |effect|, and the first and last layer, null for all.
    `against` is the `map_id` of the map (A) that the live one (B) is compared with, null for none; `side` is which of
    them is drawn, or B − A.
    """

    unit: Literal["metric", "share"] = "metric"
    rows: list[int] | None = None
    columns: list[int] | None = None
    show: Literal["all", "edited", "exact"] = "all"
    hide_below: float = 0.0
    numbers_from: float | None = None
    against: int | None = None
    side: Literal["a", "b", "difference"] = "b"
    order: Literal["layer", "rows", "columns", "both"] = "layer"
    layers: list[int] | None = None


class Export(Request, frozen=True, tag="export"):
    """Ask for text to copy or save. Answered by `Exported`.

    "csv": the map as far as it is known, one row a cell. "python": the last step, as code that takes it again on
    `board`. "svg": the map as a drawing. "html": the board as one page. "board": the board as the file that `Save`
    writes.

    With a `look`, "svg" draws the map as the view does, and "csv" has columns of what the view makes of the effects:
    all cells in the map's own order, for a look hides no data.
    """

    failure: ClassVar[str] = "Nothing was exported."
    what: Literal["csv", "python", "svg", "html", "board"]
    look: MapLook | None = None


class Save(Request, frozen=True, tag="save"):
    """Write the board to a file on the kernel's side. Answered by `Saved`.

    `path` is as the user types it: from the kernel's working directory, `~` its home. A file that is there is left as
    it is, and the answer is a refusal (`file_exists`), unless `overwrite` says otherwise.
    """

    path: str
    overwrite: bool = False


class Compare(Request, frozen=True, tag="compare"):
    """Compare two states of `Snapshot.history`, without going to either. Answered by `Compared`.

    Top tokens are those of one `prompt`. With `map`, both maps of the kind that `View` is set to are computed exactly,
    which takes a run for each cell and state whose effect is not known already. A `Superseded` answer means that a newer `Compare` came first; one without
    `map` thus stops one with.
    """

    left: int
    right: int
    prompt: int = 0
    map: bool = False


AnyStepRequest = Remove | Toggle | SetStrength | Group | Rename | Note | Move | Undo | Redo | Restore | Clear | SetBase
AnyRequest = (
    AnyStepRequest
    | Hello
    | Click
    | Apply
    | SetView
    | CancelMap
    | ResumeMap
    | Refresh
    | Verify
    | CopyCode
    | Detail
    | Trace
    | Readers
    | Export
    | Save
    | Compare
)
