"""A run that a user names: prompts, and edits in force. What edits may be patched from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from circuitboard.address import Intervention, entries, whole
from circuitboard.boundary import public
from circuitboard.errors import InterventionError, PromptError
from circuitboard.prompts import PromptPair, spread_over

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.address.run import SourceRun
    from circuitboard.prompts import Prompts


@public
@dataclass(frozen=True)
class Run:
    """A forward pass over prompts, edited or not: `cb.head(9, 6).patch(run)` takes activations from it.

    It is a description; the board that uses it computes it. Two runs are equal if they say the same.

    Parameters
    ----------
    prompts
        A string, a list of strings, token ids [pos] or [batch, pos], or a list of tensors [pos]. As many prompts as the
        board has, or one for all of them. Where they are not as long as the board's, patches say which position they
        take: `.patch(run, from_=-1)`, or `.patch(run, per="label")` with `labels` here.
    interventions
        Edits in force, in order. A patch among them must name its own run; means and resamples come from the board's
        reference prompts.
    prepend_bos
        As for `PromptPair`; None for whatever the board's own texts have.
    labels
        Names for positions, as for `PromptPair`. A run on the board's own prompts has the board's labels without.

    Raises
    ------
    PromptError
        As `PromptPair`.
    InterventionError
        `no_source_run` for a patch that names no run; `unknown_intervention` for what is none.
    """

    prompts: tuple[str, ...] | tuple[tuple[int, ...], ...]
    interventions: tuple[Intervention, ...]
    prepend_bos: bool | None
    labels: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def __init__(
        self,
        prompts: Any,
        interventions: Iterable[Intervention] = (),
        *,
        prepend_bos: bool | None = None,
        labels: Mapping[str, Any] | None = None,
    ) -> None:
        pair = PromptPair(prompts, answer=0, prepend_bos=prepend_bos, labels=labels)
        rows = tuple(row if isinstance(row, str) else tuple(row.tolist()) for row in pair.clean)
        edits: Sequence[Any] | None = (
            (interventions,) if isinstance(interventions, Intervention) else entries(interventions)
        )
        if edits is None:
            edits = (interventions,)
        for edit in edits:
            if not isinstance(edit, Intervention):
                raise InterventionError(
                    f"A run takes interventions such as cb.head(9, 6).zero(), not {edit!r:.80}.",
                    code="unknown_intervention",
                )
            if edit.how == "patch" and edit.run is None:
                raise InterventionError(
                    f"{edit.site} is patched within a run, which has no source run: name one, as in .patch(cb.Run(…)).",
                    code="no_source_run",
                    where=str(edit.site),
                )
        object.__setattr__(self, "prompts", rows)
        object.__setattr__(self, "interventions", tuple(edits))
        object.__setattr__(self, "prepend_bos", pair.prepend_bos)
        object.__setattr__(self, "labels", _named(pair.labels, len(rows)))

    def bind(self, model: TransformerBridge, *, prepend_bos: bool | None = None) -> Prompts:
        """The prompts as a model reads them, with or without BOS as asked here if the run does not say.

        Raises
        ------
        PromptError
            As `PromptPair.bind`.
        """
        return bind_run(self, model, prepend_bos=prepend_bos)

    def __str__(self) -> str:
        first = self.prompts[0]
        shown = repr(f"{first[:24]}…" if len(first) > 25 else first) if isinstance(first, str) else f"{len(first)} ids"  # noqa: PLR2004
        more = "" if len(self.prompts) == 1 else f" +{len(self.prompts) - 1}"
        edits = f", {len(self.interventions)} edits" if self.interventions else ""
        return f"Run({shown}{more}{edits})"


def bind_run(run: SourceRun, model: TransformerBridge, *, prepend_bos: bool | None = None) -> Prompts:
    """The prompts of a run as a model reads them; see `Run.bind`."""
    import torch

    given: Any = [row if isinstance(row, str) else torch.tensor(row) for row in run.prompts]
    bos = prepend_bos if run.prepend_bos is None else run.prepend_bos
    return PromptPair(given, answer=0, prepend_bos=bos, labels=dict(run.labels)).bind(model)


def _named(labels: Mapping[str, Any], n: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Labels as a value, one position a prompt; whether the prompts have these is seen when a model reads them."""
    found = []
    for name, given in labels.items():
        positions = [whole(one) for one in spread_over(name, given, n)]
        if not isinstance(name, str) or None in positions:
            raise PromptError(
                f"Label {name!r} of a run must name one position a prompt, an integer each, not {given!r:.60}.",
                code="bad_label",
            )
        found.append((name, tuple(one for one in positions if one is not None)))
    return tuple(found)
