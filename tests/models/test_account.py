"""What a change of a model is, and what is none: training counts, being used does not."""

from __future__ import annotations

import copy
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch.utils.hooks import RemovableHandle
from transformers import modeling_utils

import circuitboard as cb
from circuitboard.models.account.account import Account
from circuitboard.models.bridge import BridgeAdapter
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


def patch(monkeypatch, holder, name):
    monkeypatch.setattr(holder, name, partial(getattr(holder, name)))


def another_class(model):
    class Doubled(torch.nn.Linear):
        def forward(self, x):
            return super().forward(x) * 2

    model.original_model.lm_head.__class__ = Doubled


def shared_configuration(model):
    # The last of many modules that hold the same one.
    last = [module for module in model.modules() if "config" in vars(module)][-1]
    last.config = copy.deepcopy(last.config)


def rotary(model):
    return next(module for module in model.modules() if hasattr(module, "inv_freq"))


CODE = {
    "a method of a class": (
        "gpt2",
        lambda model, patcher: patch(patcher, type(original(model, "Attention")), "forward"),
    ),
    "a helper method of an object": (
        "gemma2",
        lambda model, patcher: patch(patcher, original(model, "RMSNorm"), "_norm"),
    ),
    "a function of the file": (
        "llama_gqa",
        lambda _, patcher: patch(
            patcher, sys.modules["transformers.models.llama.modeling_llama"], "apply_rotary_pos_emb"
        ),
    ),
    "a function of torch": ("llama_gqa", lambda _, patcher: patch(patcher, torch.nn.functional, "silu")),
    "an entry of a registry": (
        "llama_gqa",
        lambda _, patcher: patcher.setitem(modeling_utils.ALL_ATTENTION_FUNCTIONS, "sdpa", lambda *_args, **_kw: None),
    ),
    "an activation that is a function": (
        "native",
        lambda model, _: setattr(model.blocks[0].mlp.original_component, "act", torch.sin),
    ),
    "another class": ("gpt2", lambda model, _: another_class(model)),
    "another driver": ("gpt2", lambda model, _: setattr(model, "_driver", fresh()._driver)),
    "what the driver drives": ("gpt2", lambda model, _: setattr(model._driver, "_model", fresh().original_model)),
    "another configuration": ("llama_gqa", lambda model, _: shared_configuration(model)),
    "rotary angles": ("llama_gqa", lambda model, _: setattr(rotary(model), "inv_freq", rotary(model).inv_freq * 2)),
}
"""Code of another kind, by family; none of it touches a weight."""


def original(model, word):
    """A module of the family's own class whose name has that word in it."""
    return next(
        one for one in model.modules() if word in type(one).__name__ and "transformers." in type(one).__module__
    )


@pytest.mark.parametrize("change", CODE)
def test_other_code_is_another_model(change, monkeypatch):
    family, act = CODE[change]
    model = fresh(family)
    account = Account(model)
    model(TOKENS)
    assert account.changed() is None
    act(model, monkeypatch)
    assert account.changed() is not None
    monkeypatch.undo()


class Steer:
    def __init__(self):
        self.factor, self.seen, self.epoch = 2.0, [], 0

    def __call__(self, x, hook):
        self.seen.append(hook.name)
        return self.steered(x)

    def steered(self, x):
        return x * self.factor


def what_hooks_read():
    """A hook and what changes a number that it reads, by where the number is."""
    state, vector, steer, bound, probe = {"factor": 2.0}, torch.ones(1), Steer(), Steer(), torch.nn.Linear(8, 8)
    holder, hidden = SimpleNamespace(factor=2.0), torch.ones(1)

    def close_over():
        factor = 2.0

        def set_factor():
            nonlocal factor
            factor = 3.0

        return lambda x, hook: x * factor, set_factor

    return {
        "a variable closed over": close_over(),
        "a table": (lambda x, hook: x * state["factor"], lambda: state.update(factor=3.0)),
        "a tensor": (lambda x, hook: x * vector, lambda: vector.mul_(2)),
        "a tensor, behind torch's back": (lambda x, hook: x * hidden, lambda: hidden.data.mul_(2)),
        "an argument": (partial(lambda x, hook, by: x * by[0], by=(by := [2.0])), lambda: by.append(1.0) or by.pop(0)),
        "its own object": (steer, lambda: setattr(steer, "factor", 3.0)),
        "its method's object": (bound.__call__, lambda: setattr(bound, "factor", 3.0)),
        "a global": (lambda x, hook: x * FACTOR, lambda: globals().update(FACTOR=3.0)),
        "a module": (lambda x, hook: probe(x), lambda: probe.weight.data.mul_(2)),
        "a list of modules": (partial(lambda x, hook, by: by[0](x), by=[probe]), lambda: probe.weight.data.mul_(2)),
        "an object": (
            partial(lambda x, hook, held: x * held.factor, held=holder),
            lambda: setattr(holder, "factor", 3.0),
        ),
    }


FACTOR = 2.0


@pytest.mark.parametrize("where", what_hooks_read())
def test_a_hook_that_reads_another_number_is_another_model(where):
    hook, change = what_hooks_read()[where]
    model = fresh()
    model.hook_dict["blocks.1.attn.hook_z"].add_perma_hook(hook)
    account = Account(model)
    before = model(TOKENS)
    account.settle()
    assert account.changed() is None
    change()
    try:
        assert not torch.equal(model(TOKENS), before)
        assert account.changed() is not None
    finally:
        globals().update(FACTOR=2.0)


def test_what_a_hook_does_not_read_is_no_change():
    model, steer = fresh(), Steer()
    model.add_hook("blocks.1.attn.hook_z", lambda x, hook: x * steer.factor)
    model.add_hook("blocks.0.attn.hook_z", steer)
    account = Account(model)
    model(TOKENS)
    account.settle()
    steer.epoch += 1
    assert account.changed() is None


def test_what_a_hook_or_a_module_counts_is_no_change():
    total, kept, calls = torch.zeros(()), {}, 0

    def hook(x, hook):
        nonlocal calls
        calls += 1
        total.add_(x.sum())
        kept[hook.name] = x
        return x

    def count(module, _args, out):
        module.steps = module.steps + 1
        module.mine = out
        return out

    model = fresh()
    model.add_hook("blocks.1.attn.hook_z", hook)
    part = model.original_model.lm_head
    part.steps, part.mine = 0, None
    part.register_forward_hook(count)
    account = Account(model)
    model(TOKENS)
    assert account.changed() is not None
    account.settle()
    model(TOKENS[:, :3])
    assert account.changed() is None
    assert calls == 2


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


def test_what_is_compiled_elsewhere_is_no_change():
    """Torch leaves functions of its own in the files whose code it compiles, which other models share."""
    model, other = fresh(), fresh().original_model.transformer.h[0].mlp.original_component
    account = Account(model)
    with torch.no_grad():
        torch.compile(other, backend="eager")(torch.zeros(1, 3, 32))
    assert any(name.startswith("__compiled_fn") for name in vars(sys.modules[type(other).__module__]))
    assert account.changed() is None


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


def test_hooks_of_ours_come_and_go_while_nobody_may_look_at_the_model(monkeypatch):
    model = fresh()
    adapter = BridgeAdapter(model).of_user()
    held = []

    def held_elsewhere():
        free = adapter.account.lock.acquire(blocking=False)
        if free:
            adapter.account.lock.release()
        return not free

    def watched(call):
        def watching(*args, **kwargs):
            with ThreadPoolExecutor() as another:
                held.append(another.submit(held_elsewhere).result())
            return call(*args, **kwargs)

        return watching

    for owner, name in (
        (torch.nn.Module, "register_forward_pre_hook"),
        (torch.nn.Module, "register_forward_hook"),
        (RemovableHandle, "remove"),
    ):
        monkeypatch.setattr(owner, name, watched(getattr(owner, name)))
    adapter.record(TOKENS, [("resid_pre", 1), ("head.pattern", 1)])
    adapter.enter(TOKENS)
    with adapter.rewriting({("head", 1): torch.zeros_like, ("head.result", 2): torch.zeros_like}):
        adapter.forward(TOKENS)
    assert len(held) > 2 * len(model.blocks)
    assert all(held)


def test_what_one_board_puts_on_a_model_is_no_change_to_another_board():
    model = fresh()
    pair = cb.PromptPair(TOKENS, TOKENS.flip(1), answer=1, wrong=2)
    one, other = cb.Board(model, pair), cb.Board(model, pair)
    with ThreadPoolExecutor() as cells:
        with one.desk.lab.adapter.of_user().rewriting({("head", 1): torch.zeros_like}):
            asked = cells.submit(other.preview, cb.head(1, 1).zero())
            made = cells.submit(cb.Board, model, pair)
            with pytest.raises(TimeoutError):
                asked.result(0.5)
        assert asked.result().value == other.preview(cb.head(1, 1).zero()).value
        third = made.result()
    assert third.engine.why == one.engine.why, "it took no hook of ours for the user's"
    for board in (one, other, third):
        board.close()
