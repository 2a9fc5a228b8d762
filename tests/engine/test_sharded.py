"""A model whose layers lie in different places, as `device_map` of Transformers leaves it: slower tiers, same numbers.

There need not be two devices here. The second place is the CPU under another name ("cpu:0"), with Accelerate's hooks on
the modules as they carry activations from one GPU to the next; or the disk, from which it loads weights when their
module runs.
"""

from __future__ import annotations

import accelerate
import pytest
import torch
import transformers
from accelerate.hooks import AlignDevicesHook, add_hook_to_module
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

import circuitboard as cb
from tests.oracle import hooked_logits

N_LAYERS, D_VOCAB = 3, 60
CLEAN = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]])
PAIR = cb.PromptPair(CLEAN, CLEAN.flip(1), answer=[1, 2], wrong=[3, 4])
COMMON = {"vocab_size": D_VOCAB, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
SIZES = {"num_hidden_layers": N_LAYERS, "num_attention_heads": 4, "hidden_size": 32, "intermediate_size": 48}
CONFIGS = {
    "gpt2": lambda: transformers.GPT2Config(
        n_layer=N_LAYERS, n_head=4, n_embd=32, n_positions=32, tie_word_embeddings=False, **COMMON
    ),
    "llama": lambda: transformers.LlamaConfig(num_key_value_heads=2, **SIZES, **COMMON),
    "neox": lambda: transformers.GPTNeoXConfig(**SIZES, **COMMON),
}
PLACES = {
    "gpt2": (
        "transformer.h",
        ["transformer.wte", "transformer.wpe", "transformer.drop", "transformer.ln_f"],
        "lm_head",
    ),
    "llama": ("model.layers", ["model.embed_tokens", "model.rotary_emb", "model.norm"], "lm_head"),
    "neox": (
        "gpt_neox.layers",
        ["gpt_neox.embed_in", "gpt_neox.emb_dropout", "gpt_neox.rotary_emb", "gpt_neox.final_layer_norm"],
        "lm_head",
    ),
}
"""Where the blocks are, what stays in memory, and the unembedding."""


def hugging_face(family):
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(CONFIGS[family](), attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(6.0)
    return model


def bridge(model):
    return build_bridge_from_module(model, type(model).__name__, hf_config=model.config).eval()


def sharded(family, second, folder):
    """Layers 1 and up and the unembedding in a second place."""
    model = hugging_face(family)
    blocks, near, unembed = PLACES[family]
    device_map = dict.fromkeys((*near, f"{blocks}.0"), "cpu")
    device_map |= dict.fromkeys((unembed, *(f"{blocks}.{layer}" for layer in range(1, N_LAYERS))), second)
    if second == "disk":
        dispatched = accelerate.dispatch_model(model, device_map, main_device="cpu", offload_dir=folder)
    else:
        # `dispatch_model` itself moves buffers by index of their device, which those of a CPU have not.
        dispatched = model
        for name in device_map:
            add_hook_to_module(model.get_submodule(name), AlignDevicesHook(execution_device="cpu", io_same_device=True))
        model.hf_device_map = device_map
    assert set(dispatched.hf_device_map.values()) == {"cpu", second}
    assert hasattr(dispatched.get_submodule(f"{blocks}.1"), "_hf_hook")
    return bridge(dispatched)


def metric(logits):
    return torch.stack([logits[0, 1] - logits[0, 3], logits[1, 2] - logits[1, 4]])


@pytest.mark.parametrize("second", ["cpu:0", "disk"])
@pytest.mark.parametrize("family", CONFIGS)
def test_a_sharded_model_falls_to_a_slower_tier_with_the_same_numbers(family, second, tmp_path):
    board, whole = cb.Board(sharded(family, second, tmp_path), PAIR), bridge(hugging_face(family))
    assert board.engine.tier in ("replay", "hooked")
    assert "wavefront was dropped" in board.engine.why
    assert "its weights lie on several devices" in board.engine.why
    edits = [cb.head(1, 2).patch(), cb.mlp_out(0).at([1, 3]).zero(), cb.head(2, 0).pattern.at(4, 1).scale(2.0)]
    if second != "disk":
        edits += [cb.edge(cb.head(0, 1), cb.head(2, 0).q).zero(), cb.head(1, 3).result.zero()]
    board.edit(*edits)
    expected = hooked_logits(whole, CLEAN, CLEAN.flip(1), edits)[:, -1]
    torch.testing.assert_close(board.logits(), expected, rtol=0, atol=1e-4)
    sweep = board.sweep("head", by="pos")
    for cell in (0, 17, len(sweep.grid.cells) - 1):
        logits = hooked_logits(whole, CLEAN, CLEAN.flip(1), [*edits, sweep.grid.cells[cell]])[:, -1]
        torch.testing.assert_close(sweep.per_prompt.flatten(0, -2)[cell], metric(logits), rtol=0, atol=1e-4)
    assert board.verify().ok
    board.close()


def test_what_a_head_adds_is_refused_where_its_weights_are_on_the_disk(tmp_path):
    board = cb.Board(sharded("gpt2", "disk", tmp_path), PAIR)
    with pytest.raises(cb.InterventionError, match="not in memory"):
        board.edit(cb.head(1, 3).result.zero())
    assert board.edit(cb.head(0, 3).result.zero()).change != 0
    board.close()


def test_the_wavefront_asked_for_by_name_is_refused_with_the_reason(tmp_path):
    with pytest.raises(cb.EngineError, match="several devices") as caught:
        cb.Board(sharded("gpt2", "cpu:0", tmp_path), PAIR, engine="wavefront")
    assert caught.value.code == "tier_refused"
