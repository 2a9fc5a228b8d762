"""What people hold and give as a model or as prompts: the refusal says which lines make one of it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
import transformers

import circuitboard as cb
from circuitboard.models import loading
from circuitboard.models.offered import other_place

IDS = torch.tensor([[5, 6, 7]])


@pytest.fixture(scope="module")
def hugging_face():
    config = transformers.GPT2Config(vocab_size=60, n_positions=16, n_embd=16, n_layer=1, n_head=2)
    model = transformers.GPT2LMHeadModel(config)
    model.config._name_or_path = model.name_or_path = "gpt2"
    return model


class PeftModel(torch.nn.Module):
    """Known by its name: the package is not needed to be refused."""


class HookedTransformer(torch.nn.Module):
    cfg = type("Config", (), {"model_name": "gpt2-small"})()


def said(call) -> str:
    with pytest.raises(cb.CircuitboardError) as refused:
        call()
    assert len(str(refused.value)) < 1000
    return refused.value.message


def refused_by_both(given) -> str:
    words = said(lambda: cb.Board(given, cb.PromptPair(IDS, answer=1)))
    if not isinstance(given, str):
        assert said(lambda: cb.load(given)) == words
    return words


def test_a_hugging_face_model_is_wrapped_by_the_line_that_is_shown(hugging_face):
    words = refused_by_both(hugging_face)
    line = "TransformerBridge.boot_transformers('gpt2', hf_model=model, tokenizer=tokenizer)"
    assert line in words
    assert "from transformer_lens.model_bridge import TransformerBridge" in words


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_model_is_unwrapped_first(hugging_face):
    words = refused_by_both(torch.compile(hugging_face))
    assert "model._orig_mod" in words
    assert "boot_transformers('gpt2'" in words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (torch.nn.Linear(2, 2), "TransformerBridge.boot_native"),
        (torch.nn.DataParallel(torch.nn.Linear(2, 2)), "model.module"),
        (PeftModel(), "merge_and_unload()"),
        (HookedTransformer(), "cb.load('gpt2-small')"),
        (HookedTransformer, "the class HookedTransformer"),
        ({"wte.weight": IDS}, "load_state_dict"),
        (cb.PromptPair(IDS, answer=1), "cb.Board(model, pair)"),
        ("demo", "cb.load('demo')"),
        (None, "cb.models()"),
        (3, "cb.models()"),
    ],
)
def test_other_things_given_as_a_model(given, words):
    assert words in refused_by_both(given)


def test_a_path_is_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "_hub_answers", lambda: False)
    assert str(tmp_path) in said(lambda: cb.load(tmp_path))
    assert "cb.load('models/mine')" in said(lambda: cb.Board(Path("models/mine"), cb.PromptPair(IDS, answer=1)))


def test_a_name_that_is_nearly_right(monkeypatch):
    monkeypatch.setattr(loading, "_hub_answers", lambda: False)
    assert "Did you mean 'smollm2-135m'?" in said(lambda: cb.load("smolm2-135m"))
    assert "Did you mean 'smollm2-135m'?" in said(lambda: cb.load("HuggingFaceTB/SmolLM2-135M"))
    assert "Did you mean 'demo'?" in said(lambda: cb.load("Demo"))
    assert "Did you mean" not in said(lambda: cb.load("some-other-model"))


def test_an_adapter_alone(tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "org/base"}))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    words = said(lambda: cb.load(str(tmp_path)))
    assert "an adapter alone" in words
    assert "AutoModelForCausalLM.from_pretrained('org/base')" in words
    assert "boot_transformers('org/base', hf_model=merged)" in words


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"base_model_name_or_path": 3}', '{"base_model_name_or_path": "a\\u0000b"}']
)
def test_an_adapter_whose_configuration_says_nothing(tmp_path, text):
    (tmp_path / "adapter_config.json").write_text(text)
    assert "from_pretrained('base model')" in said(lambda: cb.load(str(tmp_path)))


def test_gguf_weights_alone(tmp_path):
    (tmp_path / "mine.Q8_0.gguf").write_bytes(b"GGUF")
    words = said(lambda: cb.load(str(tmp_path)))
    assert "gguf_file='mine.Q8_0.gguf'" in words
    assert "hf_model=hf" in words


def test_a_file_of_weights_and_a_folder_of_checkpoints(tmp_path):
    file = tmp_path / "run" / "checkpoint-20" / "model.gguf"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"GGUF")
    (file.parent / "config.json").write_text("{}")
    assert f"cb.load({str(file.parent)!r})" in said(lambda: cb.load(file))
    assert f"cb.load({str(file.parent)!r})" in said(lambda: cb.load(file.parent.parent))
    assert "model.save_pretrained(folder)" in said(lambda: cb.load(tmp_path))
    assert other_place(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dtype": "bfloat16"}, "Write dtype=torch.bfloat16."),
        ({"dtype": float}, "Write dtype=torch.float32."),
        ({"dtype": torch.int64}, "floating point"),
        ({"device": "gpu"}, "or give 'cpu'"),
        ({"device": "cuda:99"}, "or give 'cpu'"),
        ({"device": 0}, "'cuda:0'"),
        ({"device": "\ud800"}, "or give 'cpu'"),
    ],
)
def test_devices_and_dtypes_that_are_none(options, words):
    assert words in said(lambda: cb.load("demo", **options))


def test_a_whole_model_beside_them_is_a_model(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "adapter_config.json").write_text("{}")
    assert other_place(tmp_path) is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (transformers.BatchEncoding({"input_ids": [[1, 2]], "attention_mask": [[1, 1]]}), "batch['input_ids']"),
        ([{"role": "user", "content": "Hi"}], "apply_chat_template(messages, tokenize=False"),
        ({"role": "user", "content": "Hi"}, "apply_chat_template"),
        (pd.DataFrame({"clean": ["a"]}), "cb.tasks.from_table"),
        (b"When", "decode()"),
        (cb.PromptPair(IDS, answer=1), "pair.clean"),
        ({"clean": "When"}, "cb.PromptPair(clean, corrupted"),
    ],
)
def test_other_things_given_as_prompts(given, words):
    assert words in said(lambda: cb.PromptPair(given, answer=1))


def test_a_list_of_ids_is_a_prompt_and_a_list_of_those_several():
    assert cb.PromptPair([5, 6, 7], answer=1) == cb.PromptPair(IDS, answer=1)
    assert cb.PromptPair([[5, 6, 7], [7, 6, 5]], answer=1) == cb.PromptPair(
        torch.tensor([[5, 6, 7], [7, 6, 5]]), answer=1
    )
    assert len(cb.PromptPair([[5, 6], [7]], answer=1)) == 2
    for wrong in ([5, "x"], [5.0, 6.0], [[5, True]], [[[5]]], {5, 6}, [2**80]):
        assert "must be" in said(lambda given=wrong: cb.PromptPair(given, answer=1))
