"""What is known of each family of models whose blocks the wavefront tier can take apart.

A family is recognised by the exact class of its blocks and of its whole model, never by its name, its config or
by looking like another: a subclass, a wrapped layer or a patched module is a different model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WindowRule = Literal["none", "every_layer", "layer_types", "attention_type"]
"""Where a sliding window is written: nowhere, in config.sliding_window for every layer, in config.layer_types for
some, or in the attention module's attention_type with config.window_size."""

RotaryRule = Literal["none", "model", "layer_type", "table", "native"]
"""Where rotary angles come from: nowhere, one module of the model, one module asked with a layer type, GPT-J's table
(of the model, or of each attention module before transformers 5.24), or the native model's table."""

ScaleRule = Literal["d_head", "d_head_and_layer", "scaling", "one", "divisor", "native"]
"""What scores are multiplied by: 1/√d_head; the same, over the layer's number if the config says so; the attention
module's `scaling`; 1; the same `scaling`, or 1/`scale_attn` before transformers 5.24; or 1/`scale`."""


@dataclass(frozen=True)
class Family:
    """How to read one family's modules.

    Parameters
    ----------
    block, model
        Full names of the classes of a layer and of the whole model.
    attention
        The TransformerLens bridge that computes its attention.
    activation
        Attribute of the MLP (of the block for OPT, whose MLP is no module) that holds the non-linearity.
    scale, rotary, window
        Where these are to be found.
    float32_scores, float32_softmax
        Whether q and k, or only the scores, are cast to float32; None: if the model's eager attention is in use.
    parallel
        Whether attention and MLP read the same residual; None: `use_parallel_residual` says.
    """

    block: str
    model: str
    attention: str
    activation: str
    scale: ScaleRule
    rotary: RotaryRule = "none"
    window: WindowRule = "none"
    float32_scores: bool | None = False
    float32_softmax: bool | None = False
    parallel: bool | None = False


def _hugging_face(module: str, block: str, model: str, **reading: object) -> Family:
    prefix = f"transformers.models.{module}.modeling_{module}."
    return Family(prefix + block, prefix + model, **reading)  # type: ignore[arg-type]


_LLAMA_LIKE = {
    "attention": "PositionEmbeddingsAttentionBridge",
    "activation": "act_fn",
    "scale": "scaling",
    "rotary": "model",
    "float32_softmax": True,
}

FAMILIES: tuple[Family, ...] = (
    _hugging_face(
        "gpt2",
        "GPT2Block",
        "GPT2LMHeadModel",
        attention="JointQKVAttentionBridge",
        activation="act",
        scale="d_head_and_layer",
    ),
    Family(
        "transformer_lens.model_bridge.sources.native.model.NativeBlock",
        "transformer_lens.model_bridge.sources.native.model.NativeModel",
        attention="AttentionBridge",
        activation="act",
        scale="native",
        rotary="native",
    ),
    _hugging_face("llama", "LlamaDecoderLayer", "LlamaForCausalLM", **_LLAMA_LIKE),
    _hugging_face("mistral", "MistralDecoderLayer", "MistralForCausalLM", window="every_layer", **_LLAMA_LIKE),
    _hugging_face("qwen2", "Qwen2DecoderLayer", "Qwen2ForCausalLM", window="layer_types", **_LLAMA_LIKE),
    _hugging_face("qwen3", "Qwen3DecoderLayer", "Qwen3ForCausalLM", window="layer_types", **_LLAMA_LIKE),
    _hugging_face("gemma", "GemmaDecoderLayer", "GemmaForCausalLM", **_LLAMA_LIKE),
    _hugging_face("gemma2", "Gemma2DecoderLayer", "Gemma2ForCausalLM", window="layer_types", **_LLAMA_LIKE),
    _hugging_face(
        "gemma3",
        "Gemma3DecoderLayer",
        "Gemma3ForCausalLM",
        window="layer_types",
        **{**_LLAMA_LIKE, "rotary": "layer_type"},
    ),
    _hugging_face(
        "gpt_neox",
        "GPTNeoXLayer",
        "GPTNeoXForCausalLM",
        attention="JointQKVPositionEmbeddingsAttentionBridge",
        activation="act",
        scale="d_head",
        rotary="model",
        parallel=None,
    ),
    _hugging_face(
        "gptj",
        "GPTJBlock",
        "GPTJForCausalLM",
        attention="AttentionBridge",
        activation="act",
        scale="divisor",
        rotary="table",
        float32_scores=None,
        parallel=True,
    ),
    _hugging_face(
        "gpt_neo",
        "GPTNeoBlock",
        "GPTNeoForCausalLM",
        attention="AttentionBridge",
        activation="act",
        scale="one",
        window="attention_type",
        float32_scores=True,
    ),
    _hugging_face(
        "opt",
        "OPTDecoderLayer",
        "OPTForCausalLM",
        attention="AttentionBridge",
        activation="activation_fn",
        scale="scaling",
        float32_softmax=None,
    ),
    _hugging_face(
        "phi",
        "PhiDecoderLayer",
        "PhiForCausalLM",
        **{**_LLAMA_LIKE, "activation": "activation_fn"},
        parallel=True,
    ),
    _hugging_face(
        "phi3",
        "Phi3DecoderLayer",
        "Phi3ForCausalLM",
        attention="JointQKVPositionEmbeddingsAttentionBridge",
        activation="activation_fn",
        scale="d_head",
        rotary="model",
        window="every_layer",
    ),
)
"""Every family that can be taken apart."""


def full_name(value: object) -> str:
    """The class of a value, with its module, e.g. "torch.nn.modules.linear.Linear"."""
    return f"{type(value).__module__}.{type(value).__qualname__}"
