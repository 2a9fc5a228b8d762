"""What travels beside the panel's messages: golden files, and names that front ends call in the kernel."""

from __future__ import annotations

import importlib
import json
import re

import msgspec
import pytest

from circuitboard.protocol import entries
from circuitboard.protocol.output import SAVED_NAME
from circuitboard.protocol.schema import schema, wires
from tests.protocol.golden_wires import FOLDER, WIRES, wire_files

CALLED = {
    "FORM_MODULE": ("options", "check"),
    "BRIDGE_MODULE": ("exchange",),
    "RELOADING_MODULE": ("offer",),
    "SHOW_MODULE": ("show_current",),
    "DISPLAY_MODULE": ("newest",),
}


def test_every_wire_has_an_example() -> None:
    assert {type(wire) for wire in WIRES.values()} == set(wires())


def test_the_files_are_what_the_wires_encode_to() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert written == {path.name: text for path, text in wire_files()}, (
        "python -m tests.protocol.golden_messages writes them anew"
    )


@pytest.mark.parametrize("name", sorted(WIRES))
def test_decoding_undoes_encoding(name: str) -> None:
    content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    wire = WIRES[name]
    assert type(wire).__name__ == name.split(".", maxsplit=1)[0]
    assert msgspec.convert(content, type=type(wire)) == wire
    assert msgspec.to_builtins(msgspec.convert(content, type=type(wire))) == content


def test_only_what_may_be_left_out_is_optional() -> None:
    definitions = schema()["$defs"]
    for name in ("Checked", "Offer", "Boards", "BoardOutput", "FormOptions", "Sent"):
        assert set(definitions[name]["required"]) == set(definitions[name]["properties"])
    assert definitions["Ask"]["required"] == ["what"]
    assert definitions["Told"]["required"] == ["process", "state"]


def test_front_ends_find_what_they_call() -> None:
    modules = {name: value for name, value in vars(entries).items() if name.endswith("_MODULE")}
    assert set(modules) == set(CALLED)
    for name, module in modules.items():
        for function in CALLED[name]:
            assert callable(getattr(importlib.import_module(module), function))


def test_a_kept_boards_name_is_a_files() -> None:
    assert re.fullmatch(SAVED_NAME, "notes-1.board.json")
    assert not re.fullmatch(SAVED_NAME, "../notes-1.board.json")
