"""The tokens of a text at which a neuron is most active."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from circuitboard.address import Site, count_of
from circuitboard.engine import piece
from circuitboard.engine.recording import recorded_until
from circuitboard.errors import PromptError
from circuitboard.interventions import Plan, check_site
from circuitboard.prompts import PromptPair
from circuitboard.prompts.text import read_text
from circuitboard.runs import CachedRun

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.engine import CancelToken, InPieces
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.prompts import Prompts
    from circuitboard.prompts.pair import Text

_TOKENS_AT_ONCE = 2**12
"""Tokens of one forward pass."""

_CONTEXT = 10
"""Tokens shown before and after."""


@dataclass(frozen=True)
class Window:
    """Tokens that are read together.

    Parameters
    ----------
    text
        Which text they belong to.
    start
        Position of the first of them in that text.
    ids
        What the model reads; BOS first, where it was put in front of the window.
    skipped
        How many of the first `ids` do not belong to the text there (1 for such a BOS, else 0).
    """

    text: int
    start: int
    ids: tuple[int, ...]
    skipped: int = 0


def windows(texts: Sequence[Sequence[int]], longest: int, bos: int | None) -> Iterator[Window]:
    """Cut texts that are longer than a model reads into windows, one after the other.

    Parameters
    ----------
    texts
        Token ids of each text.
    longest
        The most tokens of a window.
    bos
        Put in front of every window but the first of a text, if the text starts with it; None for no BOS.
    """
    for text, ids in enumerate(texts):
        repeated = bos is not None and len(ids) > 1 and ids[0] == bos and longest > 1
        start = 0
        while start < len(ids):
            head = (bos,) if repeated and start and bos is not None else ()
            part = tuple(ids[start : start + longest - len(head)])
            yield Window(text, start, head + part, len(head))
            start += len(part)


@dataclass(frozen=True, eq=False)
class MaxActivating:
    """What a neuron does at each token of a text.

    Parameters
    ----------
    windows
        The text in parts.
    activations
        Float32 [token], of each window, without the tokens skipped.
    tokens
        Those of each text as they are shown.
    k
        How many are asked for.
    """

    windows: tuple[Window, ...]
    activations: tuple[Float[Tensor, " token"], ...]
    tokens: tuple[tuple[str, ...], ...]
    k: int

    def to_dataframe(self) -> pd.DataFrame:
        """The `k` tokens with the largest activation: activation, token, text, pos, before, after."""
        import pandas as pd

        values = torch.cat(self.activations)
        where = [
            (window.text, window.start + offset)
            for window, activation in zip(self.windows, self.activations, strict=True)
            for offset in range(len(activation))
        ]
        rows = []
        best = values.nan_to_num(nan=float("-inf")).topk(max(0, min(self.k, len(values)))).indices.tolist()
        for place in best:
            text, pos = where[place]
            tokens = self.tokens[text]
            rows.append(
                {
                    "activation": float(values[place]),
                    "token": tokens[pos],
                    "text": text,
                    "pos": pos,
                    "before": "".join(tokens[max(0, pos - _CONTEXT) : pos]),
                    "after": "".join(tokens[pos + 1 : pos + 1 + _CONTEXT]),
                }
            )
        return pd.DataFrame(rows, columns=["activation", "token", "text", "pos", "before", "after"])


def max_activating(
    model: TransformerBridge,
    adapter: ModelAdapter,
    prompts: Prompts,
    text: Text | PromptPair,
    layer: int,
    index: int,
    k: int,
) -> InPieces[MaxActivating]:
    """Read a text without edits, some windows at a time; what cannot be is refused at once.

    Parameters
    ----------
    prompts
        Say whether BOS is put in front of texts, and what tokens are called.
    """
    site = Site("neuron", layer, index)
    check_site(site, adapter)
    k = count_of("k", k)
    texts = _token_ids(text, model, adapter, prompts)
    parts = tuple(windows(texts, adapter.shape.n_ctx, getattr(getattr(model, "tokenizer", None), "bos_token_id", None)))
    tokens = tuple(tuple(prompts.token_str(token) for token in ids) for ids in texts)

    def read(cancel: CancelToken) -> Generator[None, None, MaxActivating]:
        found: list[Tensor] = [torch.empty(0)] * len(parts)
        for chosen in _together(parts):
            units = yield from piece(
                partial(_activations, adapter, [parts[part] for part in chosen], site, cancel), cancel
            )
            for part, own in zip(chosen, units, strict=True):
                found[part] = own
        return MaxActivating(parts, tuple(found), tokens, k)

    return read


def _together(parts: Sequence[Window]) -> Iterator[list[int]]:
    """The windows of each pass: of like lengths, so that little is padding."""
    order = sorted(range(len(parts)), key=lambda part: len(parts[part].ids))
    start = 0
    while start < len(order):
        count = 1
        while start + count < len(order) and (count + 1) * len(parts[order[start + count]].ids) <= _TOKENS_AT_ONCE:
            count += 1
        yield order[start : start + count]
        start += count


def _activations(adapter: ModelAdapter, parts: Sequence[Window], site: Site, cancel: CancelToken) -> list[Tensor]:
    """The activation of a neuron at each token of some windows, by one pass as far as its layer."""
    lengths = torch.tensor([len(part.ids) for part in parts])
    width = int(lengths.max())
    tokens = torch.tensor([(0,) * (width - len(part.ids)) + part.ids for part in parts])
    real = torch.arange(width) >= width - lengths[:, None]
    run = CachedRun("text", tokens, torch.empty(len(parts), 0, 0), {}, (), adapter, None if bool(real.all()) else real)
    place = (site.kind, site.layer)
    units = recorded_until(adapter, Plan(run, ()), [place], cancel)[place][..., site.index].float().cpu()
    return [row[width - len(part.ids) + part.skipped :].clone() for row, part in zip(units, parts, strict=True)]


def _token_ids(
    text: Text | PromptPair, model: TransformerBridge, adapter: ModelAdapter, prompts: Prompts
) -> list[list[int]]:
    """The tokens of each text, read as the board's prompts are."""
    if isinstance(text, PromptPair):
        return text.bind(model).token_ids("clean")
    # A pair checks that these are texts or token ids at all.
    given = PromptPair(text, answer=0).clean
    rows = [
        read_text(f"text {index}", one, model, prepend_bos=prompts.bos_added) if isinstance(one, str) else one.tolist()
        for index, one in enumerate(given)
    ]
    d_vocab = adapter.shape.d_vocab
    for index, row in enumerate(rows):
        if min(row) < 0 or max(row) >= d_vocab:
            raise PromptError(
                f"Text {index} holds token ids {min(row)} … {max(row)}, but this model's are 0 … {d_vocab - 1}.",
                code="token_out_of_range",
            )
    return rows
