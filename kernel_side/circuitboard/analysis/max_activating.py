"""The tokens of a text at which a neuron is most active."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import pandas as pd

    from circuitboard.engine import CancelToken
    from circuitboard.models.adapter import ModelAdapter

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


def neuron_activations(
    adapter: ModelAdapter, parts: Sequence[Window], layer: int, index: int, cancel: CancelToken
) -> list[torch.Tensor]:
    """The activation of a neuron at each token of each window, without the tokens skipped; on the worker thread only."""
    found: list[torch.Tensor] = [torch.empty(0)] * len(parts)
    # Windows of like lengths together, so that little is padding.
    order = sorted(range(len(parts)), key=lambda part: len(parts[part].ids))
    start = 0
    while start < len(order):
        cancel.check()
        count = 1
        while start + count < len(order) and (count + 1) * len(parts[order[start + count]].ids) <= _TOKENS_AT_ONCE:
            count += 1
        chosen = order[start : start + count]
        width = len(parts[chosen[-1]].ids)
        tokens = torch.tensor([(0,) * (width - len(parts[part].ids)) + parts[part].ids for part in chosen])
        lengths = torch.tensor([len(parts[part].ids) for part in chosen])
        real = torch.arange(width) >= width - lengths[:, None]
        recording = adapter.record(tokens, [("neuron", layer)], None if bool(real.all()) else real)
        units = recording.activations["neuron", layer][..., index].float().cpu()
        for row, part in enumerate(chosen):
            found[part] = units[row, width - len(parts[part].ids) + parts[part].skipped :].clone()
        start += count
    return found


def strongest(
    parts: Sequence[Window], activations: Sequence[torch.Tensor], k: int, strings: Sequence[Sequence[str]]
) -> pd.DataFrame:
    """The `k` tokens with the largest activation: activation, token, text, pos, before, after.

    Parameters
    ----------
    strings
        The tokens of each text as they are shown.
    """
    import pandas as pd

    values = torch.cat([*activations])
    where = [
        (window.text, window.start + offset)
        for window, activation in zip(parts, activations, strict=True)
        for offset in range(len(activation))
    ]
    rows = []
    best = values.nan_to_num(nan=float("-inf")).topk(max(0, min(k, len(values)))).indices.tolist()
    for place in best:
        text, pos = where[place]
        tokens = strings[text]
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
