"""The leaf where text becomes XML or HTML."""

from __future__ import annotations

from html import escape

from circuitboard.protocol.wording import visible


def markup(text: str) -> str:
    """Text as it stands in an element or in the quotes of an attribute: visible, inert, legal."""
    return escape(visible(text), quote=True)
