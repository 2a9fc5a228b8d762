"""The embedded model "demo": its shape, its tokenizer, how it is stored and how it is loaded.

A 4-layer attention-only transformer with rotary positions over a small word-level vocabulary. It is
built as a native TransformerLens model, so that every hook of a `TransformerBridge` works on it, and
it is small enough to travel inside the package.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from circuitboard.errors import ModelError
from circuitboard.models.embedded import grammar

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import PreTrainedTokenizerFast

NAME = "demo"
N_LAYERS, N_HEADS, D_MODEL, D_HEAD, N_CTX = 4, 8, 128, 16, 128
WEIGHTS, CONFIG, TOKENIZER = "weights.safetensors", "config.json", "tokenizer.json"

# One alternative a kind of piece, first match wins: indentation, docstring syntax, words with their
# leading space, line breaks, and any other single character (which is then an unknown word).
_PIECE = r'<\w+>|:param| {4}|"""|\):| ?\w+|\n|[^\w]'


def folder() -> Path:
    """Where the shipped files of the model lie."""
    return Path(str(files("circuitboard.models.embedded").joinpath("files")))


def configuration() -> dict[str, object]:
    """The model's shape, in the words of `TransformerBridgeConfig`."""
    return {
        "model_name": NAME,
        "n_layers": N_LAYERS,
        "n_heads": N_HEADS,
        "d_model": D_MODEL,
        "d_head": D_HEAD,
        "n_ctx": N_CTX,
        "d_vocab": len(grammar.vocabulary()),
        "attn_only": True,
        "normalization_type": "LN",
        "positional_embedding_type": "rotary",
        "rotary_dim": D_HEAD,
        "default_prepend_bos": True,
        "init_weights": False,
    }


def _config(values: dict[str, object]) -> TransformerBridgeConfig:
    from transformer_lens.config import TransformerBridgeConfig

    return TransformerBridgeConfig.from_dict(values)


def build_module() -> nn.Module:
    """The bare torch module, untrained, as the native bridge wraps it (same parameter names)."""
    from transformer_lens.model_bridge.sources.native.model import NativeModel

    module: nn.Module = NativeModel(_config(configuration()))
    return module


def build_tokenizer() -> PreTrainedTokenizerFast:
    """The word-level tokenizer made from the grammar's vocabulary.

    A word carries the space before it; `decode(encode(text)) == text` for text made of known words.
    An unknown word becomes the token "<unk>".
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {piece: i for i, piece in enumerate(grammar.vocabulary())}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=grammar.UNK))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_PIECE), behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens(list(grammar.SPECIAL))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **_TOKENIZER_OPTIONS)


_TOKENIZER_OPTIONS = {
    "bos_token": grammar.BOS,
    "eos_token": grammar.EOS,
    "pad_token": grammar.PAD,
    "unk_token": grammar.UNK,
    "padding_side": "right",
    "clean_up_tokenization_spaces": False,
    "model_max_length": N_CTX,
    "name_or_path": NAME,
    # Without this the bridge looks the tokenizer up by name, on the hub, to get one that has it.
    "add_bos_token": True,
}


def store(module: nn.Module, out: Path) -> None:
    """Write weights (float16), configuration and tokenizer into the folder `out`."""
    import torch
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    state = {name: value.to(torch.float16).contiguous() for name, value in module.state_dict().items()}
    save_file(state, out / WEIGHTS, metadata={"format": "pt", "name": NAME})
    (out / CONFIG).write_text(json.dumps(configuration(), indent=2) + "\n", "utf-8")
    build_tokenizer().backend_tokenizer.save(str(out / TOKENIZER))


def load_demo(
    source: Path | None = None,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> TransformerBridge:
    """Load the embedded model from its stored weights, in eval mode.

    Parameters
    ----------
    source
        Folder written by `store`; the shipped one by default.
    device, dtype
        Where and in which type to compute; the CPU and float32 by default.

    Raises
    ------
    ModelError
        `model_files_missing` if the folder lacks one of the files.
    """
    import torch
    from safetensors.torch import load_file
    from transformer_lens.model_bridge.sources import build_bridge_from_module
    from transformer_lens.model_bridge.sources.native.model import NativeModel
    from transformers import PreTrainedTokenizerFast

    source = folder() if source is None else source
    missing = [name for name in (WEIGHTS, CONFIG, TOKENIZER) if not (source / name).is_file()]
    if missing:
        msg = (
            f"The model {NAME!r} was asked for, but {', '.join(missing)} is missing from {source}. "
            "Reinstall circuitboard."
        )
        raise ModelError(msg, code="model_files_missing")
    config = _config(json.loads((source / CONFIG).read_text("utf-8")))
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(source / TOKENIZER), **_TOKENIZER_OPTIONS)
    dtype = torch.float32 if dtype is None else dtype
    # Building draws random weights that the stored ones replace: leave the user's generator alone.
    with torch.random.fork_rng(devices=[]):
        module = NativeModel(config)
    module.load_state_dict(load_file(source / WEIGHTS))
    device = "cpu" if device is None else device
    # What `TransformerBridge.boot_native` does after building its module; the weights go in before,
    # under their own names, so that a missing one is an error.
    model = build_bridge_from_module(
        module.to(device=device, dtype=dtype),
        architecture="TransformerLensNative",
        tl_config=config,
        tokenizer=tokenizer,
        dtype=dtype,
        device=device,
        model_name=NAME,
    )
    return model.eval()
