"""Models: loading them by name, listing what is at hand, and the adapter through which the engine uses them.

The package can be called, since it has the name of the public function: `cb.models()` lists what
there is, whether or not something imported this package before.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

from circuitboard.models.catalogue import models
from circuitboard.models.loading import load, reload_name

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["load", "models", "reload_name"]


class _CallableModule(ModuleType):
    def __call__(self) -> DataFrame:
        return models()


sys.modules[__name__].__class__ = _CallableModule
