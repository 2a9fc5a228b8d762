"""What tells one model from another of the same name: hashes of its weights and its tokenizer, and its revision."""

from __future__ import annotations

import hashlib
import json
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from circuitboard.errors import ModelError
from circuitboard.models.account.tensor_sample import TensorSample
from circuitboard.models.foreign import foreign

if TYPE_CHECKING:
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

_KNOWN: weakref.WeakKeyDictionary[TransformerBridge, tuple[tuple[int, ...], str]] = weakref.WeakKeyDictionary()
"""Model → the state of its parameters when they were hashed, and the hash; hashing takes a second a gigabyte."""

_DIGITS = 16

_OF_THE_CALL = {"padding", "truncation"}
"""What a fast tokenizer keeps of the last call, which says nothing of what it is."""


@dataclass(frozen=True)
class Fingerprint:
    """What a saved board says of its model, to tell whether it is the same one.

    Parameters
    ----------
    weights
        SHA-256 of all parameters and buffers, names included; the first 16 hexadecimal digits. None where some cannot be
        read: offloaded, or of a tensor class that does not give its bytes.
    tokenizer
        The same of the tokenizer's whole definition, whatever it was last called with; None without one.
    revision
        The hub's commit, where the model came from there.
    """

    weights: str | None
    tokenizer: str | None
    revision: str | None


def fingerprint(model: TransformerBridge) -> Fingerprint:
    """The fingerprint of a model as it is now."""
    config = getattr(model.original_model, "config", None)
    revision = getattr(config, "_commit_hash", None)
    return Fingerprint(_weights(model), _tokenizer(getattr(model, "tokenizer", None)), revision)


def _weights(model: TransformerBridge) -> str | None:
    try:
        with foreign(ModelError):
            return _hashed(model)
    except ModelError:
        return None


def _hashed(model: TransformerBridge) -> str:
    named = sorted(model.original_model.state_dict().items())
    tensors: list[tuple[str, Tensor]] = [(name, value) for name, value in named if hasattr(value, "data_ptr")]
    # Other tensors lie elsewhere; what is written to in place is in the sample, or counts a version up.
    values = [tensor for _, tensor in tensors]
    versions = (0 if tensor.is_inference() else tensor._version for tensor in values)  # noqa: SLF001
    state = (*(tensor.data_ptr() for tensor in values), *versions, *TensorSample(values).sum())
    known = _KNOWN.get(model)
    if known is not None and known[0] == state:
        return known[1]
    digest = hashlib.sha256()
    for name, tensor in tensors:
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(_bytes(tensor))
    _KNOWN[model] = (state, digest.hexdigest()[:_DIGITS])
    return _KNOWN[model][1]


def _bytes(tensor: Tensor) -> Any:
    import torch

    flat = tensor.detach().to("cpu").contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy() if flat.numel() else b""


def _definition(written: str) -> str:
    """A tokenizer's JSON without how it was last called: padding and truncation stand in it before its definition."""
    call, mark, definition = written.partition('"added_tokens":')
    if not call.startswith('{"version":'):
        whole = json.loads(written)
        return json.dumps({name: whole[name] for name in sorted(whole.keys() - _OF_THE_CALL)})
    head = json.loads(call.rstrip(", ") + "}")
    known = {name: None if name in _OF_THE_CALL else value for name, value in head.items()}
    return json.dumps(known, separators=(",", ":")).removesuffix("}") + "," + mark + definition


def _tokenizer(tokenizer: Any) -> str | None:
    if tokenizer is None:
        return None
    backend = getattr(tokenizer, "backend_tokenizer", None)
    whole = _definition(backend.to_str()) if backend is not None else json.dumps(sorted(tokenizer.get_vocab().items()))
    special = json.dumps(tokenizer.special_tokens_map, sort_keys=True, default=str)
    return hashlib.sha256((whole + special).encode()).hexdigest()[:_DIGITS]
