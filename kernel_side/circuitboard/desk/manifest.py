"""Which model a board measured and what computed it, to tell whether it is the same one."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

import msgspec

from circuitboard.models import reload_name

if TYPE_CHECKING:
    from circuitboard.desk.lab import Lab
    from circuitboard.models.account.fingerprint import Fingerprint

_VERSIONED = ("circuitboard", "torch", "transformer-lens", "transformers", "numpy")


class ModelManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model's name, shape and marks; part of a saved board's file."""

    name: str
    reload: str | None
    dtype: str
    n_layers: int
    n_heads: int
    d_model: int
    d_vocab: int
    device: str | None = None
    revision: str | None = None
    weights: str | None = None
    tokenizer: str | None = None


def versions() -> dict[str, str]:
    """What computes here."""
    return {name: version(name) for name in _VERSIONED} | {"python": platform.python_version()}


def manifest_of(lab: Lab, marks: Fingerprint | None) -> ModelManifest:
    """Which model, to tell whether it is the same one."""
    adapter = lab.adapter
    return ModelManifest(
        name=adapter.name,
        reload=reload_name(lab.model),
        dtype=str(adapter.dtype).removeprefix("torch."),
        n_layers=adapter.shape.n_layers,
        n_heads=adapter.shape.n_heads,
        d_model=adapter.shape.d_model,
        d_vocab=adapter.shape.d_vocab,
        device=str(adapter.device),
        revision=None if marks is None else marks.revision,
        weights=None if marks is None else marks.weights,
        tokenizer=None if marks is None else marks.tokenizer,
    )
