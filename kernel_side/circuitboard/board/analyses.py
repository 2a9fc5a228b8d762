"""The board's analyses: what can be read off its runs, with the edits in force and without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from circuitboard.address import Intervention, Site, count_of, entries, one_of, positions_of, truth, whole
from circuitboard.analysis import (
    AttentionPattern,
    DirectLogitAttribution,
    LogitLens,
    NeuronReading,
    SelfRepair,
    StaticView,
    attention_view,
    by_size,
    direct_effects,
    neuron_activations,
    neuron_table,
    per_prompt_table,
    read_lens,
    read_neurons,
    require_order,
    self_repair_of,
    strongest,
    tokens_view,
    windows,
)
from circuitboard.desk.maps import Maps
from circuitboard.desk.top_tokens import require_prompt
from circuitboard.engine.recording import recorded
from circuitboard.errors import AddressError, InterventionError, PromptError
from circuitboard.interventions import check_site
from circuitboard.prompts import PromptPair
from circuitboard.prompts.text import read_text
from circuitboard.steps.requested import requested

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.desk.lab import Lab
    from circuitboard.desk.outcome import Shown
    from circuitboard.desk.timeline import Steps
    from circuitboard.engine import CancelToken, Worker
    from circuitboard.interventions import Plan
    from circuitboard.prompts.pair import Text


class Analyses:
    """The methods of a board that read its runs."""

    _model: TransformerBridge
    _lab: Lab
    _worker: Worker
    _steps: Steps

    def logit_lens(self, pos: object = -1, top: int = 5, *, mid: bool = False) -> LogitLens:
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
        lab, shown = self._lab, self._steps.shown
        positions = self._columns(pos)
        top = count_of("top", top)
        mid = _flag("mid", mid)
        prompts = lab.prompts.of(shown.history.state.base)

        def work(cancel: CancelToken) -> LogitLens:
            entries, now = read_lens(lab.adapter, shown.run.plan, prompts, positions, cancel, mid=mid, top=top)
            base = now
            if shown.run.plan.writes:
                _, base = read_lens(lab.adapter, self._base(shown), prompts, positions, cancel, mid=mid, top=top)
            return LogitLens(entries, positions, now, base, prompts)

        return self._worker.run(work)

    def direct_logit_attribution(self, *, neurons: object = False) -> DirectLogitAttribution:
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
        lab, plan = self._lab, self._steps.shown.run.plan
        layers = self._layers_of_neurons(neurons)

        def work(cancel: CancelToken) -> DirectLogitAttribution:
            outlets = lab.adapter.outlets()
            found = direct_effects(lab.adapter, outlets, plan, lab.prompts, cancel, neurons=layers)
            shape = lab.adapter.shape
            return DirectLogitAttribution.of(found, outlets.logit_softcap, shape.n_layers, shape.n_heads)

        return self._worker.run(work)

    def self_repair(self, *interventions: Intervention) -> SelfRepair:
        """Direct effects of all components before and after these edits on top of the current ones; nothing is kept.

        Tells who makes up for the edits, and what the final norm does by its scale. See `SelfRepair` for formulas and
        sources.
        """
        lab, shown = self._lab, self._steps.shown
        state = shown.history.state
        edits = requested(interventions)
        plan = lab.plan(state.base, state.added(edits).active)

        def work(cancel: CancelToken) -> SelfRepair:
            outlets = lab.adapter.outlets()
            before = direct_effects(lab.adapter, outlets, shown.run.plan, lab.prompts, cancel)
            after = direct_effects(lab.adapter, outlets, plan, lab.prompts, cancel)
            shape = lab.adapter.shape
            own = plan.writes[len(shown.run.plan.writes) :]
            return self_repair_of(before, after, own, shape.n_heads // shape.n_kv_heads)

        return self._worker.run(work)

    def attention(self, layer: int, head: int, prompt: int = 0) -> AttentionPattern:
        """Where a head looks in one prompt, with the edits in force and without: probabilities [dest, src]."""
        lab, shown = self._lab, self._steps.shown
        site = Site("head.pattern", layer, head)
        check_site(site, lab.adapter)
        prompt, head = require_prompt(lab, prompt), site.index or 0
        place = (site.kind, site.layer)

        def work(cancel: CancelToken) -> tuple[Tensor, Tensor]:
            now = recorded(lab.adapter, shown.run.plan, [place], cancel).activations[place]
            base = now
            if shown.run.plan.writes:
                base = recorded(lab.adapter, self._base(shown), [place], cancel).activations[place]
            return now[prompt, head], base[prompt, head]

        now, base = self._worker.run(work)
        first = lab.prompts.n_positions - lab.prompts.of(shown.history.state.base).lengths[prompt]
        return AttentionPattern(
            site.layer,
            head,
            prompt,
            tuple(lab.prompts.str_tokens(shown.history.state.base)[prompt]),
            now[first:, first:].float().cpu(),
            base[first:, first:].float().cpu(),
        )

    def show_attention(self, layer: int, head: int, prompt: int = 0) -> StaticView:
        """CircuitsVis's picture of a head's attention; needs the extra `[vis]`, and no network."""
        return attention_view(self.attention(layer, head, prompt))

    def show_tokens(self, values: Float[Tensor, " pos"] | Sequence[float], prompt: int = 0) -> StaticView:
        """CircuitsVis's picture of one prompt's tokens, coloured by a number each; needs the extra `[vis]`, and no network."""
        prompt = require_prompt(self._lab, prompt)
        return tokens_view(self._lab.prompts.str_tokens(self._steps.shown.history.state.base)[prompt], values)

    def neurons(
        self, layer: int, pos: object = -1, k: int = 20, *, order: str = "sweep", how: str | None = None
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
        lab, shown = self._lab, self._steps.shown
        require_order(order)
        k = count_of("k", k)
        site = Site("neuron", layer, 0)
        check_site(site, lab.adapter)
        layer = site.layer
        rows = self._columns(pos)
        if any(len(row) != 1 for row in rows):
            raise AddressError(
                f"Neurons are shown at one position of each prompt, and {pos!r} means {max(map(len, rows))}.",
                code="position_out_of_range",
            )
        columns = [row[0] for row in rows]
        maps = Maps(lab, self._worker, self._steps)
        aligned = lab.prompts.aligned
        if how is None:
            how = "zero" if lab.source(shown.history.state.base) is None or not aligned else "patch"
        per = None if aligned else "label"
        cells = maps.grid(
            "neuron", how=how, layers=[layer], positions=pos, per=per if one_of(how, ("patch",)) else None
        ).cells
        lab.plan(shown.history.state.base, cells[:1])

        def read(cancel: CancelToken) -> tuple[NeuronReading, NeuronReading, Tensor | None]:
            outlets = lab.adapter.outlets()
            now = read_neurons(lab.adapter, outlets, shown.run.plan, lab.prompts, layer, columns, cancel)
            base = now
            if shown.run.plan.writes:
                base = read_neurons(lab.adapter, outlets, self._base(shown), lab.prompts, layer, columns, cancel)
            return now, base, maps.estimate(shown.run, cells, cancel, needed=order == "sweep")

        now, base, estimate = self._worker.run(read)
        if estimate is None and order == "sweep":
            raise InterventionError(
                f"Neurons cannot be ordered by their effect on {lab.metric.name}: the metric or the model has no gradient to estimate it from; choose another order, or sweep them all with board.sweep('neuron', layers=[{layer}]).",
                code="unknown_order",
            )
        if estimate is None:
            estimate = torch.full((len(cells), lab.prompts.n), torch.nan)
        chosen = by_size(order, now, base, estimate)[:k]
        exact = self._worker.run_background(
            lambda cancel: maps.cells(shown.run, [cells[index] for index in chosen], cancel)
        )
        frame = neuron_table(layer, chosen, now, base, estimate, exact - shown.outcome.values)
        frame.attrs["how"] = how
        return frame

    def max_activating(self, text: Text | PromptPair, layer: int, index: int, k: int = 10) -> pd.DataFrame:
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
        lab = self._lab
        site = Site("neuron", layer, index)
        check_site(site, lab.adapter)
        k = count_of("k", k)
        texts = self._token_ids(text)
        bos = getattr(getattr(self._model, "tokenizer", None), "bos_token_id", None)
        parts = list(windows(texts, lab.adapter.shape.n_ctx, bos))
        found = self._worker.run(
            lambda cancel: neuron_activations(lab.adapter, parts, site.layer, site.index or 0, cancel)
        )
        show = lab.prompts.token_str
        return strongest(parts, found, k, [[show(token) for token in ids] for ids in texts])

    def per_prompt(self, on: str | None = None) -> pd.DataFrame:
        """The metric prompt by prompt, largest |change| first.

        Columns: prompt, text, value, base_value (without edits), change, answer, wrong, top_token, top_prob, outlier. A
        prompt is an outlier if its change lies more than 1.5 interquartile ranges outside the quartiles (Tukey), with
        four prompts or more, or is not finite.

        Parameters
        ----------
        on
            Which of the board's metrics; default the first.
        """
        lab, shown = self._lab, self._steps.shown
        run = shown.history.state.base
        metric = lab.metric_called(on)
        unedited = lab.unedited(run, metric)
        base_values = unedited.clean if run == "clean" else unedited.corrupted
        assert base_values is not None  # noqa: S101  a base that does not exist is refused
        values = lab.values(shown.run, metric)
        return per_prompt_table(values, base_values, shown.run.logits[:, -1], lab.prompts, run=run)

    def _base(self, shown: Shown) -> Plan:
        """The base run without edits."""
        return self._lab.plan(shown.history.state.base, ())

    def _columns(self, pos: object) -> tuple[tuple[int, ...], ...]:
        """Columns of the token tensors, as many for each prompt."""
        rows = self._lab.prompts.of(self._steps.shown.history.state.base).resolve(positions_of(pos))
        if len({len(row) for row in rows}) > 1:
            raise AddressError(
                f"{pos!r} means {min(map(len, rows))} positions in one prompt and {max(map(len, rows))} in another; choose as many in each, such as -1, a label or slice(-3, None).",
                code="position_out_of_range",
            )
        return rows

    def _layers_of_neurons(self, neurons: object) -> tuple[int, ...]:
        shape = self._lab.adapter.shape
        asked = truth(neurons)
        if neurons is None or asked is False:
            return ()
        one = whole(neurons)
        layers = range(shape.n_layers) if asked else entries(neurons) if one is None else (one,)
        if layers is None:
            raise InterventionError(
                f"neurons is True (of all layers), False, a layer or a list of layers, not {neurons!r}.",
                code="unknown_site",
            )
        sites = [Site("neuron", layer, 0) for layer in layers]
        for site in sites:
            check_site(site, self._lab.adapter)
        return tuple(site.layer for site in sites)

    def _token_ids(self, text: Text | PromptPair) -> list[list[int]]:
        """The tokens of each text, read as the board's prompts are."""
        if isinstance(text, PromptPair):
            return text.bind(self._model).token_ids("clean")
        # A pair checks that these are texts or token ids at all.
        given = PromptPair(text, answer=0).clean
        asked = self._lab.prompts.bos_added
        rows = [
            read_text(f"text {index}", one, self._model, prepend_bos=asked) if isinstance(one, str) else one.tolist()
            for index, one in enumerate(given)
        ]
        d_vocab = self._lab.adapter.shape.d_vocab
        for index, row in enumerate(rows):
            if min(row) < 0 or max(row) >= d_vocab:
                raise PromptError(
                    f"Text {index} holds token ids {min(row)} … {max(row)}, but this model's are 0 … {d_vocab - 1}.",
                    code="token_out_of_range",
                )
        return rows


def _flag(name: str, given: object) -> bool:
    found = truth(given)
    if found is None:
        raise InterventionError(f"{name} is True or False, not {given!r:.60}.", code="bad_count")
    return found
