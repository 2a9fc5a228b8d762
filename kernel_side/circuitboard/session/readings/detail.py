"""What a detail panel shows of one component, read part by part on the worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from circuitboard.address import HEAD_KINDS, Site
from circuitboard.analysis import (
    WRITES,
    ComponentRun,
    Moved,
    component_run,
    copied,
    edit_effect,
    logit_lens,
    neurons,
    pattern_of,
    preferred_keys,
    query_heads,
    written,
)
from circuitboard.analysis.direct_effects import summed_effect
from circuitboard.desk.ground import ground_of
from circuitboard.errors import AddressError, Cancelled, CircuitboardError, EngineError
from circuitboard.interventions import check_site
from circuitboard.metrics import standard_error
from circuitboard.protocol import messages as m
from circuitboard.protocol.codec import error_info
from circuitboard.session.readings.asked import Asked
from circuitboard.session.readings.edit_effect import told
from circuitboard.steps.clicking import per_of
from circuitboard.sweeps import cell_effects

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.desk.desk import Desk
    from circuitboard.desk.outcome import Shown
    from circuitboard.engine import CancelToken
    from circuitboard.interventions import Plan
    from circuitboard.session.reader import Reading
    from circuitboard.sweeps import Ground

    Part = Generator[None, None, Any]

MOST_TOKENS = 512
"""Tokens of the longest prompt up to which attention patterns are sent: two of this size take 2 MiB."""

NEURONS = 20
"""Rows of the table of neurons."""

LENS_TOKENS = 5
"""Likeliest tokens of each residual stream."""

MOVED_TOKENS = 6
"""Tokens on each side of what a component writes."""


def detail_reading(
    request: m.Detail, desk: Desk, view: m.View, known: Callable[[Shown, Asked], m.PositionEffects | None]
) -> Reading:
    """What a request asks for, to be read later, or the reason why that does not exist.

    Parameters
    ----------
    known
        What is known already of a head's effect at each position of a state, if it is.
    """
    asked = Asked.of(request, desk, view)

    def read(answered: str, cancel: CancelToken) -> Generator[None, None, tuple[m.Detailed, list[bytes]]]:
        shown = desk.shown
        return (yield from read_detail(answered, desk, asked, shown, known(shown, asked), cancel))

    return read


def read_detail(
    request: str,
    desk: Desk,
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
    reader = _Reader(desk, asked, shown)
    parts: dict[m.DetailPart, Part] = {"effect": reader.effect(cancel)}
    head = asked.site.kind in HEAD_KINDS
    if head or asked.site.kind in WRITES:
        parts |= {"direct": reader.direct(cancel), "writes": reader.writes(cancel)}
    if head:
        parts["attention"] = reader.attention(cancel)
        if asked.circuit:
            parts["circuit"] = reader.circuit(cancel)
        if by_position is None and asked.by_position:
            parts["by_position"] = reader.by_position(cancel)
    else:
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
    circuit = found.get("circuit")
    answer = m.Detailed(
        request,
        revision=shown.revision,
        site=asked.site.name,
        prompt=asked.prompt,
        position=asked.column,
        row=asked.row,
        source=asked.source if circuit is None else circuit.source,
        effect=found.get("effect"),
        direct=found.get("direct"),
        writes=found.get("writes"),
        circuit=circuit,
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

    desk: Desk
    asked: Asked
    shown: Shown
    _made: list[ComponentRun] = field(default_factory=list)

    def attention(self, cancel: CancelToken) -> Generator[None, None, tuple[m.AttentionView, list[bytes]]]:
        lab, asked = self.desk.lab, self.asked
        site = Site("head.pattern", asked.site.layer, self._head(asked.site))
        check_site(site, lab.adapter)
        self._require_pattern(site)
        runs = yield from self._runs(cancel)
        now, base = (run.kept["head.pattern", site.layer] for run in (runs[0], runs[-1]))
        found = pattern_of(site, asked.prompt, self._ground.tokens(asked.prompt), now, base)
        length = len(found.tokens)
        buffers = [pattern.contiguous().numpy().astype("<f4").tobytes() for pattern in (found.pattern, found.base)]
        return m.AttentionView(list(found.tokens), [length, length], lab.prompts.n_positions - length), buffers

    def effect(self, cancel: CancelToken) -> Generator[None, None, m.EditEffect]:
        asked, now = self.asked, None
        if asked.site.kind in (*HEAD_KINDS, *WRITES):
            now = (yield from self._runs(cancel))[0]
        state = self.shown.history.state
        return told(
            (yield from edit_effect(self._ground, state, asked.site, asked.where, asked.how, now, cancel)), asked.where
        )

    def writes(self, cancel: CancelToken) -> Generator[None, None, m.WritesView]:
        lab, asked, site = self.desk.lab, self.asked, self._writer()
        outlets = lab.adapter.outlets()
        runs = yield from self._runs(cancel)
        found = [written(lab.adapter, outlets, run.kept, site, asked.row, asked.prompt) for run in runs]
        now, base = found[0], found[-1]
        return m.WritesView(asked.row, self._moves(now), self._moves(base), self._moves(now - base))

    def circuit(self, cancel: CancelToken) -> Generator[None, None, m.CircuitView]:
        lab, asked, site = self.desk.lab, self.asked, self._writer()
        layer, head = site.layer, self._head(site)
        now, source = (yield from self._runs(cancel))[0], asked.source
        if source is None:
            check_site(Site("head.pattern", layer, head), lab.adapter)
            self._require_pattern(site)
            own = lab.prompts.of(self.shown.history.state.base)
            padding = own.n_positions - own.lengths[asked.prompt]
            row = now.kept["head.pattern", layer][asked.prompt, head, asked.row, padding:]
            source = padding + int(row.nan_to_num(nan=-1.0).argmax())
        if source > asked.row:
            raise AddressError(
                f"Column {asked.row} comes before column {source} and does not see it.", code="position_out_of_range"
            )
        where = (asked.row, source, asked.prompt)
        copying = self._moves(copied(lab.adapter, lab.adapter.outlets(), now.kept, site, *where))
        yield
        keys, refused = None, None
        try:
            check_site(Site("head.q", layer, head), lab.adapter)
            queries, base = now.kept["head.q", layer], self.shown.run.plan.base
            found = yield from preferred_keys(lab.adapter, base, queries, layer, head, *where, cancel)
            keys = self._moves(found)
        except EngineError as error:
            refused = error_info(error)
        return m.CircuitView(asked.row, source, copying, keys, refused)

    def direct(self, cancel: CancelToken) -> Generator[None, None, m.DirectView]:
        site, head = self.asked.site, self._head(self.asked.site)
        runs = yield from self._runs(cancel)
        found = [summed_effect(run.direct, site, (head,)) for run in runs]
        now, base = found[0], found[-1]
        return m.DirectView(_mean(now), _error(now), _mean(base))

    def by_position(self, cancel: CancelToken) -> Generator[None, None, m.PositionEffects]:
        desk, asked, shown = self.desk, self.asked, self.shown
        head = self._head(asked.site)
        per = per_of(asked.how, desk.prompts)
        grid = desk.maps.grid("head", by="pos", how=asked.how, layers=[asked.site.layer], per=per)
        cells = [cell for cell in grid.cells if cell.site.index == head]
        effects = yield from cell_effects(self._ground, shown.history.state, cells, cancel, by_position=True)
        columns = list(grid.positions or ())
        return m.PositionEffects(asked.how, columns, [_mean(effect) for effect in effects])

    def neurons(self, cancel: CancelToken) -> Generator[None, None, m.NeuronTable]:
        layer, prompts = self.asked.site.layer, self.desk.prompts
        check_site(Site("neuron", layer, 0), self.desk.lab.adapter)
        self._require_tokens()
        where = prompts.at_columns([self.asked.column])
        found = yield from neurons(self._ground, layer, where, NEURONS, or_direct=True, how=self.asked.how)(cancel)
        one = prompts.n == 1
        return m.NeuronTable(
            layer,
            self.asked.how,
            "estimate" if found.order == "sweep" else "direct",
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
                for row in found.to_dataframe().itertuples(index=False)
            ],
        )

    def lens(self, cancel: CancelToken) -> Generator[None, None, list[m.LensRow]]:
        lab, prompt = self.desk.lab, self.asked.prompt
        self._require_tokens()
        where = self.desk.prompts.at_columns([self.asked.column])
        found = yield from logit_lens(self._ground, where, LENS_TOKENS)(cancel)
        now, base = found.current, found.base
        return [
            m.LensRow(
                site=f"{kind} {layer}",
                layer=layer,
                logit_diff=_mean(now.logit_diff[entry, 0]),
                base_logit_diff=_mean(base.logit_diff[entry, 0]),
                prob=_mean(now.prob[entry, 0]),
                tokens=[
                    m.LensToken(lab.prompts.token_str(token), token, m.Real.of(prob))
                    for token, prob in zip(
                        now.top_ids[entry, 0, prompt].tolist(), now.top_probs[entry, 0, prompt].tolist(), strict=True
                    )
                ],
            )
            for entry, (kind, layer) in enumerate(found.entries)
        ]

    @property
    def _ground(self) -> Ground:
        return ground_of(self.desk.lab, self.shown.run)

    def _moves(self, logits: Tensor) -> m.Moves:
        moved, name = Moved.of(logits, MOVED_TOKENS), self.desk.lab.prompts.token_str
        up, down = (
            [
                m.MovedToken(name(token), token, m.Real.of(logit))
                for token, logit in zip(ids.tolist(), values.tolist(), strict=True)
            ]
            for ids, values in ((moved.up_ids, moved.up_logits), (moved.down_ids, moved.down_logits))
        )
        return m.Moves(up, down)

    def _runs(self, cancel: CancelToken) -> Generator[None, None, list[ComponentRun]]:
        """The run as it is and the base run, which are one without edits; each is made once."""
        for plan in self._plans()[len(self._made) :]:
            pattern = self.desk.prompts.n_positions <= MOST_TOKENS
            self._made.append(component_run(self._ground, plan, self._writer(), cancel, pattern=pattern))
            yield
        return self._made

    def _head(self, site: Site) -> int:
        """The head of a site; of a key or value that several heads share, the first of them."""
        return query_heads(self.desk.lab.adapter.shape, site)[0]

    def _writer(self) -> Site:
        """The component; of a part of a head, the head."""
        site = self.asked.site
        return Site("head", site.layer, self._head(site)) if site.kind in HEAD_KINDS else site

    def _plans(self) -> list[Plan]:
        """The run as it is and the base run, which are one without edits."""
        now = self.shown.run.plan
        base = self.desk.lab.plan(self.shown.history.state.base, ())
        return [now, base] if now.writes else [now]

    def _require_pattern(self, site: Site) -> None:
        """Refuse patterns that are too large to be kept and sent."""
        tokens = self.desk.prompts.n_positions
        if tokens > MOST_TOKENS:
            raise EngineError(
                f"The pattern of {tokens} tokens is too large to send: {MOST_TOKENS} at most. Read it with board.attention({site.layer}, {site.index}, prompt={self.asked.prompt}).",
                code="pattern_too_large",
            )

    def _require_tokens(self) -> None:
        """Refuse a column that is padding in some prompts, where means over prompts would be of nothing."""
        prompts, column = self.desk.prompts, self.asked.column
        padded = sum(column < prompts.n_positions - length for length in prompts.lengths)
        if padded:
            raise AddressError(
                f"Column {column} is padding in {padded} of {prompts.n} prompts; choose a position that all have.",
                code="position_out_of_range",
            )


def _mean(values: Float[Tensor, " batch"]) -> m.Real:
    return m.Real.of(float(values.double().mean()))


def _error(values: Float[Tensor, " batch"]) -> m.Real | None:
    return m.Real.of(float(standard_error(values))) if len(values) > 1 else None
