"""What a detail panel shows of one component, read part by part on the worker."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.address import HEAD_KINDS, Edge, Site
from circuitboard.address import site as site_called
from circuitboard.analysis import by_size, direct_effects, neuron_table, read_lens, read_neurons
from circuitboard.engine.recording import recorded
from circuitboard.errors import AddressError, Cancelled, CircuitboardError, EngineError
from circuitboard.interventions import check_site
from circuitboard.metrics import standard_error
from circuitboard.protocol import messages as m
from circuitboard.protocol.codec import error_info
from circuitboard.widget.map_grid import edited_cells

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.analysis import DirectEffects, NeuronReading
    from circuitboard.board import Board, Shown
    from circuitboard.engine import CancelToken
    from circuitboard.interventions import Plan

    Part = Generator[None, None, Any]

MOST_TOKENS = 512
"""Tokens of a prompt up to which its attention pattern is sent: two of this size take 2 MiB."""

NEURONS = 20
"""Rows of the table of neurons."""

LENS_TOKENS = 5
"""Likeliest tokens of each residual stream."""

_WRITE = ("attn_out", "mlp_out", "neuron")
"""Kinds that write into the residual stream, heads apart."""


@dataclass(frozen=True)
class Asked:
    """A component, the prompt and column to read it at, and what a sweep does to it.

    Parameters
    ----------
    column
        A column of the token tensor.
    by_position
        Whether a head's effect is to be computed at each position.
    """

    site: Site
    prompt: int
    column: int
    by_position: bool
    how: m.Mode

    @classmethod
    def of(cls, request: m.Detail, board: Board, how: m.Mode) -> Asked:
        """What a request asks for, or the reason why that does not exist.

        Raises
        ------
        CircuitboardError
            Of an address, `no_such_prompt`, `position_out_of_range`, `no_detail` for an edge.
        """
        site = site_called(request.site)
        if isinstance(site, Edge):
            raise AddressError(
                f"{site} is a path between two components; ask for one of them.", code="no_detail", where=str(site)
            )
        if site != site.component:
            raise AddressError("A detail names its position apart from its site.", code="bad_positions")
        check_site(site, board.lab.adapter)
        prompts = board.prompts
        if not 0 <= request.prompt < prompts.n:
            raise AddressError(
                f"There is no prompt {request.prompt}: the board has {prompts.n}.", code="no_such_prompt"
            )
        column = prompts.answer_position if request.position is None else request.position
        if not 0 <= column < prompts.n_positions:
            raise AddressError(
                f"There is no column {column}: the prompts have {prompts.n_positions}, 0 … {prompts.n_positions - 1}.",
                code="position_out_of_range",
            )
        return cls(site, request.prompt, column, request.by_position, how)


def read_detail(
    request: str,
    board: Board,
    asked: Asked,
    shown: Shown,
    by_position: m.PositionEffects | None,
    cancel: CancelToken,
) -> Generator[None, None, tuple[m.Detailed, list[bytes]]]:
    """Read every part that a component of this kind has; for `Board.run_in_background`.

    Parameters
    ----------
    request
        The id of the request that is answered.
    shown
        The state that is read.
    by_position
        What is known already of a head's effect at each position.

    Returns
    -------
    tuple
        The answer, and the buffers that go with it.
    """
    started = time.perf_counter()
    reader = _Reader(board, asked, shown)
    parts: dict[m.DetailPart, Part]
    if asked.site.kind in HEAD_KINDS:
        parts = {"attention": reader.attention(cancel), "direct": reader.direct(cancel)}
        if by_position is None and asked.by_position:
            parts["by_position"] = reader.by_position(cancel)
    else:
        parts = {"direct": reader.direct(cancel)} if asked.site.kind in _WRITE else {}
        parts |= {"lens": reader.lens(cancel), "neurons": reader.neurons(cancel)}
    found: dict[m.DetailPart, Any] = {"by_position": by_position}
    refused = []
    for part, steps in parts.items():
        try:
            found[part] = yield from steps
        except Cancelled:
            raise
        except CircuitboardError as error:
            refused.append(m.PartRefused(part, error_info(error)))
    attention, buffers = found.get("attention", (None, []))
    answer = m.Detailed(
        request,
        revision=shown.revision,
        site=asked.site.name,
        prompt=asked.prompt,
        position=asked.column,
        direct=found.get("direct"),
        attention=attention,
        by_position=found["by_position"],
        neurons=found.get("neurons"),
        lens=found.get("lens"),
        refused=refused,
        elapsed_ms=(time.perf_counter() - started) * 1000,
    )
    return answer, buffers


@dataclass(frozen=True, eq=False)
class _Reader:
    """Reads the parts of a detail, each a generator that gives way between its passes."""

    board: Board
    asked: Asked
    shown: Shown

    def attention(self, cancel: CancelToken) -> Generator[None, None, tuple[m.AttentionView, list[bytes]]]:
        lab, asked = self.board.lab, self.asked
        site = Site("head.pattern", asked.site.layer, _query_head(self.board, asked.site))
        check_site(site, lab.adapter)
        length = lab.prompts.lengths[asked.prompt]
        if length > MOST_TOKENS:
            raise EngineError(
                f"The pattern of {length} tokens is too large to send: {MOST_TOKENS} at most. Read it with board.attention({site.layer}, {site.index}, prompt={asked.prompt}).",
                code="pattern_too_large",
            )
        place, first = (site.kind, site.layer), lab.prompts.n_positions - length
        buffers = []
        for plan in self._plans():
            found = recorded(lab.adapter, plan, [place], cancel).activations[place]
            pattern = found[asked.prompt, site.index, first:, first:].float().cpu()
            buffers.append(pattern.contiguous().numpy().astype("<f4").tobytes())
            yield
        tokens = lab.prompts.str_tokens(self.shown.history.state.base)[asked.prompt]
        return m.AttentionView(list(tokens), [length, length], first), [buffers[0], buffers[-1]]

    def direct(self, cancel: CancelToken) -> Generator[None, None, m.DirectView]:
        lab, site = self.board.lab, self.asked.site
        outlets = lab.adapter.outlets()
        layers = (site.layer,) if site.kind == "neuron" else ()
        found: list[Tensor] = []
        for plan in self._plans():
            effects = direct_effects(lab.adapter, outlets, plan, lab.prompts, cancel, neurons=layers)
            found.append(_summand(effects, site, _query_head(self.board, site)))
            yield
        now, base = found[0], found[-1]
        return m.DirectView(_mean(now), _error(now), _mean(base))

    def by_position(self, cancel: CancelToken) -> Generator[None, None, m.PositionEffects]:
        board, asked, shown = self.board, self.asked, self.shown
        head = _query_head(board, asked.site)
        grid = board.grid("head", by="pos", how=asked.how, layers=[asked.site.layer])
        cells = [cell for cell in grid.cells if cell.site.index == head]
        edited = edited_cells(cells, shown.history.state.edits, board.prompts, by_position=True)
        baseline = shown.outcome.values
        values = yield from board.maps.cells(shown.run, cells, cancel)
        effects = values - baseline
        for cell, indices in edited.items():
            effects[cell] = baseline - board.maps.without(indices, shown, cancel)
            yield
        columns = list(grid.positions or ())
        return m.PositionEffects(asked.how, columns, [_mean(effect) for effect in effects])

    def neurons(self, cancel: CancelToken) -> Generator[None, None, m.NeuronTable]:
        board, shown, layer, column = self.board, self.shown, self.asked.site.layer, self.asked.column
        lab, maps = board.lab, board.maps
        check_site(Site("neuron", layer, 0), lab.adapter)
        self._require_tokens()
        outlets, columns = lab.adapter.outlets(), [column] * lab.prompts.n
        readings: list[NeuronReading] = []
        for plan in self._plans():
            readings.append(read_neurons(lab.adapter, outlets, plan, lab.prompts, layer, columns, cancel))
            yield
        now, base = readings[0], readings[-1]
        where = lab.prompts.at_columns([column])
        cells = board.grid("neuron", how=self.asked.how, layers=[layer], positions=where).cells
        estimate = maps.estimate(shown.run, cells, cancel)
        order = "estimate" if estimate is not None else "direct"
        yield
        if estimate is None:
            estimate = torch.full((len(cells), lab.prompts.n), torch.nan)
        chosen = by_size("sweep" if order == "estimate" else order, now, base, estimate)[:NEURONS]
        exact = yield from maps.cells(shown.run, [cells[index] for index in chosen], cancel)
        table = neuron_table(layer, chosen, now, base, estimate, exact - shown.outcome.values)
        one = lab.prompts.n == 1
        return m.NeuronTable(
            layer,
            self.asked.how,
            "estimate" if order == "estimate" else "direct",
            [
                m.NeuronRow(
                    index=int(row.index),
                    activation=m.Real.of(row.activation),
                    base_activation=m.Real.of(row.base_activation),
                    direct=m.Real.of(row.direct),
                    direct_stderr=None if one else m.Real.of(row.direct_stderr),
                    congruence=m.Real.of(row.congruence),
                    estimate=m.Real.of(row.estimate),
                    effect=m.Real.of(row.effect),
                    effect_stderr=None if one else m.Real.of(row.effect_stderr),
                )
                for row in table.itertuples(index=False)
            ],
        )

    def lens(self, cancel: CancelToken) -> Generator[None, None, list[m.LensRow]]:
        lab, prompt = self.board.lab, self.asked.prompt
        self._require_tokens()
        rows = [[self.asked.column]] * lab.prompts.n
        readings = []
        for plan in self._plans():
            entries, reading = read_lens(lab.adapter, plan, lab.prompts, rows, cancel, top=LENS_TOKENS)
            readings.append(reading)
            yield
        now, base = readings[0], readings[-1]
        return [
            m.LensRow(
                site=f"{kind} {layer}",
                layer=layer,
                logit_diff=_mean(now.logit_diff[entry, 0]),
                base_logit_diff=_mean(base.logit_diff[entry, 0]),
                prob=_mean(now.prob[entry, 0]),
                tokens=[
                    m.LensToken(lab.prompts.token_str(token), m.Real.of(prob))
                    for token, prob in zip(
                        now.top_ids[entry, 0, prompt].tolist(), now.top_probs[entry, 0, prompt].tolist(), strict=True
                    )
                ],
            )
            for entry, (kind, layer) in enumerate(entries)
        ]

    def _plans(self) -> list[Plan]:
        """The run as it is and the base run, which are one without edits."""
        now = self.shown.run.plan
        base = self.board.lab.plan(self.shown.history.state.base, ())
        return [now, base] if now.writes else [now]

    def _require_tokens(self) -> None:
        """Refuse a column that is padding in some prompts, where means over prompts would be of nothing."""
        prompts, column = self.board.prompts, self.asked.column
        padded = sum(column < prompts.n_positions - length for length in prompts.lengths)
        if padded:
            raise AddressError(
                f"Column {column} is padding in {padded} of {prompts.n} prompts; choose a position that all have.",
                code="position_out_of_range",
            )


def _query_head(board: Board, site: Site) -> int:
    """The head of a site; of a key or value that several heads share, the first of them."""
    index = site.index or 0
    if site.kind in ("head.k", "head.v"):
        shape = board.lab.adapter.shape
        return index * (shape.n_heads // shape.n_kv_heads)
    return index


def _summand(found: DirectEffects, site: Site, head: int) -> Float[Tensor, " batch"]:
    """What a component adds to the logit difference: the sum of its summands.

    Raises
    ------
    EngineError
        `not_decomposed` if the decomposition does not tell it apart.
    """
    kinds: tuple[str, ...] = {
        "mlp_out": ("mlp",),
        "attn_out": ("head", "attn", "attn_bias"),
        "neuron": ("neuron",),
    }.get(site.kind, ("head",))
    index = site.index if site.kind == "neuron" else None if site.kind in _WRITE else head
    rows = [
        row
        for row, component in enumerate(found.components)
        if component.kind in kinds and component.layer == site.layer and (index is None or component.index == index)
    ]
    if not rows:
        raise EngineError(
            f"The direct effect of {site.name} cannot be told apart from that of the rest of its layer.",
            code="not_decomposed",
            where=site.name,
        )
    return found.effects[rows].sum(0)


def _mean(values: Float[Tensor, " batch"]) -> m.Real:
    return m.Real.of(float(values.double().mean()))


def _error(values: Float[Tensor, " batch"]) -> m.Real | None:
    return m.Real.of(float(standard_error(values))) if len(values) > 1 else None
