"""How many tokens a model reads and writes: its tokenizer and its configuration may say more."""

from __future__ import annotations

from typing import Any

import torch


def tokens_read(model: Any) -> int:
    """How many rows the embedding has, or what the configuration says where it is no table."""
    table = getattr(getattr(model, "embed", None), "original_component", None)
    return int(table.num_embeddings) if isinstance(table, torch.nn.Embedding) else int(model.cfg.d_vocab)


def tokens_written(model: Any) -> int:
    """How many logits there are at a position, as the configuration says."""
    told = int(getattr(model.cfg, "d_vocab_out", None) or -1)
    return told if told > 0 else int(model.cfg.d_vocab)
