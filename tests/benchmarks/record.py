"""Measurements on disk: a run replaces what it measures anew and leaves the rest, each with its own date."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

_NUMBERS, _PAGE = "results.json", "RESULTS.md"

_ABOUT = {
    "maps": ("shape", "sweep", "n_prompts", "difference"),
    "clicks": ("shape",),
    "peers": ("shape",),
    "profiles": ("shape",),
    "latencies": ("setting",),
}
"""What a row is about, as far as it is measured in one go: a later measurement replaces it."""


def load(folder: Path = FOLDER) -> dict[str, Any]:
    """Everything measured so far."""
    path = folder / _NUMBERS
    empty: dict[str, Any] = {section: [] for section in _ABOUT}
    return empty | (json.loads(path.read_text()) if path.exists() else {})


def merge(found: dict[str, Any], section: str, rows: list[Any]) -> None:
    """Put rows in place of older ones that are about the same."""

    def about(row: Any) -> tuple[Any, ...]:
        return tuple(row[key] for key in _ABOUT[section])

    new = {about(row) for row in rows}
    merged = [row for row in found[section] if about(row) not in new] + rows
    found[section] = sorted(merged, key=lambda row: (row.get("shape", ""), row.get("n_prompts", 0)))


def save(found: dict[str, Any], page: Callable[[dict[str, Any]], str], folder: Path = FOLDER) -> None:
    """Write the numbers, as JSON that reads well in a difference, and then the page that tells them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _NUMBERS).write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    (folder / _PAGE).write_text(page(found))
