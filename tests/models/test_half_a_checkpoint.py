"""Folders that hold half a checkpoint, and tokenizers that know more than their model."""

from __future__ import annotations

import copy
import json

import pytest
import torch

import circuitboard as cb
from circuitboard.errors import ModelError, PromptError
from tests.odd_models import llama


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    llama().save_pretrained(folder)
    return folder


def test_a_folder_without_a_tokenizer_says_that_and_not_that_llama_is_unknown(checkpoint):
    with pytest.raises(ModelError) as caught:
        cb.load(str(checkpoint))
    assert caught.value.code == "no_tokenizer"
    assert "LlamaForCausalLM" in caught.value.message
    assert "tokenizer.save_pretrained" in caught.value.message
    assert "architecture" not in caught.value.message


@pytest.mark.parametrize(
    ("damage", "word"),
    [("cut", "SafetensorError"), ("pickled", "UnpicklingError"), ("resized", "mismatched"), ("unknown", "nosuch")],
)
def test_damaged_checkpoints_are_refused_with_what_is_wrong(checkpoint, tmp_path, damage, word):
    config = json.loads((checkpoint / "config.json").read_text())
    weights = (checkpoint / "model.safetensors").read_bytes()
    if damage == "pickled":
        (tmp_path / "pytorch_model.bin").write_bytes(b"not a pickle")
    else:
        (tmp_path / "model.safetensors").write_bytes(weights[:1000] if damage == "cut" else weights)
    if damage == "resized":
        config["hidden_size"] = 64
    if damage == "unknown":
        config["model_type"] = "nosuch"
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=word) as caught:
        cb.load(str(tmp_path))
    assert caught.value.code == "model_not_loadable"


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "~/models//mine", "no such model!"])
def test_names_that_no_folder_and_no_hub_can_have_are_unknown(name):
    with pytest.raises(ModelError) as caught:
        cb.load(name)
    assert caught.value.code == "unknown_model"
    assert len(caught.value.message) < 600


@pytest.fixture(scope="module")
def more_tokens():
    """The demo model with a token more in its tokenizer than in its embedding."""
    model = copy.deepcopy(cb.load("demo"))
    model.tokenizer = copy.deepcopy(model.tokenizer)
    model.tokenizer.add_tokens(["<tool>"])
    return model


CLEAN = "When John and Mary went to the shops, John gave the bag to"


def test_tokens_that_only_the_tokenizer_has_are_refused_wherever_text_is_read(more_tokens):
    known = more_tokens.cfg.d_vocab
    for pair in (
        cb.PromptPair(f"{CLEAN} <tool>", answer=" Mary", wrong=" John"),
        cb.PromptPair(CLEAN, answer="<tool>", wrong=" John"),
    ):
        with pytest.raises(PromptError, match="resize_token_embeddings") as caught:
            cb.Board(more_tokens, pair)
        assert caught.value.code == "token_out_of_range"
        assert str(known) in caught.value.message
        assert "<tool>" in caught.value.message
    board = cb.Board(more_tokens, cb.PromptPair(CLEAN, answer=" Mary", wrong=" John"))
    with pytest.raises(PromptError, match="resize_token_embeddings"):
        board.preview(cb.head(0, 1).patch(cb.Run(f"{CLEAN} <tool>")))
    assert len(board.top_tokens(5)) >= 5
    board.close()


def test_a_padded_vocabulary_has_rows_without_a_name():
    """Embeddings padded to a multiple of 64, as most checkpoints' are: rows past the tokenizer are tokens all the same."""
    from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

    tokenizer = cb.load("demo").tokenizer
    rows = -(-len(tokenizer) // 64) * 64 + 64
    torch.manual_seed(0)
    model = llama(vocab_size=rows)
    bridge = build_bridge_from_module(model, type(model).__name__, hf_config=model.config, tokenizer=tokenizer).eval()
    board = cb.Board(bridge, cb.PromptPair(CLEAN, answer=" Mary", wrong=rows - 1))
    with torch.no_grad():
        expected = bridge(board.prompts.clean_tokens)[0, -1]
    expected = float(expected[board.prompts.answers.ids[0, 0]] - expected[rows - 1])
    assert board.value == pytest.approx(expected, abs=1e-4)
    table = board.top_tokens(rows)
    assert set(table.token_id) == set(range(rows))
    assert (table.token.str.len() > 0).all()
    board.close()


def test_a_model_that_writes_fewer_tokens_than_it_reads():
    from tests.odd_models import native

    model = native(d_vocab=9, d_vocab_out=5)
    tokens = torch.tensor([[1, 8, 2], [7, 3, 4]])
    board = cb.Board(model, cb.PromptPair(tokens, answer=[4, 0], wrong=[1, 2]))
    with torch.no_grad():
        logits = model(tokens)[:, -1]
    assert torch.allclose(
        board.values, torch.stack([logits[0, 4] - logits[0, 1], logits[1, 0] - logits[1, 2]]), atol=1e-5
    )
    assert len(board.top_tokens(9)) == 5
    assert board.sweep("head", how="zero").values.isfinite().all()
    assert board.direct_logit_attribution().value.isfinite().all()
    board.close()
    with pytest.raises(PromptError) as caught:
        cb.Board(model, cb.PromptPair(tokens, answer=7, wrong=1))
    assert caught.value.code == "token_out_of_range"
