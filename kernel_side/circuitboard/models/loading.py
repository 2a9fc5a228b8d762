"""`cb.load`: from a name to a model that is ready to be looked into."""

from __future__ import annotations

import os
import socket
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from circuitboard.boundary import public
from circuitboard.errors import ModelError
from circuitboard.models import smollm2
from circuitboard.models.embedded import demo
from circuitboard.models.foreign import foreign
from circuitboard.models.offered import no_model, other_place
from circuitboard.words import nearest

if TYPE_CHECKING:
    import torch
    from transformer_lens.model_bridge import TransformerBridge

_HUB_TIMEOUT_S = 3.0

# Models do not remember how they were made, and their configuration is the user's to change.
_NAMES: weakref.WeakKeyDictionary[TransformerBridge, str] = weakref.WeakKeyDictionary()


@public
def load(
    name: str | os.PathLike[str] | TransformerBridge,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> TransformerBridge:
    """Load a model, in eval mode.

    Parameters
    ----------
    name
        "demo" (travels with the package), "smollm2-135m" (extra `[smollm2]`), a folder or a name on the
        Hugging Face hub. A `TransformerBridge` is returned as it is.
    device
        "cuda" if there is one, else "cpu", if None. "mps" is used only where asked for.
    dtype
        float32 if None.

    Returns
    -------
    TransformerBridge

    Raises
    ------
    ModelError
        `unknown_model` if neither we nor the hub know the name, `model_not_installed`,
        `no_tokenizer` for a folder that holds a model alone, `model_not_loadable` if it was found but TransformerLens
        cannot use it.
    """
    from transformer_lens.model_bridge import TransformerBridge

    if isinstance(name, TransformerBridge):
        return name
    if isinstance(name, os.PathLike):
        name = os.fspath(name)
    if not isinstance(name, str):
        raise no_model(name, code="unknown_model")
    if not name.strip():
        raise ModelError(
            f"A model is asked for by name or given as a TransformerBridge, not as {name!r:.80}.", code="unknown_model"
        )
    device, dtype = _device(device), _dtype(dtype)
    if name == demo.NAME:
        model = demo.load_demo(device=device, dtype=dtype)
    elif name == smollm2.NAME:
        model = smollm2.load_smollm2(device=device, dtype=dtype)
    else:
        model = _from_hub(name, device, dtype)
    model.eval()
    _NAMES[model] = name
    return model


def reload_name(model: TransformerBridge) -> str | None:
    """Return the name under which `load` gives this model again, or None if it was not loaded by `load`."""
    return _NAMES.get(model)


def _device(given: object) -> torch.device:
    import torch

    if given is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def refused(clause: str) -> ModelError:
        return ModelError(
            f"A model cannot be loaded onto the device {given!r:.60}: {clause}. Leave device= out for the best one there is, or give 'cpu'.",
            code="bad_device",
        )

    if not isinstance(given, (str, torch.device)):
        raise refused("a device is a text such as 'cuda:0', or a torch.device")
    with foreign(refused):
        device = torch.device(given)
        torch.empty(0, device=device)
    return device


def _dtype(given: object) -> torch.dtype:
    import torch

    if given is None:
        return torch.float32
    if not isinstance(given, torch.dtype) or not given.is_floating_point:
        name = str(given) if isinstance(getattr(torch, str(given), None), torch.dtype) else "float32"
        raise ModelError(
            f"dtype is one of torch's of floating point, not {given!r:.60}. Write dtype=torch.{name}.", code="bad_dtype"
        )
    return given


def _from_hub(name: str, device: torch.device, dtype: torch.dtype) -> TransformerBridge:
    from transformer_lens.model_bridge import TransformerBridge

    local = _is_folder(name)
    if (other := _other_place(name)) is not None:
        raise ModelError(other, code="model_not_loadable")
    possible = local or _may_be_on_the_hub(name)
    reachable = possible and (local or _hub_answers())

    def not_loadable(clause: str) -> ModelError:
        if local and (reason := _no_tokenizer(Path(name), clause)):
            return ModelError(reason, code="no_tokenizer")
        return ModelError(
            f"The model {name!r} was found, but TransformerLens cannot load it: {clause}. "
            "Check that its files are whole, its weights safetensors, and its architecture a decoder-only transformer that TransformerBridge supports.",
            code="model_not_loadable",
        )

    try:
        with foreign(not_loadable, passing=OSError):
            if not possible:
                raise FileNotFoundError(name)
            if reachable:
                return TransformerBridge.boot_transformers(name, device=device, dtype=dtype)
            with _hub_offline():
                return TransformerBridge.boot_transformers(name, device=device, dtype=dtype)
    except OSError as error:
        if local:
            tried = f"{Path(name).resolve()} is a folder, but no model could be read from it"
        elif reachable:
            tried = "it is neither a folder here nor a model on the Hugging Face hub that can be read without further rights"
        else:
            tried = "it is neither a folder here nor in the local hub cache, and the Hugging Face hub cannot be reached from here"
        raise ModelError(
            f"No model {name!r:.200} was found: {tried}. Without a download there are {demo.NAME!r} and {smollm2.NAME!r}; cb.models() lists them.{_near(name)}",
            code="unknown_model",
        ) from error


def _near(name: str) -> str:
    close = nearest(name.rpartition("/")[2], (demo.NAME, smollm2.NAME))
    return "" if close is None else f" Did you mean {close!r}?"


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):  # no file system could hold this name
        return False


def _other_place(name: str) -> str | None:
    try:
        return other_place(Path(name))
    except (OSError, ValueError):  # no file system could hold this name
        return None


def _may_be_on_the_hub(name: str) -> bool:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True


def _no_tokenizer(folder: Path, clause: str) -> str | None:
    """What is missing from a folder that holds a model and no tokenizer, if that is why it cannot be loaded."""
    from transformers import AutoConfig, AutoTokenizer

    try:
        with foreign(ModelError):
            config = AutoConfig.from_pretrained(folder)
    except ModelError:
        return None
    architecture = (getattr(config, "architectures", None) or [type(config).__name__])[0]
    try:
        with foreign(ModelError):
            AutoTokenizer.from_pretrained(folder)
    except ModelError as error:
        if clause != error.message and "tokenizer" not in clause.lower():
            return None
        return (
            f"The folder {str(folder)!r} holds a model ({architecture}), but its tokenizer is missing or cannot be read ({error.message}). "
            f"Put the tokenizer's files there, e.g. with tokenizer.save_pretrained({str(folder)!r}), and load it again."
        )
    return None


def _hub_answers() -> bool:
    """Ask once, briefly, whether the hub can be reached, since its own client asks for half a minute."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    if getproxies().get("https") or os.environ.get("ALL_PROXY"):
        return True  # names are resolved by the proxy: only a real request can tell
    address = urlsplit(constants.ENDPOINT)
    try:
        with socket.create_connection((address.hostname, address.port or 443), timeout=_HUB_TIMEOUT_S):
            return True
    except OSError:
        return False


@contextmanager
def _hub_offline() -> Iterator[None]:
    """Make the hub's client answer from its cache only, at once and without retries."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
