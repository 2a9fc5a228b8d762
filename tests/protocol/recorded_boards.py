"""The boards whose conversations are recorded: a model made by hand, on which heads do what one can add up.

Its twelve layers of twelve heads read a few directions and write one: how much more likely " Mary" is than " John".
There is no norm, so what zeroing a head does is what is written down for it here, and effects add up; only 10.7 does
less where 9.9 is gone.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import torch
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge

import circuitboard as cb

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

D_HEAD, NEURONS, N_CTX = 4, 10, 16

EFFECTS = {
    "9.9": -1.83,
    "9.6": -1.06,
    "10.0": -0.12,
    "8.6": -0.57,
    "10.10": -0.58,
    "10.6": -0.41,
    "9.0": -0.34,
    "10.7": 1.31,
    "11.10": 0.97,
    "7.9": -0.74,
    "8.10": -0.69,
    "7.3": -0.53,
    "5.5": -0.23,
    "3.0": -0.47,
}
"""What zeroing these heads does to the logit difference; every other head does a little."""

OF_THE_NAME = {"9.9": 1.3, "9.6": 1.0, "7.9": 0.5, "8.10": 0.45, "10.10": 0.3, "5.5": 0.2, "10.7": -0.4}
"""The part of it that is read from the second subject, and turns round where that is the other name."""

AGAINST, THROUGH = "10.7", 0.9
"""A head that works against 9.9, and how much of its effect is gone with 9.9."""

CLEAN = 3.6
"""The metric on the clean prompt."""

CONSTANT, NAME, PLACE, OUT, RELAY = range(5)
FIRST = 5
"""The direction of the first position; every position has one."""

PROBABILITIES = {" Mary": 0.684, " John": 0.684 * math.exp(-CLEAN), " the": 0.041, " ring": 0.022, " bag": 0.027}
PLACES = (" shops", " store", " park", " station")
OBJECTS = (" bag", " drink", " book", " ring")
MADE_OF_PLACES = (0.0, 0.4, -0.1, -0.3)
"""How much more 9.9 writes where the prompt names this place, and half of that for 10.7; nothing on average."""

S1, IO, PLACE_AT, S2 = 2, 4, 8, 10


def some(seed: int) -> float:
    """A small number, the same in every run."""
    x = math.sin(seed * 12.9898 + 4.137) * 43758.5453
    return (x - math.floor(x) - 0.5) * 0.35


def effect_of(layer: int, head: int) -> float:
    """What zeroing a head does."""
    return EFFECTS.get(f"{layer}.{head}", some(layer * 31 + head + 1))


def looked_at(layer: int, head: int) -> Tensor:
    """How much a head looks at each position from the last one [N_CTX]: mostly at one of them."""
    at = S2 if f"{layer}.{head}" in OF_THE_NAME else (layer * 5 + head) % 15
    weights = torch.full((N_CTX,), 0.4 / 14)
    weights[at] = 0.6
    return weights


@cache
def by_hand(layers: int = 12, heads: int = 12) -> TransformerBridge:
    """The model, with the demo model's words."""
    words = cb.load("demo").tokenizer
    config = {
        "d_model": FIRST + N_CTX,
        "d_head": D_HEAD,
        "n_heads": heads,
        "n_layers": layers,
        "d_mlp": NEURONS,
        "n_ctx": N_CTX,
        "d_vocab": len(words),
        "act_fn": "relu",
        "normalization_type": None,
        "seed": 0,
        "init_weights": True,
        "model_name": "by-hand",
    }
    model = TransformerBridge.boot_native(TransformerBridgeConfig(**config), tokenizer=words)
    weights = {name.replace("._original_component", ""): p for name, p in model.named_parameters()}
    with torch.no_grad():
        for parameter in weights.values():
            parameter.zero_()
        _fill(weights, words, layers, heads)
    return model.eval()


def _fill(weights: dict[str, Tensor], words, layers: int, heads: int) -> None:
    token = words.convert_tokens_to_ids
    embed, unembed = weights["tok_embed.weight"], weights["head.weight"]
    embed[:, CONSTANT] = 1
    embed[token(" Mary"), NAME], embed[token(" John"), NAME] = 1, -1
    for place, more in zip(PLACES, MADE_OF_PLACES, strict=True):
        embed[token(place), PLACE] = more
    weights["pos.weight"][:, FIRST:] = torch.eye(N_CTX)
    rest = (1 - sum(PROBABILITIES.values())) / (len(words) - len(PROBABILITIES))
    unembed[:, CONSTANT] = math.log(rest)
    for word, probability in PROBABILITIES.items():
        unembed[token(word), CONSTANT] = math.log(probability)
    unembed[token(" Mary"), OUT], unembed[token(" John"), OUT] = 0.5, -0.5
    written = 0.0
    for layer in range(layers):
        q, k, v, o = (
            weights[f"layers.{layer}.attn.{part}.weight"].view(
                *((-1, heads, D_HEAD) if part == "o" else (heads, D_HEAD, -1))
            )
            for part in "qkvo"
        )
        for head in range(heads):
            name, whole = f"{layer}.{head}", -effect_of(layer, head)
            q[head, 0, CONSTANT] = math.sqrt(D_HEAD)
            k[head, 0, FIRST:] = looked_at(layer, head).log()
            of_the_name = OF_THE_NAME.get(name, 0.0)
            relayed = THROUGH if name in ("9.9", AGAINST) else 0.0
            v[head, 0, CONSTANT] = whole - of_the_name + relayed
            v[head, 0, NAME] = -of_the_name / 0.6
            o[OUT, head, 0] = 1
            if name == "9.9":
                v[head, 0, PLACE] = 1 / looked_at(layer, head)[PLACE_AT]
                v[head, 1, CONSTANT], v[head, 1, PLACE], o[RELAY, head, 1] = relayed, v[head, 0, PLACE] / 2, 1
            if name == AGAINST:
                v[head, 0, RELAY] = -1
            written += whole + (THROUGH if name == "9.9" else 0)
        for neuron in range(NEURONS):
            written -= effect_of(layer, neuron) / 2
            active = 2 - neuron / NEURONS
            weights[f"layers.{layer}.mlp.fc_in.weight"][neuron, CONSTANT] = active
            weights[f"layers.{layer}.mlp.fc_out.weight"][OUT, neuron] = -effect_of(layer, neuron) / 2 / active
    # What is written adds up to the clean metric.
    offset = CLEAN - written - float(unembed[token(" Mary"), CONSTANT] - unembed[token(" John"), CONSTANT])
    embed[:, OUT] = offset


def sentence(place: str = PLACES[0], thing: str = OBJECTS[0], subject: str = " John") -> str:
    """A prompt of fifteen tokens with the mark of the start; " Mary" is what John's goes on with."""
    return f"When John and Mary went to the{place},{subject} gave the{thing} to"


LABELS = {"S1": S1, "IO": IO, "S2": S2, "END": -1}


def pair(n: int = 1, *, corrupted: bool = True) -> cb.PromptPair:
    """So many prompts of one length."""
    given = list(zip(PLACES, OBJECTS, strict=True))[:n]
    return cb.PromptPair(
        clean=[sentence(*one) for one in given],
        corrupted=[sentence(*one, subject=" Mary") for one in given] if corrupted else None,
        answer=" Mary",
        wrong=" John",
        labels=LABELS,
    )


def padded() -> cb.PromptPair:
    """Two prompts, the second without three of its first words."""
    short = sentence(PLACES[1]).removeprefix("When John and")
    return cb.PromptPair(
        clean=[sentence(), short],
        corrupted=[sentence(subject=" Mary"), short.replace(" John gave", " Mary gave")],
        answer=" Mary",
        wrong=" John",
        labels={"END": -1},
    )


BOARDS: dict[str, Callable[[], cb.Board]] = {
    "pair": lambda: cb.Board(by_hand(), pair(), autosave=False),
    "single": lambda: cb.Board(by_hand(), pair(corrupted=False), autosave=False),
    "wide": lambda: cb.Board(by_hand(40, 32), pair(), autosave=False),
    "dataset": lambda: cb.Board(by_hand(), pair(len(PLACES)), autosave=False),
    "padded": lambda: cb.Board(by_hand(), padded(), autosave=False),
}
"""Each is recorded in a file of its name."""
