"""The logit lens: what the model would say if it stopped at an earlier layer."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.address import ByContent, count_of, prompt_of, truth
from circuitboard.analysis.read_out import selected
from circuitboard.boundary import public
from circuitboard.engine import tolerance
from circuitboard.engine.batches import in_batches
from circuitboard.engine.recording import recorded
from circuitboard.errors import EngineError, InterventionError, ModelError
from circuitboard.metrics import probs_of, standard_error

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float, Int
    from torch import Tensor

    from circuitboard.address import PositionsLike
    from circuitboard.engine import CancelToken, InPieces
    from circuitboard.interventions import Plan
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.models.shape import Place
    from circuitboard.prompts import Prompts
    from circuitboard.sweeps import Ground


@public
@dataclass(frozen=True, eq=False)
class LensReading(ByContent):
    """One run read through the lens.

    Parameters
    ----------
    logit_diff
        logit(answer) − logit(wrong), or logit(answer) without a wrong one, float32 [entry, pos, batch], in logits.
    prob
        Softmax probability of the answer, the sum over several, float32 [entry, pos, batch].
    top_ids, top_logits, top_probs
        The likeliest tokens, likeliest first, [entry, pos, batch, top].
    """

    logit_diff: Float[Tensor, "entry pos batch"]
    prob: Float[Tensor, "entry pos batch"]
    top_ids: Int[Tensor, "entry pos batch top"]
    top_logits: Float[Tensor, "entry pos batch top"]
    top_probs: Float[Tensor, "entry pos batch top"]


@public
@dataclass(frozen=True, eq=False)
class LogitLens(ByContent):
    """Each residual stream read by the model's own final norm and unembedding, with edits in force and without.

    Entry e of a position is unembed(ln_final(x_e)), the norm computed anew on x_e, and then whatever the architecture
    does to its logits; the last entry is the model's own output. (nostalgebraist 2020, "interpreting GPT: the logit
    lens"; TransformerLens's `tools.analysis.logit_lens`.)

    Parameters
    ----------
    entries
        The residual streams, e.g. ("resid_pre", 0), in order; the last is the one that leaves the last block.
    positions
        Columns of the token tensors, one row a prompt.
    current, base
        The current run, and the base run without edits.
    prompts
        What was read.
    """

    entries: tuple[Place, ...]
    positions: tuple[tuple[int, ...], ...]
    current: LensReading
    base: LensReading
    prompts: Prompts

    def __getstate__(self) -> dict[str, Any]:
        """Without the tokenizer, with the names of all tokens that it shows."""
        shown = {token for run in (self.current, self.base) for token in run.top_ids.flatten().tolist()}
        return super().__getstate__() | {"prompts": self.prompts.naming(shown)}

    @property
    def change(self) -> Float[Tensor, "entry pos batch"]:
        """The logit difference of the current run minus that of the base run."""
        return self.current.logit_diff - self.base.logit_diff

    def tokens(self, prompt: int = 0, *, base: bool = False) -> list[list[list[str]]]:
        """The likeliest tokens of one prompt, [entry][pos][top]."""
        prompt = prompt_of(self.prompts.n, prompt)
        ids = (self.base if truth(base) else self.current).top_ids[:, :, prompt].tolist()
        return [[[self.prompts.token_str(token) for token in row] for row in entry] for entry in ids]

    def to_dataframe(self, prompt: int = 0) -> pd.DataFrame:
        """One row an entry and position.

        Columns: site, layer, pos (counted in the prompt's own tokens, of `prompt`); logit_diff and its stderr,
        base_logit_diff, change and prob, means over prompts; and top_tokens, top_prob (of the first) and
        base_top_tokens of one prompt.
        """
        import pandas as pd

        prompt = prompt_of(self.prompts.n, prompt)
        now, was = self.tokens(prompt), self.tokens(prompt, base=True)
        padding = self.prompts.n_positions - self.prompts.lengths[prompt]
        rows = []
        for entry, (kind, layer) in enumerate(self.entries):
            for index, column in enumerate(self.positions[prompt]):
                values = self.current.logit_diff[entry, index]
                rows.append(
                    {
                        "site": f"{kind} {layer}",
                        "layer": layer,
                        "pos": column - padding,
                        "logit_diff": float(values.mean()),
                        "stderr": float(standard_error(values)),
                        "base_logit_diff": float(self.base.logit_diff[entry, index].mean()),
                        "change": float(self.change[entry, index].mean()),
                        "prob": float(self.current.prob[entry, index].mean()),
                        "top_tokens": now[entry][index],
                        "top_prob": float(self.current.top_probs[entry, index, prompt, 0]),
                        "base_top_tokens": was[entry][index],
                    }
                )
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        entries, positions, n = self.current.logit_diff.shape
        what = "logit of the answer" if self.prompts.wrongs is None else "logit difference"
        return f"LogitLens({entries} residual streams × {positions} positions, {what}, n={n}; .to_dataframe(), .current, .base)"


def logit_lens(ground: Ground, pos: PositionsLike, top: int, *, mid: bool = False) -> InPieces[LogitLens]:
    """Read a run and its base run through the lens; what cannot be is refused at once.

    Parameters
    ----------
    mid
        Whether to read the streams between attention and MLP too, where blocks have them.
    """
    positions, top = ground.columns(pos), count_of("top", top)
    between = truth(mid)
    if between is None:
        raise InterventionError(f"mid is True or False, not {mid!r:.60}.", code="bad_count")

    def read(cancel: CancelToken) -> Generator[None, None, LogitLens]:
        entries = _entries(ground.adapter, mid=between)

        def through(plan: Plan) -> LensReading:
            return _read_lens(ground.adapter, plan, ground.prompts, entries, positions, cancel, top)

        now, base = yield from ground.both(through, cancel)
        return LogitLens(entries, positions, now, base, ground.prompts)

    return read


def _read_lens(
    adapter: ModelAdapter,
    plan: Plan,
    prompts: Prompts,
    entries: tuple[Place, ...],
    positions: Sequence[Sequence[int]],
    cancel: CancelToken,
    top: int,
) -> LensReading:
    """Read a run with edits through the lens; on the worker thread only.

    Parameters
    ----------
    positions
        Columns to read, as many for each prompt.
    top
        How many of the likeliest tokens to keep.

    Raises
    ------
    EngineError
        `no_logit_lens` if the model does more between its last block and its logits than a norm and an unembedding.
    """
    found = recorded(adapter, plan, entries, cancel)
    columns = torch.tensor([list(row) for row in positions])
    batch = torch.arange(prompts.n)[:, None]
    own = found.logits[batch, columns]
    what = f"the logits of one position of {prompts.n} prompts on {adapter.device}"
    limit, readings, error = columns.shape[1], [], 0.0
    for place in entries:
        rows = found.activations[place][batch, columns]

        def read(some: Sequence[int], rows: Tensor = rows) -> tuple[float, tuple[Tensor, ...]]:
            """Some of the positions of one stream, and how far they are from the model's own output."""
            cancel.check()
            logits = _unembedded(adapter, rows[:, some])
            off = float((logits - own[:, some]).abs().nan_to_num(nan=0.0).max())
            return off, _read(logits, prompts, min(top, logits.shape[-1]))

        parts = list(in_batches(range(columns.shape[1]), limit, read, what))
        limit = max(len(some) for some, _ in parts)
        # Counts for the last stream alone, which is the one that the model itself reads.
        error = max(off for _, (off, _) in parts)
        readings.append([torch.cat(column) for column in zip(*(part for _, (_, part) in parts), strict=True)])
    if error > tolerance(adapter.dtype, own):
        raise _more_after_the_last_block(adapter, f"its last residual stream is off by {error:.3g} from its own logits")
    return LensReading(*(torch.stack(parts) for parts in zip(*readings, strict=True)))


def _unembedded(adapter: ModelAdapter, rows: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_vocab"]:
    try:
        return adapter.unembed(rows)
    except ModelError as error:  # e.g. the unembedding takes no rows of this width
        raise _more_after_the_last_block(adapter, "its residual stream does not fit its unembedding") from error


def _more_after_the_last_block(adapter: ModelAdapter, found: str) -> EngineError:
    return EngineError(
        f"{adapter.name} does more after its last block than a norm and an unembedding: read by these alone, {found}, so earlier ones cannot be read either.",
        code="no_logit_lens",
    )


def _entries(adapter: ModelAdapter, *, mid: bool) -> tuple[Place, ...]:
    last = adapter.shape.n_layers - 1
    found: list[Place] = []
    for layer in range(last + 1):
        found.append(("resid_pre", layer))
        if mid and adapter.refusal("resid_mid", layer) is None:
            found.append(("resid_mid", layer))
    found.append(("resid_post", last))
    for place in found:
        if (reason := adapter.refusal(*place)) is not None:
            raise EngineError(f"The logit lens cannot read {adapter.name}: {reason}.", code="no_logit_lens")
    return tuple(found)


def _read(logits: Float[Tensor, "batch pos d_vocab"], prompts: Prompts, top: int) -> tuple[Tensor, ...]:
    """Logit difference, probability and likeliest tokens, the axis of positions first."""
    rows = logits.float().cpu().transpose(0, 1)
    answers = prompts.answers
    right = torch.where(answers.present, probs_of(rows, answers.ids), 0.0).sum(-1).float()
    best = rows.nan_to_num(nan=float("-inf")).topk(top)
    diff = torch.stack([selected(row, prompts) for row in rows]).float()
    return diff, right, best.indices, rows.gather(-1, best.indices), probs_of(rows, best.indices).float()
