"""A board as its views draw it: pure functions from the board's values to messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, get_args
from weakref import WeakKeyDictionary

from circuitboard.address import Edge, Site, describe
from circuitboard.desk.notes import notes_of
from circuitboard.desk.top_tokens import top_tokens
from circuitboard.errors import InterventionError
from circuitboard.files import plain
from circuitboard.interventions.columns import by_label, columns_of
from circuitboard.metrics import interval_of, standard_error
from circuitboard.prompts.answer_sets import few
from circuitboard.prompts.columns import token_columns
from circuitboard.protocol.messages import (
    PROTOCOL_VERSION,
    Baselines,
    EditRow,
    EngineInfo,
    GroupRow,
    MetricView,
    Mode,
    ModeInfo,
    PromptNote,
    PromptRow,
    Real,
    Setup,
    Snapshot,
    TopToken,
    TopTokens,
    View,
)
from circuitboard.session.maps.map_grid import maps_of
from circuitboard.steps.clicking import clicked

if TYPE_CHECKING:
    from circuitboard.desk.desk import Desk
    from circuitboard.desk.lab import Lab
    from circuitboard.desk.outcome import Shown
    from circuitboard.engine import Receipt
    from circuitboard.metrics import Metric
    from circuitboard.protocol.messages import Tree
    from circuitboard.steps import Edit

MOST_OF_A_PROBLEM = 500
"""Characters that are told of why a board is not kept on disk."""

TOP_TOKENS = 8
"""Tokens in the panel's list."""

MOST_RESAMPLED = 1000
"""Prompts up to which a click can wait for the bootstrap interval; with more, the standard error says as much."""


def setup_of(desk: Desk, version: str) -> Setup:
    """What stays the same while the board lives."""
    prompts, lab = desk.prompts, desk.lab
    return Setup(
        protocol=PROTOCOL_VERSION,
        version=version,
        model=lab.adapter.name,
        dtype=str(lab.adapter.dtype).removeprefix("torch."),
        device=str(lab.adapter.device),
        n_layers=lab.adapter.shape.n_layers,
        n_heads=lab.adapter.shape.n_heads,
        n_positions=prompts.n_positions,
        prompts=_prompt_rows(desk),
        has_corrupted=prompts.corrupted_tokens is not None,
        modes=[ModeInfo(mode, refusal_of(desk, mode)) for mode in get_args(Mode)],
        maps=maps_of(lab.adapter),
        engine=EngineInfo(lab.choice.tier, lab.why),
    )


def refusal_of(desk: Desk, mode: Mode) -> str | None:
    """Why a click cannot do this on the run that is edited, or None if it can."""
    lab = desk.lab
    try:
        lab.plan(desk.base, [clicked(Site("resid_pre", 0), mode, lab.prompts)])
    except InterventionError as error:
        if error.code == "no_source_run":
            return "There is no second prompt to patch from."
        if error.code == "no_other_prompts":
            return "That needs several different prompts of one length, as a data set or as Board(reference=…)."
        raise
    return None


def snapshot_of(
    desk: Desk,
    shown: Shown,
    view: View,
    effects: Mapping[tuple[int, ...], float],
    history: Tree,
    unkept: str | None = None,
) -> Snapshot:
    """The board's state; `effects` are those that are known of edits and groups, by their indices, `unkept` is why it is not on disk."""
    lab, outcome = desk.lab, shown.outcome
    receipts = iter(outcome.receipts)
    edits = [
        _edit_row(desk, edit, view, effects.get((index,)), next(receipts) if edit.enabled else None)
        for index, edit in enumerate(shown.history.state.edits)
    ]
    return Snapshot(
        revision=shown.revision,
        base=shown.history.state.base,
        metric=_metric_view(desk, shown, lab.metric, outcome.change if shown.revision else None),
        more_metrics=[_metric_view(desk, shown, metric, None) for metric in lab.metrics[1:]],
        edits=edits,
        groups=[
            GroupRow(name, None if (effect := effects.get(indices)) is None else Real.of(effect))
            for name, indices in shown.history.state.groups.items()
        ],
        can_undo=shown.history.can_undo,
        can_redo=shown.history.can_redo,
        history=history,
        top_tokens=_top_tokens(desk, shown, view),
        notes=_notes(desk),
        view=view,
        latency_ms=outcome.latency_ms if shown.revision else None,
        model_changed=desk.lab.watch.known,
        unkept=None if unkept is None else plain(unkept)[:MOST_OF_A_PROBLEM],
    )


def _metric_view(desk: Desk, shown: Shown, metric: Metric, change: float | None) -> MetricView:
    lab, base = desk.lab, shown.history.state.base
    values = shown.outcome.values if metric is lab.metric else lab.values(shown.run, metric)
    clean, corrupted = lab.unedited(base, metric)
    unedited = clean if base == "clean" or corrupted is None else corrupted
    n = len(values)
    low, high = interval_of(values) if 1 < n <= MOST_RESAMPLED else (None, None)
    return MetricView(
        name=metric.name,
        unit=metric.unit,
        value=Real.of(float(values.double().mean())),
        values=[Real.of(value) for value in values.tolist()],
        base_values=[Real.of(value) for value in unedited.tolist()],
        stderr=Real.of(float(standard_error(values.double()))) if n > 1 else None,
        low=None if low is None else Real.of(low),
        high=None if high is None else Real.of(high),
        change=None if change is None else Real.of(change),
        baselines=Baselines(
            Real.of(float(clean.double().mean())),
            None if corrupted is None else Real.of(float(corrupted.double().mean())),
        ),
    )


def _prompt_rows(desk: Desk) -> list[PromptRow]:
    prompts = desk.prompts
    answers, wrongs = prompts.answers.sets, None if prompts.wrongs is None else prompts.wrongs.sets
    return [
        PromptRow(columns, _alternatives(desk, answers[n]), None if wrongs is None else _alternatives(desk, wrongs[n]))
        for n, columns in enumerate(token_columns(prompts))
    ]


def _alternatives(desk: Desk, ids: Sequence[int]) -> list[str]:
    return list(few([desk.prompts.token_str(token) for token in ids]))


_notes_by_lab: WeakKeyDictionary[Lab, list[PromptNote]] = WeakKeyDictionary()


def _notes(desk: Desk) -> list[PromptNote]:
    """The notes, read once for each measurement of the model."""
    found = _notes_by_lab.get(desk.lab)
    if found is None:
        found = _notes_by_lab[desk.lab] = [
            PromptNote(note.code, note.text, note.where) for note in notes_of(desk.lab, desk.pair)
        ]
    return found


def _edit_row(desk: Desk, edit: Edit, view: View, effect: float | None, receipt: Receipt | None) -> EditRow:
    intervention, prompts = edit.intervention, desk.prompts
    site = intervention.site
    at = describe(site.positions)
    if site.positions is None and by_label(intervention):
        at = "all labels"
    sources = None if site.sources is None else list(prompts.resolve(site.sources)[view.prompt])
    if not isinstance(site, Edge) and site.sources is not None:
        at += f" <- {describe(site.sources)}"
    return EditRow(
        site=site.name,
        kind=site.kind,
        layer=site.layer,
        index=site.index,
        how=intervention.how,
        what=str(intervention),
        strength=None if intervention.strength is None else Real.of(intervention.strength),
        positions=columns_of(intervention, prompts, view.prompt),
        at=at,
        enabled=edit.enabled,
        effect=None if effect is None else Real.of(effect),
        norm_before=None if receipt is None else Real.of(receipt.norm_before),
        norm_change=None if receipt is None else Real.of(receipt.norm_change),
        name=edit.name,
        group=edit.group,
        sources=sources,
        renormalize=intervention.renormalize,
    )


def _top_tokens(desk: Desk, shown: Shown, view: View) -> TopTokens:
    rows = [
        TopToken(
            token=row.token,
            token_id=row.token_id,
            prob=Real.of(row.prob),
            base_prob=Real.of(row.base_prob),
            logit=Real.of(row.logit),
            base_logit=Real.of(row.base_logit),
            rank=row.rank,
            side=row.side,
        )
        for row in top_tokens(desk.lab, shown.run, TOP_TOKENS, view.prompt)
    ]
    last = desk.prompts.n_positions - 1
    names = desk.prompts.labels_at(view.prompt, last)
    return TopTokens(view.prompt, names[0] if names else str(desk.prompts.lengths[view.prompt] - 1), rows)
