"""Train the embedded model and write its files. About five minutes on one core."""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from circuitboard.models.embedded import demo, evaluate, grammar
from circuitboard.models.embedded.training import corpus
from circuitboard.models.embedded.training.heads import HeadGates

# Short sequences first: the copying heads form several times sooner when there is less to look at.
TOKENS_A_STEP, SHORT, LONG, SHORT_SHARE = 2560, 48, demo.N_CTX, 0.5
LEARNING_RATE, WEIGHT_DECAY, WARM_UP, HOLD = 3e-3, 0.05, 60, 0.65
REPORT_EVERY = 50


def initialise(model: nn.Module) -> None:
    """Draw the first weights: larger token embeddings and smaller writes than the usual defaults.

    Tokens must be told apart from the first step on for the copying heads to form this quickly.
    """
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif parameter.dim() > 1:
            std = 1 / math.sqrt(demo.D_MODEL)
            if name == "tok_embed.weight":
                std = 0.2
            elif name == "head.weight":
                std = 0.05
            elif ".attn.o." in name:
                std /= 2
            nn.init.normal_(parameter, std=std)


def batch(rng: random.Random, index: dict[str, int], length: int) -> tuple[Tensor, Tensor]:
    """Draw tokens int64 [batch, length + 1] and target weights, float of the same shape."""
    drawn = [corpus.sample(rng, length + 1) for _ in range(TOKENS_A_STEP // length)]
    tokens = torch.tensor([[index[piece] for piece in pieces] for pieces, _ in drawn])
    return tokens, torch.tensor([weights for _, weights in drawn])


def learning_rate(step: int, steps: int) -> float:
    """Warm up, hold, then fall along a cosine to a twentieth."""
    warm = min(1.0, (step + 1) / WARM_UP)
    late = max(0.0, step / steps - HOLD) / (1 - HOLD)
    return LEARNING_RATE * warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * late)))


def train(steps: int, seed: int) -> nn.Module:
    """Train from scratch; progress goes to standard error."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    index = {piece: i for i, piece in enumerate(grammar.vocabulary())}
    model = demo.build_module()
    initialise(model)
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors, "weight_decay": 0.0}],
        betas=(0.9, 0.98),
    )
    gates = HeadGates(model)
    second_phase = math.ceil(SHORT_SHARE * steps)
    started = time.process_time()
    for step in range(steps):
        if step == second_phase:
            gates.select()
        if step >= second_phase:
            gates.fade(step - second_phase)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps)
        tokens, weights = batch(rng, index, SHORT if step < second_phase else LONG)
        losses = functional.cross_entropy(
            model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten(), reduction="none"
        )
        targets = weights[:, 1:].flatten()
        loss = (losses * targets).sum() / targets.sum()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % REPORT_EVERY == 0 or step == steps - 1:
            scores = asdict(evaluate.evaluate(model.eval(), n=64))
            model.train()
            line = {"step": step + 1, "cpu_s": round(time.process_time() - started)}
            print(json.dumps({**line, "loss": round(loss.item(), 3), **scores}), file=sys.stderr)
    gates.fold()
    return model.eval()


def main() -> None:
    """Train, store, read back what was stored and print its scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("demo-model"), help="folder to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    module = train(arguments.steps, arguments.seed)
    demo.store(module, arguments.out)
    stored = demo.load_demo(arguments.out)
    print(json.dumps(asdict(evaluate.evaluate(stored, n=512)), indent=2))


if __name__ == "__main__":
    main()
