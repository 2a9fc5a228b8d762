"""The size of rooms: how many source files a folder holds, how long a file is, and where a panel's style lies."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PANELS = ROOT / "extension/src/panels"
STYLE = ROOT / "extension/src/style"
MOST_FILES = 20
MOST_LINES = 400
SOURCE = {".py", ".ts", ".tsx", ".css", ".mjs", ".cjs"}
# Test doubles, tests, what is built, and what is installed.
APART = {"node_modules", "dev", "test", "dist", "static", "labextension", "__pycache__"}
GENERATED = re.compile(r"\.test\.tsx?$|(^|[./])(generated|gen)\.ts$")
# Each goes from this list as soon as it is cut; nothing is added to it.
STILL_OVER = {
    "kernel_side/circuitboard/board/board.py",
    "kernel_side/circuitboard/desk/lab.py",
    "kernel_side/circuitboard/engine/wavefront/joins.py",
    "kernel_side/circuitboard/session/session.py",
}
CLASS = re.compile(r"\.(cb-[a-z0-9-]*[a-z0-9])")


def sources() -> list[Path]:
    """The source files of both languages, relative to the repository."""
    return [
        place
        for top in ("kernel_side", "extension")
        for path in sorted((ROOT / top).rglob("*"))
        if path.suffix in SOURCE and not GENERATED.search(path.name)
        for place in [path.relative_to(ROOT)]
        if not APART & set(place.parts)
    ]


def words(text: str) -> set[str]:
    """The classes that a component writes, and the stems of those that it puts together."""
    return set(re.findall(r"cb-[a-z0-9-]*[a-z0-9](?![a-z0-9-])|cb-[a-z0-9-]*-\$\{", text))


def sheets() -> list[Path]:
    """The style sheets of panels."""
    return sorted(PANELS.rglob("*.css"))


def test_no_folder_holds_more_than_twenty_source_files():
    counts = Counter(str(path.parent) for path in sources())
    assert len(counts) > 30
    assert {folder: count for folder, count in counts.items() if count > MOST_FILES} == {}


def test_no_file_is_longer_than_four_hundred_lines():
    over = {str(path) for path in sources() if len((ROOT / path).read_text("utf-8").splitlines()) > MOST_LINES}
    assert over == STILL_OVER, "cut what is longer; what is cut goes from the list"


def test_every_style_sheet_is_imported_once():
    imports = re.findall(r'@import "([^"]+)"', (STYLE / "widget.css").read_text("utf-8"))
    imported = sorted((STYLE / name).resolve() for name in imports)
    assert imported == sorted({*sheets(), *(path for path in STYLE.glob("*.css") if path.name != "widget.css")})
    assert {path.name for path in STYLE.iterdir()} == {"base.css", "layout.css", "tokens.css", "widget.css"}


def test_the_style_of_a_panel_lies_beside_it():
    """Of the classes that are a panel's own, most are written by its components, whole or as `cb-tip-${place}`."""
    shared = set(CLASS.findall((STYLE / "base.css").read_text("utf-8"))) | {"cb-root"}
    for sheet in sheets():
        panel = PANELS / sheet.relative_to(PANELS).parts[0]
        components = "".join(path.read_text("utf-8") for path in panel.rglob("*.ts*") if ".test." not in path.name)
        own = set(CLASS.findall(sheet.read_text("utf-8"))) - shared
        elsewhere = {name for name in own if not {name, f"{name.rpartition('-')[0]}-${{"} & words(components)}
        assert len(elsewhere) <= len(own) / 3, f"{sheet.relative_to(PANELS)} is about {sorted(elsewhere)}"
