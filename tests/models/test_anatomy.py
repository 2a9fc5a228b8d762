"""An anatomy is the model: a forward pass with nothing else gives the same activations, and unknown models are refused.

Not covered here: CUDA and MPS; the other tests of the numerics folder compare the engine built on this with hooks.
"""

from __future__ import annotations

import pytest
import torch

from circuitboard.errors import ModelError
from circuitboard.models.bridge import twin
from circuitboard.models.dissection import dissect
from tests.models.plain_forward import plain_forward
from tests.tiny_models import D_VOCAB, NOT_WAVEFRONT, WAVEFRONT, tiny

TOKENS = torch.randint(1, D_VOCAB, (2, 12), generator=torch.Generator().manual_seed(1))
FP32, FP64, HALF = 1e-5, 1e-9, {torch.bfloat16: 0.1, torch.float16: 0.01}
"""Largest difference of an activation, relative to its scale."""


def compare(model, tokens=TOKENS, *, tolerance, **options):
    """Every activation of a forward from the recorded first residual against the bridge's own."""
    anatomy = dissect(twin(model))
    with torch.no_grad():
        logits, cache = model.run_with_cache(tokens, **options)
        mask = options.get("attention_mask")
        real = torch.ones_like(tokens, dtype=torch.bool) if mask is None else mask.bool()
        got, seen = plain_forward(anatomy, cache["blocks.0.hook_resid_pre"], real)
    seen["logits"] = got
    for name, ours in seen.items():
        theirs = logits if name == "logits" else cache[name].reshape(ours.shape)
        if name.endswith("hook_pattern"):
            ours, theirs = ours.transpose(1, 2), theirs.transpose(1, 2)  # noqa: PLW2901  [batch, query, …] as the rest
        ours, theirs = ours[real].double(), theirs[real].double()  # noqa: PLW2901
        scale = max(1.0, float(theirs.abs().max()))
        torch.testing.assert_close(
            ours, theirs, rtol=0, atol=tolerance * scale, msg=lambda text, n=name: f"{n}: {text}"
        )
    return anatomy


@pytest.mark.parametrize("double", [False, True], ids=["fp32", "fp64"])
@pytest.mark.parametrize("compatibility", [False, True], ids=["raw", "compatibility"])
@pytest.mark.parametrize("family", WAVEFRONT)
def test_plain_forward_equals_the_bridge(family, compatibility, double):
    # GPT-J and GPT-Neo multiply q and k in float32 whatever the model's dtype, and add up in another order than here.
    tolerance = FP32 if not double or family in ("gptj", "gptneo") else FP64
    compare(tiny(family, compatibility=compatibility, double=double), tolerance=tolerance)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=["bf16", "fp16"])
@pytest.mark.parametrize("family", ["gpt2", "gemma1"])
def test_half_precision_is_near(family, dtype):
    # A model of its own: one that other tests have run holds results that cannot be copied.
    compare(tiny.__wrapped__(family).to(dtype), tolerance=HALF[dtype])


@pytest.mark.parametrize("family", ["gpt2", "mistral", "gemma3", "neox", "gptj", "opt", "native_gqa"])
def test_left_padding(family):
    mask = torch.ones_like(TOKENS)
    mask[1, :5] = 0
    compare(tiny(family), TOKENS * mask, tolerance=FP32, attention_mask=mask)


@pytest.mark.parametrize("family", WAVEFRONT)
@pytest.mark.parametrize("compatibility", [False, True], ids=["raw", "compatibility"])
def test_a_change_of_the_embedding_arrives_scaled(family, compatibility):
    model = tiny(family, compatibility=compatibility)
    delta, seen = torch.linspace(-1, 1, 32), {}

    def add(embedded, hook):
        return embedded + delta

    def keep(resid, hook):
        seen["resid"] = resid.clone()
        return resid

    with torch.no_grad():
        _, cache = model.run_with_cache(TOKENS)
        model.run_with_hooks(TOKENS, fwd_hooks=[("hook_embed", add), ("blocks.0.hook_resid_pre", keep)])
    change = seen["resid"] - cache["blocks.0.hook_resid_pre"]
    expected = (dissect(twin(model)).embed_scale * delta).expand_as(change)
    torch.testing.assert_close(change, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa", "neox", "gemma2", "native", "phi3"])
def test_weights_are_views_of_the_models(family):
    model = tiny(family)
    storages = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    anatomy = dissect(twin(model))
    for block in anatomy.blocks:
        for part in (block.attn.q, block.attn.k, block.attn.v, block.attn.o, block.mlp.up, block.mlp.down):
            assert part.weight.untyped_storage().data_ptr() in storages
            assert not part.weight.requires_grad
    assert anatomy.unembed.weight.untyped_storage().data_ptr() in storages


@pytest.mark.parametrize("family", ["mistral", "qwen2", "gemma2", "gemma3", "gptneo", "phi3"])
def test_windows_are_found(family):
    windows = [block.attn.window for block in dissect(twin(tiny(family))).blocks]
    expected = {
        "mistral": [4, 4, 4],
        "qwen2": [None, 4, 4],
        "gemma2": [4, None, 4],
        "gemma3": [4, None, 4],
        "gptneo": [None, 4, None],
        "phi3": [4, 4, 4],
    }
    assert windows == expected[family]


def test_positions_are_counted_from_the_first_real_token():
    real = torch.tensor([[False, False, True, True], [True, True, True, True]])
    positions = dissect(twin(tiny("gpt2"))).positions(real)
    assert positions.tolist() == [[0, 0, 0, 1], [0, 1, 2, 3]]


REASONS = {
    "bloom": "positions are ALiBi biases",
    "mpt": "positions are ALiBi biases",
    "mixtral": "blocks have experts",
    "gpt_oss": "blocks have experts",
    "falcon": "FalconDecoderLayer",
    "cohere": "CohereDecoderLayer",
    "granite": "multiplied by a factor",
    "opt_post": "norms come after attention and MLP",
    "native_bidirectional": "attention is bidirectional",
    "llama_dynamic_rope": '"dynamic"',
    "mamba": "not of attention and an MLP",
    "t5": "no decoder-only stack",
}


@pytest.mark.parametrize("family", NOT_WAVEFRONT)
def test_other_models_are_refused_with_the_reason(family):
    with pytest.raises(ModelError, match=REASONS[family]) as refused:
        dissect(twin(tiny(family)))
    assert refused.value.code == "no_anatomy"


def _split_over_devices(model):
    model.blocks[1].mlp.original_component.to("meta")


def _unload(model):
    model.to("meta")


def _quantize(model):
    projection = model.blocks[0].attn.o.original_component
    projection.weight = torch.nn.Parameter(projection.weight.to(torch.int8), requires_grad=False)


def _mix_dtypes(model):
    model.blocks[0].ln1.original_component.half()


def _replace_forward(model):
    norm = model.blocks[0].ln1.original_component
    norm.forward = lambda x: x


def _hook(model):
    model.blocks[2].original_component.register_forward_hook(lambda _module, _args, out: out)


def _adapt(model):
    class Adapted(torch.nn.Linear):
        pass

    wrapped = Adapted(32, 32)
    model.blocks[0].attn.q.set_original_component(wrapped)


def _swap_norm(model):
    model.blocks[0].ln2.set_original_component(torch.nn.RMSNorm(32))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_split_over_devices, "lie on several devices"),
        (_unload, "are not loaded"),
        (_quantize, "are quantized"),
        (_mix_dtypes, "several dtypes"),
        (_replace_forward, "forward method of .* was replaced"),
        (_hook, "carries a torch hook"),
        (_adapt, "projections is a .*Adapted"),
        (_swap_norm, "norms is a .*RMSNorm"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_changed_models_are_refused_with_the_reason(change, reason):
    model = tiny.__wrapped__("llama_gqa")
    change(model)
    with pytest.raises(ModelError, match=reason):
        dissect(model)


@pytest.mark.smollm2
def test_smollm2(smollm2):
    tokens = smollm2.to_tokens("When John and Mary went to the shops, John gave the bag to", prepend_bos=False)
    anatomy = compare(smollm2, tokens, tolerance=FP32)
    assert [len(anatomy.blocks), anatomy.blocks[0].attn.n_heads, anatomy.blocks[0].attn.n_kv_heads] == [30, 9, 3]
