"""What a kind of step is made of, and in how few places: a class, a method of boards, a request of panels."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

import circuitboard as cb
from circuitboard.board import editing
from circuitboard.protocol import requests
from circuitboard.steps.step import KINDS

PRODUCT = Path(cb.__file__).parent
FRONT_END = Path(__file__).parents[2] / "extension"

SIGNED_BY_HAND = {name for name in ("edit", "remove", "toggle", "replace", "group", "note") if hasattr(editing, name)}
"""Methods that do not take a kind's fields one by one: they have a function, and so one file more."""

TAKEN_ELSEWHERE = {"steps/clicking.py", "files/code.py"}
"""What a click becomes, and a state said as steps: they choose among kinds, and are no part of any."""

ASKED = {kind.__name__: kind for kind in get_args(requests.AnyStepRequest)}


@cache
def trees() -> dict[str, ast.Module]:
    return {str(path.relative_to(PRODUCT)): ast.parse(path.read_text()) for path in sorted(PRODUCT.rglob("*.py"))}


@cache
def files_naming() -> dict[str, set[str]]:
    """By kind, the files that make it or its request, import one, or speak of one as a part of its module; by "editing.x" those that bind a call."""
    found: dict[str, set[str]] = {}
    for file, tree in trees().items():
        for node in ast.walk(tree):
            names: list[str] = []
            if isinstance(node, ast.ClassDef) and {"Change", "Step", "StepRequest"} & set(map(ast.unparse, node.bases)):
                names = [node.name]
            elif isinstance(node, ast.ImportFrom) and re.search(r"\.(steps|requests|messages)\b", node.module or ""):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                of_module = node.value.id in ("steps", "kinds", "m", "messages", "requests")
                names = [node.attr if of_module else f"{node.value.id}.{node.attr}"]
            for name in names:
                found.setdefault(name, set()).add(file)
    return found


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_of_step_is_told_in_three_files(name):
    call = KINDS[name].call
    files = (files_naming()[name] | files_naming().get(f"editing.{call}", set())) - TAKEN_ELSEWHERE
    assert {"steps/step.py", "board/board.py"} <= files
    assert len(files) <= 3 + (call in SIGNED_BY_HAND), files


@pytest.mark.parametrize("name", KINDS)
def test_a_method_of_boards_takes_the_fields_of_its_step(name):
    kind = KINDS[name]
    given = list(inspect.signature(getattr(cb.Board, kind.call)).parameters.values())[1:]
    assert len(given) == len(fields(kind))
    if kind.call not in SIGNED_BY_HAND:
        assert [one.name for one in given] == [field.name for field in fields(kind)]


@pytest.mark.parametrize("name", sorted(ASKED))
def test_a_request_has_the_fields_of_its_step(name):
    given = set(ASKED[name].__struct_fields__) - {"id", "revision", "drag"}
    assert given == {field.name for field in fields(KINDS[name])}


@cache
def sources() -> dict[str, str]:
    """The panel's own TypeScript: no tests, and nothing that a program writes."""
    src = FRONT_END / "src"
    found = [path for kind in ("*.ts", "*.tsx") for path in src.rglob(kind)]
    written = {"generated.ts", "vocabulary.gen.ts"}
    return {
        str(path.relative_to(src)): path.read_text()
        for path in found
        if ".test." not in path.name and path.name not in written
    }


DRAGGED = {"set_strength": {"panels/edits/dragged.ts"}}
"""What a slider asks on its way is more than one request of its kind."""


@pytest.mark.parametrize("name", sorted(ASKED))
def test_a_kind_of_step_is_asked_for_in_one_file_of_the_panel(name):
    tag = str(ASKED[name].__struct_config__.tag)
    naming = re.compile(rf"""\b(?:kind|case|type):? "{tag}"|^  {tag}: ["'`][A-Z][a-z]+ """, re.MULTILINE)
    files = {file for file, text in sources().items() if naming.search(text)}
    assert files - DRAGGED.get(tag, set()) == {"panels/actions.ts"}
    assert ASKED[name].failure != requests.Request.failure


def openings() -> list[str]:
    """What the labels of steps begin with, where something follows: "remove ", "name "."""
    labels = [
        part
        for node in ast.walk(trees()["steps/step.py"])
        if isinstance(node, ast.FunctionDef) and node.name == "label"
        for part in ast.walk(node)
    ]
    found = [part.values[0] for part in labels if isinstance(part, ast.JoinedStr)]
    return [first.value for first in found if isinstance(first, ast.Constant)]


def test_the_words_of_a_step_are_written_once():
    words = openings()
    assert {"remove ", "toggle ", "replace ", "move ", "group ", "base ", "name "} == set(words)
    assert len(words) == len(set(words))
    written = [
        (part.values[0].value, file)
        for file, tree in trees().items()
        for part in ast.walk(tree)
        if isinstance(part, ast.JoinedStr) and isinstance(part.values[0], ast.Constant)
    ]
    assert sorted((word, file) for word, file in written if word in words) == [
        (word, "steps/step.py") for word in sorted(words)
    ]
    assert sources()
    begun = re.compile(rf"""(?<!key=\{{)[`"'](?:{"|".join(words)})(?:\$\{{|["'`]\s*\+)""")
    assert [file for file, text in sources().items() if begun.search(text)] == []
