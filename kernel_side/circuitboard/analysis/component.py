"""What the residual stream at the answer is the sum of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from circuitboard.address import Site
from circuitboard.boundary import public

ComponentKind = Literal[
    "embed",
    "pos_embed",
    "head",
    "attn",
    "mlp",
    "neuron",
    "attn_bias",
    "mlp_bias",
    "edit",
    "norm_bias",
    "unembed_bias",
]


@public
@dataclass(frozen=True)
class Component:
    """One summand of a logit.

    Parameters
    ----------
    kind
        "head", "mlp" (the whole output of a layer's MLP, its bias included) or "neuron" (then with "mlp_bias");
        "attn" (the whole output of a layer's attention, where it is not the sum of its heads');
        "embed" and "pos_embed"; "attn_bias" (b_O of a layer); "norm_bias" and "unembed_bias" of the read-out; "edit":
        what an edit put on top of what the components computed, for edits of the residual stream or of a whole output.
    layer, index
        Where; None where there is none.
    place
        For "edit": the activation that is edited, e.g. "resid_pre".
    """

    kind: ComponentKind
    layer: int | None = None
    index: int | None = None
    place: str | None = None

    @property
    def name(self) -> str:
        """In the words of the board: "9.6", "mlp_out 5", "neuron 5.892", "edit of resid_pre 5"."""
        match self.kind:
            case "head" | "neuron":
                return Site(self.kind, self.layer or 0, self.index).name
            case "attn" | "mlp":
                return f"{self.kind}_out {self.layer}"
            case "edit":
                return f"edit of {self.place} {self.layer}"
            case "attn_bias" | "mlp_bias":
                return f"{self.kind} {self.layer}"
            case _:
                return self.kind

    def __str__(self) -> str:
        return self.name
