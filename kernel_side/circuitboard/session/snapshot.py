"""A board as its views draw it: pure functions from the board's values to messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar, get_args
from weakref import WeakKeyDictionary

from circuitboard.address import Edge, Site, describe
from circuitboard.desk.top_tokens import top_tokens
from circuitboard.errors import InterventionError
from circuitboard.files import plain
from circuitboard.metrics import interval_of, standard_error
from circuitboard.prompts.answer_sets import few
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
    TokenColumn,
    TopToken,
    TopTokens,
    View,
)
from circuitboard.session.maps.map_grid import maps_of
from circuitboard.steps.clicking import clicked

if TYPE_CHECKING:
    from circuitboard.board import Board
    from circuitboard.desk.lab import Lab
    from circuitboard.desk.outcome import Shown
    from circuitboard.engine import Receipt
    from circuitboard.metrics import Metric
    from circuitboard.protocol.messages import Tree
    from circuitboard.steps import Edit

_T = TypeVar("_T")

MOST_OF_A_PROBLEM = 500
"""Characters that are told of why a board is not kept on disk."""

TOP_TOKENS = 8
"""Tokens in the panel's list."""

MOST_RESAMPLED = 1000
"""Prompts up to which a click can wait for the bootstrap interval; with more, the standard error says as much."""


def setup_of(board: Board, version: str) -> Setup:
    """What stays the same while the board lives."""
    prompts, lab = board.prompts, board.lab
    return Setup(
        protocol=PROTOCOL_VERSION,
        version=version,
        model=lab.adapter.name,
        dtype=str(lab.adapter.dtype).removeprefix("torch."),
        device=str(lab.adapter.device),
        n_layers=lab.adapter.shape.n_layers,
        n_heads=lab.adapter.shape.n_heads,
        n_positions=prompts.n_positions,
        prompts=_prompt_rows(board),
        has_corrupted=prompts.corrupted_tokens is not None,
        modes=[ModeInfo(mode, refusal_of(board, mode)) for mode in get_args(Mode)],
        maps=maps_of(lab.adapter),
        engine=EngineInfo(lab.choice.tier, lab.why),
    )


def refusal_of(board: Board, mode: Mode) -> str | None:
    """Why a click cannot do this on the run that is edited, or None if it can."""
    lab = board.lab
    try:
        lab.plan(board.base, [clicked(Site("resid_pre", 0), mode, lab.prompts)])
    except InterventionError as error:
        if error.code == "no_source_run":
            return "There is no second prompt to patch from."
        if error.code == "no_other_prompts":
            return "That needs several different prompts of one length, as a data set or as Board(reference=…)."
        raise
    return None


def snapshot_of(
    board: Board, shown: Shown, view: View, effects: Mapping[tuple[int, ...], float], history: Tree
) -> Snapshot:
    """The board's state; `effects` are those that are known of edits and groups, by their indices."""
    lab, outcome = board.lab, shown.outcome
    receipts = iter(outcome.receipts)
    edits = [
        _edit_row(board, edit, view, effects.get((index,)), next(receipts) if edit.enabled else None)
        for index, edit in enumerate(shown.history.state.edits)
    ]
    return Snapshot(
        revision=shown.revision,
        base=shown.history.state.base,
        metric=_metric_view(board, shown, lab.metric, outcome.change if shown.revision else None),
        more_metrics=[_metric_view(board, shown, metric, None) for metric in lab.metrics[1:]],
        edits=edits,
        groups=[
            GroupRow(name, None if (effect := effects.get(indices)) is None else Real.of(effect))
            for name, indices in shown.history.state.groups.items()
        ],
        can_undo=shown.history.can_undo,
        can_redo=shown.history.can_redo,
        history=history,
        top_tokens=_top_tokens(board, shown, view),
        notes=_notes(board),
        view=view,
        latency_ms=outcome.latency_ms if shown.revision else None,
        model_changed=board.lab.watch.known,
        unkept=_unkept(board),
    )


def _unkept(board: Board) -> str | None:
    problem = None if board.autosave is None else board.autosave.problem
    return None if problem is None else plain(problem)[:MOST_OF_A_PROBLEM]


def _metric_view(board: Board, shown: Shown, metric: Metric, change: float | None) -> MetricView:
    lab, base = board.lab, shown.history.state.base
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


def _prompt_rows(board: Board) -> list[PromptRow]:
    prompts = board.prompts
    paired = prompts.corrupted_tokens is not None
    clean, clean_ids = prompts.str_tokens("clean"), prompts.token_ids("clean")
    corrupted = prompts.str_tokens("corrupted") if paired else None
    corrupted_ids = prompts.token_ids("corrupted") if paired else None
    rows = []
    for n in range(prompts.n):
        first = prompts.n_positions - prompts.longest(n)
        columns = [TokenColumn("", "" if paired else None, differs=False, labels=[], padding=True)] * first
        for column in range(first, prompts.n_positions):
            # Ends lie in the last column; where one run is shorter, the other's first tokens stand alone.
            from_end = column - prompts.n_positions
            here, there = (_token(tokens, n, from_end) for tokens in (clean, corrupted))
            here_id, there_id = (_token(ids, n, from_end) for ids in (clean_ids, corrupted_ids))
            differs = prompts.corrupted_tokens is not None and (
                None in (here, there) or bool(prompts.clean_tokens[n, column] != prompts.corrupted_tokens[n, column])
            )
            columns.append(
                TokenColumn(
                    here or "",
                    None if corrupted is None else there or "",
                    differs,
                    prompts.marks_at(n, column),
                    padding=False,
                    clean_id=here_id,
                    corrupted_id=there_id,
                )
            )
        wrong = None if prompts.wrongs is None else _alternatives(board, prompts.wrongs.sets[n])
        rows.append(PromptRow(columns, _alternatives(board, prompts.answers.sets[n]), wrong))
    return rows


def _alternatives(board: Board, ids: Sequence[int]) -> list[str]:
    return list(few([board.prompts.token_str(token) for token in ids]))


_notes_by_lab: WeakKeyDictionary[Lab, list[PromptNote]] = WeakKeyDictionary()


def _notes(board: Board) -> list[PromptNote]:
    """The notes, read once for each measurement of the model."""
    found = _notes_by_lab.get(board.lab)
    if found is None:
        found = _notes_by_lab[board.lab] = [PromptNote(note.code, note.text, note.where) for note in board.notes]
    return found


def _token(tokens: list[list[_T]] | None, prompt: int, from_end: int) -> _T | None:
    """A token of a prompt, counted from its end; None before its beginning."""
    return None if tokens is None or -from_end > len(tokens[prompt]) else tokens[prompt][from_end]


def _edit_row(board: Board, edit: Edit, view: View, effect: float | None, receipt: Receipt | None) -> EditRow:
    intervention, prompts = edit.intervention, board.prompts
    site = intervention.site
    positions = None if site.positions is None else list(prompts.resolve(site.positions)[view.prompt])
    at = describe(site.positions)
    if intervention.how == "patch" and intervention.per == "label":
        # It acts at labels alone, whatever it names.
        row = prompts.resolve(site.positions)[view.prompt]
        positions = [column for column in row if prompts.labels_at(view.prompt, column)]
        at = "all labels" if site.positions is None else at
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
        positions=positions,
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


def _top_tokens(board: Board, shown: Shown, view: View) -> TopTokens:
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
        for row in top_tokens(board.lab, shown.run, TOP_TOKENS, view.prompt)
    ]
    last = board.prompts.n_positions - 1
    names = board.prompts.labels_at(view.prompt, last)
    return TopTokens(view.prompt, names[0] if names else str(board.prompts.lengths[view.prompt] - 1), rows)
