"""Which tasks there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame


def list_tasks() -> DataFrame:
    """List the tasks: one row each, with what it asks and where it comes from."""
    from pandas import DataFrame

    rows = [
        {
            "task": "induction",
            "asks": "… A B … A → B, among random tokens",
            "source": "Olsson et al. 2022, In-context Learning and Induction Heads, arXiv:2209.11895",
        },
        {
            "task": "ioi",
            "asks": "When Mary and John went to the store, John gave a drink to → Mary",
            "source": "Wang et al. 2022, Interpretability in the Wild, arXiv:2211.00593",
        },
    ]
    return DataFrame(rows).set_index("task")
