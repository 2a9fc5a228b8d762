"""Models that somebody holds and that no family describes: packed, wrapped, compiled, offloaded, half a model.

Each is tiny, random and built without a hub. Where the library that makes such models runs here, it is used; where it
does not, a module of the same make stands in for it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Self

import torch
import torch.nn.functional as F  # noqa: N812
import transformers
from torch.nn.utils import parametrize, prune
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

if TYPE_CHECKING:
    from torch import Tensor

_COMMON = {"vocab_size": 60, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
_LLAMA = {
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "hidden_size": 32,
    "intermediate_size": 48,
    "max_position_embeddings": 32,
    **_COMMON,
}
_GPT = {"n_layer": 2, "n_head": 4, "n_embd": 32, "n_positions": 32, **_COMMON}


def _hugging_face(config: transformers.PretrainedConfig, attention: str = "eager") -> torch.nn.Module:
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(6.0)
    return model


def _bridge(model: torch.nn.Module, **options: object) -> TransformerBridge:
    bridge = build_bridge_from_module(model, type(model).__name__, hf_config=model.config, **options)
    return bridge.eval()


def llama(**options: object) -> torch.nn.Module:
    return _hugging_face(transformers.LlamaConfig(**{**_LLAMA, **options}))


def _linears(model: torch.nn.Module, *, but: tuple[str, ...] = ("lm_head",)) -> list[tuple[torch.nn.Module, str]]:
    """Every linear layer as (parent, name), the unembedding apart."""
    found = [
        (module, name)
        for module in model.modules()
        for name, child in module.named_children()
        if isinstance(child, torch.nn.Linear) and name not in but
    ]
    assert found
    return found


# --- quantized ------------------------------------------------------------------------------------------


class Packed(torch.nn.Linear):
    """As bitsandbytes' Linear4bit: a torch Linear by its class, two 4-bit numbers a byte by its weight."""

    def __init__(self, full: torch.nn.Linear) -> None:
        super().__init__(full.in_features, full.out_features, bias=full.bias is not None)
        self.bias = full.bias
        step = full.weight.detach().abs().amax(1, keepdim=True) / 7
        levels = (full.weight.detach() / step).round().to(torch.int8) + 8
        packed = (levels[:, ::2] * 16 + levels[:, 1::2]).to(torch.uint8).reshape(-1, 1)
        self.weight = torch.nn.Parameter(packed, requires_grad=False)
        self.register_buffer("step", step)

    def unpacked(self) -> Tensor:
        pairs = self.weight.reshape(self.out_features, -1).int()
        return (torch.stack((pairs // 16, pairs % 16), -1).flatten(1) - 8) * self.step

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.unpacked().to(x.dtype), self.bias)


class PackedTensor(torch.Tensor):
    """As torchao's weights: a tensor class that is float by its dtype, and does nothing but multiply rows."""

    @staticmethod
    def __new__(cls, levels: Tensor, step: Tensor) -> Self:
        return torch.Tensor._make_wrapper_subclass(cls, levels.shape, dtype=torch.float32, device=levels.device)

    def __init__(self, levels: Tensor, step: Tensor) -> None:
        self.levels, self.step = levels, step

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func is F.linear:
            x, weight, *bias = args
            return F.linear(x, weight.levels.to(x.dtype) * weight.step, *bias, **(kwargs or {}))
        return super().__torch_function__(func, types, args, kwargs or {})

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.detach.default:
            return cls(args[0].levels, args[0].step)
        raise NotImplementedError(f"{func} is not there for {cls.__name__}")


def _four_bit() -> TransformerBridge:
    model = llama()
    for parent, name in _linears(model):
        setattr(parent, name, Packed(getattr(parent, name)))
    return _bridge(model)


def _tensor_class() -> TransformerBridge:
    model = llama()
    for parent, name in _linears(model):
        linear = getattr(parent, name)
        step = linear.weight.detach().abs().amax(1, keepdim=True) / 127
        packed = PackedTensor((linear.weight.detach() / step).round().to(torch.int8), step)
        linear.weight = torch.nn.Parameter(packed, requires_grad=False)
    return _bridge(model)


def _half_of_it(dtype: torch.dtype, *names: str) -> TransformerBridge:
    """Parts in another dtype than the rest, which cast their input, as `keep_in_fp32_modules` does for norms."""
    model = llama().to(dtype)
    for name, module in model.named_modules():
        if name.endswith(names):
            module.float()
    return _bridge(model)


# --- adapters -------------------------------------------------------------------------------------------


class Lora(torch.nn.Module):
    """As peft's: the layer it wraps, plus scaling · B · A."""

    def __init__(self, base_layer: torch.nn.Linear, rank: int = 2) -> None:
        super().__init__()
        self.base_layer = base_layer
        self.lora_A = torch.nn.Linear(base_layer.in_features, rank, bias=False)
        self.lora_B = torch.nn.Linear(rank, base_layer.out_features, bias=False)
        self.scaling = 2.0

    @property
    def weight(self) -> Tensor:
        return self.base_layer.weight

    @property
    def bias(self) -> Tensor | None:
        return self.base_layer.bias

    def forward(self, x: Tensor) -> Tensor:
        return self.base_layer(x) + self.scaling * self.lora_B(self.lora_A(x))


class LoraLinear(torch.nn.Linear):
    """As loralib's: a torch Linear by its class, whose weight is not all that it multiplies by."""

    def __init__(self, full: torch.nn.Linear, rank: int = 2) -> None:
        super().__init__(full.in_features, full.out_features, bias=full.bias is not None)
        self.weight, self.bias = full.weight, full.bias
        self.low = torch.nn.Parameter(torch.randn(rank, full.in_features))
        self.high = torch.nn.Parameter(torch.randn(full.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias) + F.linear(F.linear(x, self.low), self.high)


def _adapted(make: Callable[[torch.nn.Linear], torch.nn.Module], *names: str) -> TransformerBridge:
    model = llama()
    for parent, name in _linears(model):
        if name in names:
            setattr(parent, name, make(getattr(parent, name)))
    return _bridge(model)


def _merged() -> TransformerBridge:
    model = llama()
    for parent, name in _linears(model):
        linear = getattr(parent, name)
        low, high = torch.randn(2, linear.in_features), torch.randn(linear.out_features, 2)
        linear.weight.data += high @ low
    return _bridge(model)


class _Doubled(torch.nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 2 * weight


def _parametrized() -> TransformerBridge:
    model = llama()
    for layer in model.model.layers:
        parametrize.register_parametrization(layer.self_attn.o_proj, "weight", _Doubled())
        torch.nn.utils.parametrizations.weight_norm(layer.mlp.down_proj)
    return _bridge(model)


def _pruned() -> TransformerBridge:
    model = llama()
    for layer in model.model.layers:
        prune.l1_unstructured(layer.self_attn.o_proj, "weight", amount=0.5)
        prune.l1_unstructured(layer.mlp.down_proj, "weight", amount=0.5)
    return _bridge(model)


# --- compiled, offloaded, frozen ------------------------------------------------------------------------


def _compiled_forward() -> TransformerBridge:
    model = _bridge(llama(num_hidden_layers=1))
    model.original_model.forward = torch.compile(model.original_model.forward, backend="eager")
    return model


def _inference() -> TransformerBridge:
    with torch.inference_mode():
        return _bridge(llama())


def _frozen() -> TransformerBridge:
    return _bridge(llama().requires_grad_(requires_grad=False))


def _offloaded(folder: str | None = None) -> TransformerBridge:
    import accelerate

    model = llama()
    if folder is None:
        accelerate.cpu_offload(model, execution_device=torch.device("cpu"))
    else:
        accelerate.disk_offload(model, folder, execution_device=torch.device("cpu"))
    return _bridge(model)


def _not_loaded() -> TransformerBridge:
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(transformers.LlamaConfig(**_LLAMA))
    return _bridge(model.eval())


def _checkpointing() -> TransformerBridge:
    model = llama()
    model.gradient_checkpointing_enable()
    return _bridge(model)


def _training() -> TransformerBridge:
    model = _bridge(_hugging_face(transformers.GPT2Config(resid_pdrop=0.5, attn_pdrop=0.5, embd_pdrop=0.5, **_GPT)))
    return model.train()


def _hooked() -> TransformerBridge:
    """The user's own hooks, of both kinds, left on the model."""
    model = _bridge(llama())
    model.hook_dict["blocks.0.attn.hook_z"].add_perma_hook(lambda value, hook: value * 0.5)
    model.blocks[1].mlp.register_forward_hook(lambda _module, _args, out: out * 0.5)
    return model


def _hooked_between() -> TransformerBridge:
    """A hook on what enters a block, which a block that is called by itself would apply twice."""
    model = _bridge(llama())
    model.hook_dict["blocks.1.hook_resid_pre"].add_perma_hook(lambda value, hook: value * 0.5)
    return model


# --- shapes ---------------------------------------------------------------------------------------------


def _latent(config: type[transformers.PretrainedConfig], **options: object) -> TransformerBridge:
    """Multi-head latent attention: queries and keys of another width than values."""
    wide = {**_LLAMA, "num_key_value_heads": 4, "num_hidden_layers": 3, **options}
    return _bridge(
        _hugging_face(
            config(
                q_lora_rank=16,
                kv_lora_rank=16,
                qk_nope_head_dim=4,
                qk_rope_head_dim=4,
                v_head_dim=8,
                first_k_dense_replace=1,
                n_routed_experts=4,
                num_experts_per_tok=2,
                n_shared_experts=1,
                moe_intermediate_size=16,
                n_group=2,
                topk_group=1,
                **wide,
            )
        )
    )


def native(**options: object) -> TransformerBridge:
    config = {
        "n_layers": 2,
        "d_model": 32,
        "d_head": 8,
        "n_heads": 4,
        "d_mlp": 48,
        "n_ctx": 16,
        "d_vocab": 60,
        "act_fn": "gelu",
        "normalization_type": "LN",
        "seed": 0,
        "init_weights": True,
        **options,
    }
    return TransformerBridge.boot_native(TransformerBridgeConfig(**config)).eval()


def _smallest() -> TransformerBridge:
    """One layer, one head, as the smallest toy models have."""
    return native(n_layers=1, n_heads=1, d_model=4, d_head=4, d_mlp=1, d_vocab=9, n_ctx=4)


def _tracr_like() -> TransformerBridge:
    return native(
        n_layers=1,
        d_model=8,
        d_head=4,
        n_ctx=8,
        d_vocab=9,
        d_mlp=16,
        n_heads=2,
        act_fn="relu",
        attention_dir="bidirectional",
        normalization_type=None,
    )


def _cut() -> TransformerBridge:
    """Its first layer alone; its configuration still says two."""
    model = llama()
    model.model.layers = model.model.layers[:1]
    return _bridge(model)


def _sparse() -> TransformerBridge:
    model = llama(num_hidden_layers=1)
    for parent, name in _linears(model):
        if name in ("o_proj", "down_proj"):
            linear = getattr(parent, name)
            linear.weight = torch.nn.Parameter(linear.weight.detach().to_sparse_csr(), requires_grad=False)
    return _bridge(model)


def _no_layers() -> TransformerBridge:
    return _bridge(llama(num_hidden_layers=0))


def _not_a_number() -> TransformerBridge:
    model = llama()
    model.model.layers[1].mlp.down_proj.weight.data[3, 5] = float("nan")
    return _bridge(model)


def _untied() -> TransformerBridge:
    return _bridge(_hugging_face(transformers.GPT2Config(tie_word_embeddings=False, **_GPT)))


def _tied() -> TransformerBridge:
    return _bridge(llama(tie_word_embeddings=True))


class _OwnAttention(torch.nn.Module):
    """A part of somebody's own in the place of a family's."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, *args: object, **kwargs: object) -> Tensor:
        return 0.5 * self.inner(*args, **kwargs)


def _own_part() -> TransformerBridge:
    model = _bridge(llama())
    for block in model.blocks:
        down = block.mlp.original_component
        down.down_proj = _OwnAttention(down.down_proj)
    return model


def _with_attention(attention: str, config: type[transformers.PretrainedConfig] | None = None) -> TransformerBridge:
    made = (config or transformers.LlamaConfig)(**_LLAMA)
    model = _hugging_face(made, attention)
    bridge = _bridge(model)
    model.config._attn_implementation = attention
    return bridge


ODD: dict[str, Callable[[], TransformerBridge]] = {
    "four_bit": _four_bit,
    "tensor_class": _tensor_class,
    "float32_norms": lambda: _half_of_it(torch.bfloat16, "layernorm", "norm"),
    "float16": lambda: _bridge(llama().half()),
    "bfloat16": lambda: _bridge(llama().bfloat16()),
    "float64": lambda: native(positional_embedding_type="rotary").double(),
    "lora": lambda: _adapted(Lora, "q_proj", "v_proj", "o_proj", "down_proj"),
    "lora_queries": lambda: _adapted(Lora, "q_proj", "v_proj"),
    "lora_linear": lambda: _adapted(LoraLinear, "o_proj", "down_proj"),
    "lora_merged": _merged,
    "parametrized": _parametrized,
    "pruned": _pruned,
    "compiled_forward": _compiled_forward,
    "inference": _inference,
    "frozen": _frozen,
    "offloaded": _offloaded,
    "not_loaded": _not_loaded,
    "checkpointing": _checkpointing,
    "hooked": _hooked,
    "hooked_between": _hooked_between,
    "training": _training,
    "latent_v2": lambda: _latent(transformers.DeepseekV2Config, topk_method="greedy"),
    "latent_v3": lambda: _latent(transformers.DeepseekV3Config),
    "smallest": _smallest,
    "bidirectional_bare": _tracr_like,
    "cut": _cut,
    "sparse": _sparse,
    "no_layers": _no_layers,
    "nan": _not_a_number,
    "untied": _untied,
    "tied": _tied,
    "own_part": _own_part,
    "sdpa": lambda: _with_attention("sdpa"),
    "flex": lambda: _with_attention("flex_attention"),
}


_HEADS = {"head.q", "head.k", "head.v", "head.pattern", "head", "head.result"}
REFUSED_KINDS = {
    "four_bit": {"head.result"},
    "tensor_class": {"head.result"},
    "offloaded": {"head.result"},
    "lora": {"head.result"},
    "lora_linear": {"head.result"},
    "parametrized": {"head.pattern", "head", "head.result", "neuron"},
    "sparse": {"head.result"},
    "latent_v2": _HEADS,
    "latent_v3": _HEADS,
}
"""Kinds of site that are refused."""

IN_WORDS = {
    "four_bit": "linear layers hold two 4-bit numbers a byte, as bitsandbytes' Linear4bit",
    "tensor_class": "weights of a tensor class that only multiplies rows, as torchao's",
    "float32_norms": "bfloat16 with norms in float32",
    "float16": "all in float16",
    "bfloat16": "all in bfloat16",
    "float64": "TransformerLens's own model in float64",
    "lora": "LoRA on q, v, o and the MLP's last projection, unmerged, as peft's",
    "lora_queries": "LoRA on q and v, unmerged",
    "lora_linear": "LoRA in a subclass of torch's Linear, as loralib's",
    "lora_merged": "the same, merged into the weights",
    "parametrized": "torch parametrizations on projections, such as weight norm",
    "pruned": "torch pruning masks on projections",
    "compiled_forward": "the whole forward method replaced by torch.compile's",
    "inference": "loaded under torch.inference_mode()",
    "frozen": "no parameter requires a gradient",
    "offloaded": "weights on the CPU, brought in by accelerate layer by layer",
    "not_loaded": "weights on the meta device",
    "checkpointing": "gradient checkpointing switched on",
    "hooked": "hooks of the user's, of TransformerLens and of torch, within its blocks",
    "hooked_between": "a hook of the user's on what enters a block",
    "training": "GPT-2 with dropout in train mode (a board measures it in eval mode)",
    "latent_v2": "DeepSeek-V2: multi-head latent attention and experts",
    "latent_v3": "DeepSeek-V3: the same",
    "smallest": "one layer with one head and one neuron",
    "bidirectional_bare": "bidirectional attention and no norms, as Tracr's programs",
    "cut": "its first layer alone, under a configuration of two",
    "sparse": "one layer whose output projections are sparse",
    "no_layers": "no layers at all",
    "untied": "GPT-2 with an unembedding of its own",
    "tied": "Llama whose unembedding is its embedding",
    "own_part": "a module of the user's own around a projection",
    "sdpa": "loaded with attention sdpa",
    "flex": "loaded with flex_attention",
}
"""What each of those is that stand in the table of what is supported."""


@cache
def odd(name: str) -> TransformerBridge:
    """One of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ODD[name]()
