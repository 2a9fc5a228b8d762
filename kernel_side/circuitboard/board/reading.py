"""The readings of a board: what can be read off its runs, with the edits in force and without. `Board` has these as its methods."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from circuitboard import analysis
from circuitboard.address import Intervention, whole
from circuitboard.analysis import (
    AttentionPattern,
    DirectLogitAttribution,
    LogitLens,
    SelfRepair,
    StaticView,
    attention_view,
    per_prompt_table,
    tokens_view,
)
from circuitboard.desk.ground import ground_of
from circuitboard.desk.top_tokens import require_prompt
from circuitboard.desk.top_tokens import top_tokens as likeliest_of
from circuitboard.engine import CancelToken, HookedEngine
from circuitboard.errors import AddressError, there
from circuitboard.steps.requested import requested

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float
    from numpy.typing import ArrayLike
    from torch import Tensor

    from circuitboard.address import PositionsLike
    from circuitboard.analysis import Order
    from circuitboard.desk.desk import OnDesk
    from circuitboard.desk.outcome import Outcome
    from circuitboard.prompts import PromptPair
    from circuitboard.prompts.pair import Text
    from circuitboard.sweeps import SweepHow


def logits(board: OnDesk, pos: int = -1) -> Float[Tensor, "batch d_vocab"]:
    """The logits of the current run at a position (−1: where the answer is read), on the CPU."""
    position = whole(pos)
    if position is None:
        raise AddressError(f"A position is an integer, not {pos!r:.60}.", code="position_out_of_range")
    columns = [row[0] for row in board.desk.prompts.resolve((position,))]
    run = board.desk.current.run
    if all(column == board.desk.prompts.answer_position for column in columns):
        return _copy(run.logits[:, -1])
    if board.desk.lab.reads != "all":
        every, plan = HookedEngine(board.desk.lab.adapter, "all"), run.plan
        run = board.desk.worker.run(lambda cancel: every.run(plan, cancel=cancel))
    return _copy(run.logits[range(board.desk.prompts.n), columns])


def top_tokens(board: OnDesk, k: int = 10, *, prompt: int = 0) -> pd.DataFrame:
    """The likeliest next tokens, and the right and the wrong answer wherever they are.

    Columns: token, token_id, logit, prob, base_logit, base_prob, change (of the logit), rank (1 is the likeliest) and
    side: "answer", "wrong" or nothing.
    """
    import pandas as pd

    rows = likeliest_of(board.desk.lab, board.desk.current.run, k, prompt)
    columns = ["token", "token_id", "logit", "prob", "base_logit", "base_prob", "change", "rank", "side"]
    return pd.DataFrame([[getattr(row, name) for name in columns] for row in rows], columns=columns)


def preview(board: OnDesk, *interventions: Intervention) -> Outcome:
    """The outcome of these edits on top of the current ones; nothing is kept."""
    shown = board.desk.shown
    state = shown.history.state.added(requested(interventions))
    plan = board.desk.lab.plan(state.base, state.active)

    def work(cancel: CancelToken) -> Outcome:
        start = time.perf_counter()
        run = board.desk.lab.choice.engine.run(plan, near=shown.run, cancel=cancel)
        return board.desk.timeline.outcome(run, shown.outcome.values, start)

    return board.desk.worker.run(work)


def logit_lens(board: OnDesk, pos: PositionsLike = -1, top: int = 5, *, mid: bool = False) -> LogitLens:
    """What the model would say if it stopped at an earlier layer, with the edits in force and without.

    unembed(ln_final(x)) of the residual stream x that enters each block and that leaves the last one, in logits.
    nostalgebraist 2020, "interpreting GPT: the logit lens".

    Parameters
    ----------
    pos
        Positions, as `.at()` takes them: an int, a label, a slice, a list, "all"; as many in each prompt.
    top
        How many of the likeliest tokens to show.
    mid
        Read the streams between attention and MLP too.
    """
    return board.desk.worker.run_background(
        analysis.logit_lens(ground_of(board.desk.lab, board.desk.shown.run), pos, top, mid=mid)
    )


def direct_logit_attribution(board: OnDesk, *, neurons: bool | int | Sequence[int] = False) -> DirectLogitAttribution:
    """What each component of the current run adds to logit(answer) − logit(wrong) by itself, in logits.

    The final norm is held at the scale that it has in the current run; with that, the components sum to the logit
    difference. See `DirectLogitAttribution` for the formula and its sources.

    Parameters
    ----------
    neurons
        True, a layer or a list of layers: give their MLPs neuron by neuron.

    Raises
    ------
    CircuitboardError
        `not_decomposed` or `no_outlets`, with the reason, for a model whose logits are no such sum.
    """
    return board.desk.worker.run_background(
        analysis.direct_logit_attribution(ground_of(board.desk.lab, board.desk.shown.run), neurons)
    )


def self_repair(board: OnDesk, *interventions: Intervention) -> SelfRepair:
    """Direct effects of all components before and after these edits on top of the current ones; nothing is kept.

    Tells who makes up for the edits, and what the final norm does by its scale. See `SelfRepair` for formulas and
    sources.
    """
    shown = board.desk.shown
    edited = shown.history.state.added(requested(interventions)).active
    return board.desk.worker.run_background(analysis.self_repair(ground_of(board.desk.lab, shown.run), edited))


def attention(board: OnDesk, layer: int, head: int, prompt: int = 0) -> AttentionPattern:
    """Where a head looks in one prompt, with the edits in force and without: probabilities [dest, src]."""
    return board.desk.worker.run_background(
        analysis.attention(ground_of(board.desk.lab, board.desk.shown.run), layer, head, prompt)
    )


def show_attention(board: OnDesk, layer: int, head: int, prompt: int = 0) -> StaticView:
    """CircuitsVis's picture of a head's attention; needs the extra `[vis]`, and no network."""
    return attention_view(attention(board, layer, head, prompt))


def show_tokens(board: OnDesk, values: ArrayLike, prompt: int = 0) -> StaticView:
    """CircuitsVis's picture of one prompt's tokens, coloured by a number each; needs the extra `[vis]`, and no network."""
    prompt = require_prompt(board.desk.lab, prompt)
    return tokens_view(board.desk.lab.prompts.str_tokens(board.desk.shown.history.state.base)[prompt], values)


def neurons(
    board: OnDesk,
    layer: int,
    pos: PositionsLike = -1,
    k: int = 20,
    *,
    order: Order = "sweep",
    how: SweepHow | None = None,
) -> pd.DataFrame:
    """The `k` neurons of a layer that matter most at one position of each prompt; all numbers are means over prompts.

    Parameters
    ----------
    layer, pos
        Where; a position is an int or a label.
    order
        By the size of "sweep" (the estimated effect of editing the neuron), "direct", "activation", "change" or
        "congruence".
    how
        What the sweep does to a neuron, as in `sweep`; default "patch" if there is a source run, else "zero".

    Returns
    -------
    DataFrame
        Columns: neuron, index, activation and base_activation (after the non-linearity, current and base run);
        direct and direct_stderr (its part of the direct logit attribution, in logits; 0 away from the answer
        position); congruence (W_out · (W_U[answer] − W_U[wrong]), the final norm's weight folded in and its scale
        left out); estimate (attribution patching, for all neurons of the layer) and, for the rows shown, effect
        and effect_stderr: the exact change of the board's metric when the neuron is edited on top of the current
        edits. `attrs["how"]` says how.
    """
    asked = analysis.neurons(ground_of(board.desk.lab, board.desk.shown.run), layer, pos, k, order=order, how=how)
    return board.desk.worker.run_background(asked).to_dataframe()


def max_activating(board: OnDesk, text: Text | PromptPair, layer: int, index: int, k: int = 10) -> pd.DataFrame:
    """The `k` tokens of a text at which a neuron is most active, in the model without edits.

    Parameters
    ----------
    text
        A string, a list of strings, token ids, or a `PromptPair` (its clean prompts). BOS is put in front as in the
        board's own prompts. What is longer than the model reads is cut into windows that follow each other.

    Returns
    -------
    DataFrame
        activation, token, text (its index), pos (in that text), before and after (the tokens around it).
    """
    lab = board.desk.lab
    asked = analysis.max_activating(board.desk.model, lab.adapter, lab.prompts, text, layer, index, k)
    return board.desk.worker.run_background(asked).to_dataframe()


def per_prompt(board: OnDesk, on: str | None = None) -> pd.DataFrame:
    """The metric prompt by prompt, largest |change| first.

    Columns: prompt, text, value, base_value (without edits), change, answer, wrong, top_token, top_prob, outlier. A
    prompt is an outlier if its change lies more than 1.5 interquartile ranges outside the quartiles (Tukey), with
    four prompts or more, or is not finite.

    Parameters
    ----------
    on
        Which of the board's metrics; default the first.
    """
    lab, shown = board.desk.lab, board.desk.shown
    run = shown.history.state.base
    metric = lab.metric_called(on)
    unedited = lab.unedited(run, metric)
    # A base that does not exist is refused.
    base_values = unedited.clean if run == "clean" else there(unedited.corrupted)
    values = lab.values(shown.run, metric)
    return per_prompt_table(values, base_values, shown.run.logits[:, -1], lab.prompts, run=run)


def _copy(tensor: Tensor) -> Tensor:
    """What a user may write into: float32 on the CPU, no memory of ours."""
    return tensor.detach().to("cpu", torch.float32, copy=True)
