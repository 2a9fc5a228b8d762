"""The table of a pair's tokens: a DataFrame that shows its checks and notes under itself."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd


class TokenTable(pd.DataFrame):  # type: ignore[misc]
    """Tokens side by side; `attrs["checks"]` and `attrs["notes"]` are shown too. What is cut from it is a plain frame."""

    @property
    def _constructor(self) -> Any:
        # Of a part, notes on the whole would not be true.
        return pd.DataFrame

    def _lines(self) -> list[str]:
        checks = [f"{check['check']}: {check['found']}" for check in self.attrs.get("checks", ())]
        return checks + [f"note: {note}" for note in self.attrs.get("notes", ())]

    def __repr__(self) -> str:
        return "\n".join([super().__repr__(), *self._lines()])

    def _repr_html_(self) -> Any:
        found = super()._repr_html_()
        if found is None:
            return None
        return found + "".join(f"<p>{escape(line)}</p>" for line in self._lines())
