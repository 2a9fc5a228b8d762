"""The size of rooms: how many source files a folder holds, how long a file is, and where a panel's style lies."""

from __future__ import annotations

import re
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
PANELS = ROOT / "extension/src/panels"
STYLE = ROOT / "extension/src/style"
MOST_FILES = 20
MOST_LINES = 400
MOST_ASSERTS = 15
SOURCE = {".py", ".ts", ".tsx", ".css", ".mjs", ".cjs"}
# Test doubles, tests, what is built, and what is installed.
APART = {"node_modules", "dev", "test", "dist", "static", "labextension", "__pycache__"}
GENERATED = re.compile(r"\.test\.tsx?$|(^|[./])(generated|gen)\.ts$")
NAME_EACH_OTHER = {
    *(f"circuitboard.address.{name}" for name in ("edge", "intervention", "run", "site")),
    *(f"circuitboard.prompts.{name}" for name in ("prompts", "notes", "notes.of_prompts", "notes.of_runs")),
}
"""A site makes interventions, and an intervention says at which site; prompts say what is to be noted of prompts."""
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
    assert over == set()


def test_types_say_what_is_there():
    """`circuitboard.errors.there` reads what cannot be None and is typed so; an assert of the product's is a rarity."""
    asserts = {str(path): (ROOT / path).read_text("utf-8").count("# noqa: S101") for path in sources()}
    assert sum(asserts.values()) <= MOST_ASSERTS, {path: count for path, count in asserts.items() if count}


def test_nothing_imports_itself_by_way_of_others():
    """Imports for types count: whoever reads one of a circle's files has to read them all."""
    graph = grimp.build_graph("circuitboard", exclude_type_checking_imports=False, cache_dir=None)
    needs = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(
        {module: needed - NAME_EACH_OTHER if module in NAME_EACH_OTHER else needed for module, needed in needs.items()}
    ).prepare()


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
