"""The cells of a sweep, in TransformerLens's axis order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Literal, get_args

from circuitboard.address import INDEXED, Edge, Intervention, Per, Site, entries, one_of, positions_of, whole
from circuitboard.boundary import public
from circuitboard.errors import AddressError, InterventionError
from circuitboard.interventions import check_site
from circuitboard.words import instead

if TYPE_CHECKING:
    from circuitboard.address import Positions
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.prompts import Prompts

Over = Literal[
    "head",
    "head.q",
    "head.k",
    "head.v",
    "head.pattern",
    "head.result",
    "resid_pre",
    "resid_mid",
    "resid_post",
    "attn_out",
    "mlp_out",
    "neuron",
]
By = Literal["all", "pos", "label"]
SweepHow = Literal["patch", "zero", "mean", "resample"]

_OVER: tuple[Over, ...] = get_args(Over)
_BY: tuple[By, ...] = get_args(By)
_HOW: tuple[SweepHow, ...] = get_args(SweepHow)

MAX_CELLS = 1_000_000
"""Cells of one sweep at most: more take gigabytes to lay out and hours to compute."""


@public
@dataclass(frozen=True)
class Grid:
    """What is swept.

    Parameters
    ----------
    over, by, how
        As passed to `Board.sweep`.
    layers
        The layers of the first axis.
    positions
        The columns of the pos axis (by="pos"), or None. Where prompts are padded on the left, column `p` is the p-th of
        the padded token tensor, and a prompt that is padded there is left as it is.
    axes
        Names of the axes: "layer", then "pos" for by="pos" or "label" for by="label", then "head" or "neuron" where a
        layer has several.
    shape
        Their lengths.
    cells
        One intervention per cell, row-major.
    asked
        The positions as they were asked for.
    labels
        The labels of the label axis (by="label"), or None.
    per
        How activations are matched with those of other prompts; None for cells that take none.
    """

    over: Over
    by: By
    how: SweepHow
    layers: tuple[int, ...]
    positions: tuple[int, ...] | None
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    cells: tuple[Intervention, ...]
    asked: Positions = None
    labels: tuple[str, ...] | None = None
    per: Per | None = None

    def __repr__(self) -> str:
        where = " × ".join(f"{name} {size}" for name, size in zip(self.axes, self.shape, strict=True))
        return f"Grid({self.how} {self.over}, {where}; .cells)"


def grid_of(
    over: str,
    *,
    by: str,
    how: str,
    layers: object,
    positions: object,
    adapter: ModelAdapter,
    prompts: Prompts,
    per: str | None = None,
) -> Grid:
    """Lay out a sweep.

    Raises
    ------
    InterventionError
        `unknown_sweep` for an unknown `over`, `by`, `how` or `per`; `site_not_in_model`; `sweep_too_large`;
        `unequal_lengths` for patches position by position between prompts that are not as long; `label_needed`.
    AddressError
        Layers or positions that do not exist.
    """
    _refuse_a_site(over)
    if not one_of(over, _OVER):
        raise InterventionError(
            f"Sweep over {over!r:.60} is not known.{instead('over', over, _OVER)} Expected one of {', '.join(_OVER)}.",
            code="unknown_sweep",
        )
    if not one_of(by, _BY):
        raise InterventionError(
            f"Sweep by {by!r:.60} is not known.{instead('by', by, _BY)} Expected 'all' (positions together), 'pos' (each alone) or 'label' (each label alone).",
            code="unknown_sweep",
        )
    if not one_of(how, _HOW):
        raise InterventionError(
            f"A sweep's cells are one of {', '.join(_HOW)}, not {how!r:.40}.{instead('how', how, _HOW)}",
            code="unknown_sweep",
        )
    matched = _per(per, over, by, how, prompts)
    rows = _layers(layers, adapter, over)
    spec = positions_of(positions)
    columns: tuple[int, ...] | None = None
    places: tuple[Positions, ...] = (spec,)
    axes, shape = ["layer"], [len(rows)]
    if by == "pos":
        columns = _columns(spec, prompts) if matched != "label" else _labelled(spec, prompts)
        places = tuple(prompts.at_columns((column,)) for column in columns)
        axes.append("pos")
        shape.append(len(columns))
    labels = _labels(spec, prompts) if by == "label" else None
    if labels is not None:
        places = tuple((label,) for label in labels)
        axes.append("label")
        shape.append(len(labels))
    indices: tuple[int | None, ...] = (None,)
    if over in INDEXED:
        indices = tuple(range(adapter.shape.n_of(over) or 0))
        axes.append("neuron" if over == "neuron" else "head")
        shape.append(len(indices))
    if prod(shape) > MAX_CELLS:
        sizes = " × ".join(f"{size} {axis}s" for axis, size in zip(axes, shape, strict=True))
        raise InterventionError(
            f"A sweep over {over} would have {prod(shape):,} cells ({sizes}), and one may have {MAX_CELLS:,}; choose layers=… or positions=…, or sweep in parts.",
            code="sweep_too_large",
        )
    options: dict[str, Any] = {} if matched is None else {"per": matched}
    if how == "resample":
        options["seed"] = 0
    cells = tuple(
        Intervention(Site(over, layer, index, place), how, **options)
        for layer in rows
        for place in places
        for index in indices
    )
    return Grid(over, by, how, rows, columns, tuple(axes), tuple(shape), cells, spec, labels, matched)


def _per(per: str | None, over: str, by: str, how: str, prompts: Prompts) -> Per | None:
    """How cells that take activations from elsewhere are matched: as asked, else by what the sweep is by."""
    if per is not None and not one_of(per, get_args(Per)):
        raise InterventionError(
            f"Cells are matched per 'position' or per 'label', not {per!r:.40}.", code="unknown_sweep"
        )
    if how == "zero":
        return None
    found: Per = "label" if per == "label" or (per is None and by == "label") else "position"
    if how == "patch" and found == "position" and not prompts.aligned:
        raise InterventionError(
            f"A sweep of patches position by position needs clean and corrupted prompts that are as long. Sweep by label: board.sweep({over!r}, by='label'), or at all labels together: board.sweep({over!r}, per='label').",
            code="unequal_lengths",
        )
    return found


def _labels(positions: Positions, prompts: Prompts) -> tuple[str, ...]:
    """The labels that are swept: those asked for, all by default."""
    if positions is None:
        labels = tuple(prompts.labels)
        if not labels:
            raise InterventionError(
                "A sweep by label needs labels; name positions with PromptPair(…, labels={'END': -1}).",
                code="label_needed",
            )
        return labels
    labels = tuple(entry for entry in positions if isinstance(entry, str))
    if len(labels) != len(positions):
        raise InterventionError(
            "A sweep by label takes labels as positions, as in positions=['S2', 'END']; by='pos' takes any.",
            code="label_needed",
        )
    prompts.resolve(positions)
    return tuple(dict.fromkeys(labels))


def _labelled(positions: Positions, prompts: Prompts) -> tuple[int, ...]:
    """The columns that have a label in some prompt, among those that positions mean."""
    rows = prompts.resolve(positions)
    columns = sorted({column for prompt, row in enumerate(rows) for column in row if prompts.labels_at(prompt, column)})
    if not columns:
        raise InterventionError(
            "None of these positions has a label, so nothing can be matched per label; name some with PromptPair(…, labels={'END': -1}).",
            code="label_needed",
        )
    return tuple(columns)


def _columns(positions: Positions, prompts: Prompts) -> tuple[int, ...]:
    """The columns that positions mean; they must be the same in every prompt, save where one is padding."""
    rows = prompts.resolve(positions)
    columns = tuple(sorted(set().union(*rows)))
    for row, length in zip(rows, prompts.lengths, strict=True):
        if row != tuple(column for column in columns if column >= prompts.n_positions - length):
            raise AddressError(
                "A sweep by position needs the same positions in every prompt, but those given lie at different ones.",
                code="positions_differ",
            )
    return columns


def _layers(layers: object, adapter: ModelAdapter, over: Over) -> tuple[int, ...]:
    every = range(adapter.shape.n_layers)
    index = 0 if over in INDEXED else None
    if layers is None:
        rows: tuple[int, ...] = tuple(layer for layer in every if adapter.refusal(over, layer) is None)
        if not rows:
            check_site(Site(over, 0, index), adapter)
        return rows
    several: list[Any] | None = None if whole(layers) is not None else entries(layers)
    wanted: Sequence[Any] = (layers,) if several is None else several
    sites = [Site(over, layer, index) for layer in wanted]
    for site in sites:
        check_site(site, adapter)
    rows = tuple(site.layer for site in sites)
    if not rows:
        raise AddressError("An empty list of layers leaves nothing to sweep.", code="unknown_sweep")
    return rows


def _refuse_a_site(over: object) -> None:
    """Refuse one site where a kind of sites is meant."""
    if isinstance(over, (Site, Edge)):
        line = f"board.sweep({over.kind!r})" if isinstance(over, Site) and over.kind in _OVER else "board.sweep('head')"
        raise InterventionError(
            f"A sweep goes over all sites of a kind, not over {over}. Write {line}; what that one does alone: board.preview(site.zero()).",
            code="unknown_sweep",
        )
