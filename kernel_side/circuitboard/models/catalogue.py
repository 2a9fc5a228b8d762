"""Which models are at hand without a download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.boundary import public
from circuitboard.models import smollm2
from circuitboard.models.embedded import demo, grammar

if TYPE_CHECKING:
    from pandas import DataFrame


@public
def models() -> DataFrame:
    """List the models that `load` knows by name.

    Returns
    -------
    DataFrame
        One row a model, indexed by name: layers, heads, parameters, size on disk in MB, licence,
        whether it is available now, and what it can do.
    """
    from pandas import DataFrame

    size = sum(path.stat().st_size for path in demo.folder().glob("*.safetensors"))
    rows = [
        {
            "name": demo.NAME,
            "layers": demo.N_LAYERS,
            "heads": demo.N_HEADS,
            "parameters": "452 k",
            "size_mb": round(size / 1e6, 1),
            "licence": "MIT",
            "available": "embedded",
            "does": f"induction, small IOI sentences, docstring arguments; a vocabulary of {len(grammar.vocabulary())} tokens",
        },
        {
            "name": smollm2.NAME,
            "layers": 30,
            "heads": 9,
            "parameters": "135 M",
            "size_mb": 269.0,
            "licence": "Apache-2.0",
            "available": smollm2.availability(),
            "does": "English text; IOI, gendered pronouns, a/an, docstrings, induction",
        },
        {
            "name": "any model on the Hugging Face hub",
            "layers": None,
            "heads": None,
            "parameters": "",
            "size_mb": None,
            "licence": "see the hub",
            "available": "by download, or from the local hub cache",
            "does": "whatever TransformerLens's TransformerBridge can load",
        },
    ]
    return DataFrame(rows).set_index("name").astype({"layers": "Int64", "heads": "Int64"})
