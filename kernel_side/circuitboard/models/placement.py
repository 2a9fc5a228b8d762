"""Where a model's weights lie, and in which dtype it computes: neither is that of its first weight in every model."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.errors import ModelError

if TYPE_CHECKING:
    from circuitboard.address import Kind
    from circuitboard.models.trial import Trial

_STREAM: tuple[Kind, ...] = ("embed", "resid_pre", "attn_out", "mlp_out", "resid_post")

_DTYPES = frozenset({torch.float64, torch.float32, torch.bfloat16, torch.float16})


def device_of(model: Any, name: str) -> torch.device:
    """The device that tokens are given on: that of the first weight, or where offloaded weights are taken to compute.

    Raises
    ------
    ModelError
        `weights_not_loaded`.
    """
    tensors = list(chain(model.parameters(), model.buffers()))
    movers = [mover for module in model.modules() if (mover := vars(module).get("_hf_hook")) is not None]
    devices = [tensor.device for tensor in tensors if not tensor.is_meta]
    absent = any(parameter.is_meta for parameter in model.parameters())
    if absent and not movers:
        raise ModelError(
            f"The weights of {name} are not loaded: they are on torch's meta device, which holds shapes and no numbers. "
            "Load them, or dispatch the model with accelerate, and make the board then.",
            code="weights_not_loaded",
        )
    if absent:
        # Accelerate brings inputs to this device by itself, and weights just before they are needed.
        told = [getattr(mover, "execution_device", None) for mover in movers]
        devices = [torch.device(device) for device in told if device is not None] or devices
    return devices[0] if devices else torch.device("cpu")


def dtype_of(trial: Trial) -> torch.dtype:
    """The coarsest dtype that the residual stream, what joins it, or the logits are computed in."""
    shown = [found for (kind, _), found in trial.activations.items() if kind in _STREAM]
    dtypes = {found.dtype for found in [*shown, trial.logits]} & _DTYPES
    return max(dtypes, key=lambda dtype: torch.finfo(dtype).eps, default=torch.float32)
