"""What a change of a model is, and what is none: training counts, being used does not."""

from __future__ import annotations

import pytest
import torch

from circuitboard.models.account import Account
from tests.tiny_models import FAMILIES, MORE_FAMILIES

TOKENS = torch.tensor([[5, 6, 7, 8, 9, 10]])
EVERY = FAMILIES | MORE_FAMILIES


def fresh(family="gpt2"):
    return EVERY[family]().eval()


def some_weight(model):
    return next(p for p in model.original_model.parameters() if p.ndim == 2)


def optimizer_step(optimizer):
    def step(model):
        model(TOKENS).square().mean().backward()
        optimizer(model).step()

    return step


def swap_parameter(model):
    for module in model.original_model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                setattr(module, name, torch.nn.Parameter(parameter.detach() * 1.1))
                return


def replace_forward(model):
    part = model.blocks[1].mlp
    original = part.forward
    part.forward = lambda *args, **kwargs: original(*args, **kwargs) * 0.5


def write_through_numpy(model):
    model.original_model.lm_head.weight.detach().numpy()[:] *= 1.5


def global_hook(model):
    handle = torch.nn.modules.module.register_module_forward_hook(lambda *_: None)
    model._remove_at_end = handle.remove


IN_PLACE = {
    "written in place": lambda model: some_weight(model).data.add_(1.0),
    "fused adam": optimizer_step(lambda model: torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)),
    "through numpy": write_through_numpy,
    "one head's rows": lambda model: model.blocks[0].attn.o.original_component.weight.data[:8].mul_(0.0),
}
"""Writes that torch does not count."""

AT_ONCE = {
    "sgd": optimizer_step(lambda model: torch.optim.SGD(model.parameters(), lr=0.1)),
    "adam": optimizer_step(lambda model: torch.optim.Adam(model.parameters(), lr=0.1)),
    "counted write": lambda model: torch.no_grad()(lambda: some_weight(model).mul_(0.9))(),
    "other data": lambda model: setattr(some_weight(model), "data", some_weight(model).data * 0.9),
    "state dict": lambda model: model.original_model.load_state_dict(
        {name: value * 0.9 for name, value in model.original_model.state_dict().items()}
    ),
    "double": lambda model: model.double(),
    "bfloat16": lambda model: model.bfloat16(),
    "a buffer": lambda model: (
        model.original_model.register_buffer("extra", torch.ones(1)) or some_weight(model).data.fill_(1)
    ),
}
CLOSELY = {
    "swapped parameter": swap_parameter,
    "compatibility mode": lambda model: model.enable_compatibility_mode(),
    "permanent hook": lambda model: model.hook_dict["hook_embed"].add_perma_hook(lambda x, hook: x * 0),
    "hook": lambda model: model.add_hook("blocks.1.attn.hook_z", lambda x, hook: x * 0),
    "torch hook": lambda model: model.blocks[1].mlp.register_forward_hook(lambda _m, _a, out: out * 0),
    "torch hook on the wrapped part": lambda model: model.blocks[1].original_component.register_forward_pre_hook(
        lambda _m, args: args
    ),
    "global hook": global_hook,
    "replaced forward": replace_forward,
    "a part": lambda model: setattr(model.original_model, "lm_head", torch.nn.Linear(32, 60, bias=False)),
    "a setting": lambda model: setattr(model.original_model.config, "layer_norm_epsilon", 0.5),
    "a flag of an adapter": lambda model: setattr(model.blocks[0].mlp, "scaling", {"default": 0.5}),
}


@pytest.mark.parametrize("change", AT_ONCE)
def test_what_torch_counts_is_seen_at_once(change):
    model = fresh()
    account = Account(model)
    assert account.written() is None
    AT_ONCE[change](model)
    assert (account.changed() if change == "a buffer" else account.written()) is not None


@pytest.mark.parametrize("change", IN_PLACE | CLOSELY)
def test_what_only_a_walk_sees(change):
    model = fresh()
    if change == "a flag of an adapter":
        model.blocks[0].mlp.scaling = {"default": 1.0}
    account = Account(model)
    assert account.changed() is None
    (IN_PLACE | CLOSELY)[change](model)
    try:
        assert account.changed() is not None
    finally:
        getattr(model, "_remove_at_end", lambda: None)()


def test_a_hook_that_is_gone_again_is_no_change():
    model = fresh()
    account = Account(model)
    handle = model.blocks[1].mlp.register_forward_hook(lambda _m, _a, out: out * 0)
    assert account.changed() == "a hook was added to blocks.1.mlp"
    handle.remove()
    assert account.changed() is None
    model.add_hook("blocks.1.attn.hook_z", lambda x, hook: x)
    model.reset_hooks()
    assert account.changed() is None


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa", "gemma2", "gptj", "native", "attention_only", "neox"])
def test_being_used_is_no_change(family):
    model = fresh(family)
    account = Account(model)
    model(TOKENS).sum().backward()
    model(TOKENS[:, :3])
    model.zero_grad()
    model.run_with_cache(TOKENS)
    model.run_with_hooks(TOKENS, fwd_hooks=[("blocks.1.attn.hook_z", lambda x, hook: x * 0)])
    with model.hooks(fwd_hooks=[("blocks.1.hook_resid_pre", lambda x, hook: x * 0)]):
        model(TOKENS)
    model.train()
    model(TOKENS)
    model.eval()
    model.requires_grad_(False)
    assert account.changed() is None


def test_messages_name_what_changed():
    model = fresh()
    account = Account(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.9)
    found = account.changed()
    assert found.startswith("weights were written to: ")
    assert "of" in found
    assert "_original_component" not in found
    model = fresh()
    account = Account(model)
    model.double()
    assert account.changed() == "its weights were float32 and are float64"


def test_train_mode_is_remarked_where_something_is_dropped_out():
    model = fresh()
    account = Account(model)
    assert account.remarks() == ()
    model.train()
    assert any("train mode" in remark for remark in account.remarks())
    assert Account(fresh("attention_only").train()).remarks() == ()
