"""A second peer: nnsight, many cells in one forward as batched invokes. Needs the extra [bench]."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch
import transformers
from nnsight import TransformersModel
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from tests.benchmarks.clock import ratios, spread, timed
from tests.benchmarks.maps import backend_in_force, backends
from tests.benchmarks.shapes import Difference, Shape, hugging_face
from tests.benchmarks.sweeps import KINDS, Ours, Peer

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

CELLS_PER_TRACE = 24
_PADDING = "0"


def measure(shape: Shape, *, runs: int, difference: Difference = "dense", engine: str = "auto") -> list[dict[str, Any]]:
    """Head sweeps over all positions of one prompt of GPT-2 small's shape, with nnsight, TransformerLens and here."""
    tokens, kind = shape.tokens(1, difference), KINDS["head, all positions"]
    peer = Peer(shape, tokens, kind)
    model = _nnsight(hugging_face(transformers.GPT2Config()))
    all_cells = torch.arange(len(peer.cells))
    expected = peer.sweep(all_cells)
    nnsight_times, lens_times, found = [], [], expected
    ours: dict[str, list[Any]] = {str(backend): [] for backend in backends(shape)}
    for _ in range(runs):
        took, found = timed(lambda: _sweep(model, peer))
        nnsight_times.append(took)
        few = all_cells[:: max(1, len(all_cells) // 24)]
        lens_times.append(timed(lambda few=few: peer.sweep(few))[0].times(len(all_cells) / len(few)))
        for backend in backends(shape):
            with backend_in_force(backend):
                mine = Ours(shape, tokens, kind, engine)
            ours[str(backend)].append(timed(mine.sweep)[0])
            mine.board.close()
    return [
        {
            "shape": shape.name,
            "sweep": kind.name,
            "cells": len(peer.cells),
            "difference": difference,
            "backend": backend,
            "versions": f"nnsight {version('nnsight')}",
            "per_trace": CELLS_PER_TRACE,
            "nnsight_s": asdict(spread([one.cpu for one in nnsight_times])),
            "lens_s": asdict(spread([one.cpu for one in lens_times])),
            "ours_s": asdict(spread([one.cpu for one in times])),
            "ratio": ratios(nnsight_times, times),
            "error_of_nnsight": float((found - expected).abs().max()),
            "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        }
        for backend, times in ours.items()
    ]


def _nnsight(model: transformers.PreTrainedModel) -> TransformersModel:
    """nnsight batches invokes only for a model with a tokenizer; this one has a word for padding and no other use."""
    words = Tokenizer(WordLevel({_PADDING: 0}, unk_token=_PADDING))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token=_PADDING)
    return TransformersModel(model, task="text-generation", tokenizer=tokenizer)


def _sweep(model: TransformersModel, peer: Peer) -> Float[Tensor, " cells"]:
    """The metric of every cell."""
    tokens = peer.tokens
    d_head = peer.model.cfg.d_head
    n_layers, n_heads = int(peer.model.cfg.n_layers), int(peer.model.cfg.n_heads)
    clean: list[Tensor] = []
    with torch.no_grad(), model.trace(tokens.clean):
        # Filled one by one: a trace hands back what is saved, not what is assigned in it.
        for layer in range(n_layers):
            clean.append(model.transformer.h[layer].attn.c_proj.input.save())
    cells = [(layer, head) for layer in range(n_layers) for head in range(n_heads)]
    values = []
    for start in range(0, len(cells), CELLS_PER_TRACE):
        saved = []
        with torch.no_grad(), model.trace() as tracer:
            for layer, head in cells[start : start + CELLS_PER_TRACE]:
                with tracer.invoke(tokens.corrupted):
                    part = slice(head * d_head, (head + 1) * d_head)
                    model.transformer.h[layer].attn.c_proj.input[:, :, part] = clean[layer][:, :, part]
                    saved.append(model.lm_head.output[:, -1].save())
        values += [peer.metric(logits[:, None]) for logits in saved]
    return torch.stack(values)
