"""A map as it is drawn: numbers, names and words, and nothing that has to be asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8

    from circuitboard.protocol.drawing import ColourMap

Side = Literal["a", "b", "difference"]
"""Of two maps that are compared: the one that was kept, the live one, or the live one minus the kept one."""

UNKNOWN, EXACT, ESTIMATED = 0, 1, 2
"""What `known` says of a cell, as in the map that the panel draws."""


class Label(NamedTuple):
    """The name of a row or a column; strong where it is more than a number."""

    text: str
    strong: bool = False


class Mark(NamedTuple):
    """What was done to a cell."""

    how: str
    enabled: bool


@dataclass(frozen=True, eq=False)
class MapDrawing:
    """A map of effects.

    Parameters
    ----------
    caption
        One sentence: what is done, where, on top of what.
    details
        Sentences below the map: model, metric, prompts, edits, versions.
    row_axis, column_axis
        What rows and columns count.
    rows, columns
        Their names.
    names
        What each cell is, row-major.
    effect, known
        float and uint8, both [row, column]; `known` is 0 where nothing is known, 1 exact, 2 an estimate.
    unit
        Of the effects, in words.
    clip
        The end of the symmetric scale; 0 where no effect is known that is not 0.
    fixed
        Whether the scale is the distance between the baselines; else it is a percentile.
    marks
        Edited cells by their place in `names`.
    inscribed
        Words to be written into the cells, row-major: the neurons of a map by rank. None: the effects.
    tokens
        Whether columns are tokens, whose names are written aslant.
    stderr
        Standard error of each effect over prompts, [row, column], where there is one.
    colours
        The map from effects to colours.
    looked
        A sentence under the caption: what is left out, moved or rescaled; "" for nothing.
    side
        Which of two compared maps it is; None where nothing is compared.
    hidden
        Cells that are known and not drawn, [row, column]; None where there are none.
    numbers_from
        The |effect| from which a cell carries its number; None for a share of the scale.
    lines
        Rows and columns that are drawn, in their order; None for all as they are. Legend and notes are of all cells.
    cells
        What the cells are, in words.
    filling
        Whether cells that are not exact will be.
    """

    caption: str
    details: Sequence[str]
    row_axis: str
    column_axis: str
    rows: Sequence[Label]
    columns: Sequence[Label]
    names: Sequence[str]
    effect: Float[np.ndarray, "row column"]
    known: UInt8[np.ndarray, "row column"]
    unit: str
    clip: float
    fixed: bool = False
    marks: Mapping[int, Mark] = field(default_factory=dict)
    inscribed: Sequence[str] | None = None
    tokens: bool = False
    stderr: Float[np.ndarray, "row column"] | None = None
    colours: ColourMap = "orange-blue"
    looked: str = ""
    side: Side | None = None
    hidden: Bool[np.ndarray, "row column"] | None = None
    numbers_from: float | None = None
    lines: tuple[Sequence[int], Sequence[int]] | None = None
    cells: str = "cells"
    filling: bool = False

    @property
    def counts(self) -> str:
        """How many cells are known, in words."""
        n = self.known.size
        exact, estimated = int((self.known == EXACT).sum()), int((self.known == ESTIMATED).sum())
        text = f"All {n} cells exact" if exact == n else f"{exact} of {n} cells exact"
        if estimated:
            text += f", {estimated} approximate (attribution patching)"
        if n - exact - estimated:
            text += f", {n - exact - estimated} not computed"
        odd = int((~np.isfinite(self.effect) & (self.known != UNKNOWN)).sum())
        if odd:
            text += f", {odd} not finite"
        hidden = 0 if self.hidden is None else int(self.hidden.sum())
        return text + (f", {hidden} hidden" if hidden else "")

    def is_hidden(self, cell: int) -> bool:
        """Whether a known cell is not drawn."""
        return self.hidden is not None and bool(self.hidden.flat[cell])

    def largest(self, k: int) -> list[int]:
        """The known cells with the largest |effect|, largest first; those that are not finite are left out."""
        size = np.where(np.isfinite(self.effect) & (self.known != UNKNOWN), np.abs(self.effect), -1.0).ravel()
        order = np.argsort(-size, kind="stable")[:k]
        return [int(cell) for cell in order if size[cell] >= 0]

    def beyond(self) -> list[int]:
        """The exact cells whose effects lie beyond the scale, largest first."""
        effect, known = self.effect.ravel(), self.known.ravel()
        exact = [cell for cell in self.largest(effect.size) if known[cell] == EXACT]
        return [cell for cell in exact if abs(effect[cell]) > self.clip * (1 + 1e-6)]

    def arranged(self) -> MapDrawing:
        """With the rows and columns alone that are drawn, in their order."""
        if self.lines is None:
            return self
        rows, columns = self.lines
        n_columns = self.effect.shape[1]
        cells = [row * n_columns + column for row in rows for column in columns]
        marks = {at: self.marks[cell] for at, cell in enumerate(cells) if cell in self.marks}
        at = np.ix_(rows, columns)
        return replace(
            self,
            rows=[self.rows[row] for row in rows],
            columns=[self.columns[column] for column in columns],
            names=[self.names[cell] for cell in cells],
            effect=self.effect[at],
            known=self.known[at],
            stderr=None if self.stderr is None else self.stderr[at],
            hidden=None if self.hidden is None else self.hidden[at],
            inscribed=None if self.inscribed is None else [self.inscribed[cell] for cell in cells],
            marks=marks,
            lines=None,
        )
