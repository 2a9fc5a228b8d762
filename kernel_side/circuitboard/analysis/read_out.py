"""From the residual stream to the logit difference, with the final norm held: a direction and a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.analysis.frozen_norm import FrozenNorm

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.models.outlets import Outlets
    from circuitboard.prompts import AnswerSets, Prompts


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of the logits: logit(answer) − logit(wrong), or logit(answer) where no wrong answer is given.

    With several answers on a side, the mean of their logits. Everything is before the soft-cap of logits, if the
    model has one, and after a constant factor on logits.

    Parameters
    ----------
    direction
        Float64 [batch, d_model]: its inner product with what the final norm gives is the answer, bias aside.
    bias
        Float64 [batch]: what the bias of the unembedding adds.
    """

    direction: Float[Tensor, "batch d_model"]
    bias: Float[Tensor, " batch"]

    @classmethod
    def of(cls, outlets: Outlets, prompts: Prompts) -> Question:
        """What the prompts ask."""
        direction, bias = _mean_logit(outlets, prompts.answers)
        if prompts.wrongs is not None:
            other, its_bias = _mean_logit(outlets, prompts.wrongs)
            direction, bias = direction - other, bias - its_bias
        return cls(direction * outlets.logit_scale, bias * outlets.logit_scale)


@dataclass(frozen=True, eq=False)
class ReadOut:
    """How one run reads its residual stream: the norm's scale is that of this run, and a constant.

    Parameters
    ----------
    norm
        The final norm, held.
    direction
        Float64 [batch, d_model] on the residual stream.
    norm_bias, unembed_bias
        Float64 [batch].
    """

    norm: FrozenNorm
    direction: Float[Tensor, "batch d_model"]
    norm_bias: Float[Tensor, " batch"]
    unembed_bias: Float[Tensor, " batch"]

    @classmethod
    def of(cls, outlets: Outlets, question: Question, stream: Float[Tensor, "batch d_model"]) -> ReadOut:
        """How the last residual stream of a run is read."""
        norm = FrozenNorm.at(outlets.ln_final, stream)
        return cls(norm, norm.pulled(question.direction), norm.constant(question.direction), question.bias)

    def value(self, stream: Float[Tensor, "batch d_model"]) -> Float[Tensor, " batch"]:
        """What the run answers."""
        return (stream.double() * self.direction).sum(-1) + self.norm_bias + self.unembed_bias


def selected(logits: Float[Tensor, "batch d_vocab"], prompts: Prompts) -> Float[Tensor, " batch"]:
    """logit(answer) − logit(wrong), or logit(answer), of logits as the model gives them; several answers count with their mean."""
    found = _mean_of(logits.double(), prompts.answers)
    return found if prompts.wrongs is None else found - _mean_of(logits.double(), prompts.wrongs)


def told(
    outlets: Outlets, stream: Float[Tensor, "batch d_model"], logits: Float[Tensor, "batch d_vocab"], prompts: Prompts
) -> tuple[Tensor, Tensor]:
    """The logits of the answers, as the model gives them and as its outlets tell; these must be the same."""
    normed = FrozenNorm.at(outlets.ln_final, stream)(stream)
    own, found = [], []
    for answers in (prompts.answers, prompts.wrongs):
        if answers is not None:
            ids = answers.ids.to(logits.device)
            rows = torch.einsum("bkd,bd->bk", outlets.unembed.weight[ids].double(), normed)
            rows = rows if outlets.unembed.bias is None else rows + outlets.unembed.bias[ids].double()
            own.append(logits.gather(-1, ids).double().cpu())
            found.append(outlets.read_out(rows).cpu())
    return torch.cat(own, -1), torch.cat(found, -1)


def _mean_of(logits: Tensor, answers: AnswerSets) -> Tensor:
    weights = _weights(answers).to(logits.device)
    return (logits.gather(-1, answers.ids.to(logits.device)) * weights).sum(-1)


def _mean_logit(outlets: Outlets, answers: AnswerSets) -> tuple[Tensor, Tensor]:
    weight, bias = outlets.unembed.weight, outlets.unembed.bias
    ids, weights = answers.ids.to(weight.device), _weights(answers).to(weight.device)
    direction = torch.einsum("bk,bkd->bd", weights, weight[ids].double())
    return direction, weights.new_zeros(len(ids)) if bias is None else (bias[ids].double() * weights).sum(-1)


def _weights(answers: AnswerSets) -> Float[Tensor, "batch k"]:
    present = answers.present.double()
    return present / present.sum(-1, keepdim=True)
