"""What all tests share: one thread for torch, no network, and how hard hypothesis tries."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports huggingface_hub
os.environ["CIRCUITBOARD_AUTOSAVE"] = "0"  # no board of a test in the user's own folder; kernels inherit it

import torch
from hypothesis import HealthCheck, settings

torch.set_num_threads(1)

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}

# Every run tries the same examples, so that a red build can be repeated; "nightly" looks further and elsewhere.
settings.register_profile("default", derandomize=True, **_COMMON)
settings.register_profile("nightly", max_examples=1000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
