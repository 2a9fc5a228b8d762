"""Every kind of message has a golden file that Python and TypeScript both read, and both read it the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from circuitboard.protocol import messages as m
from circuitboard.protocol.codec import decode_request
from circuitboard.protocol.schema import schema
from tests.protocol.golden_messages import EXAMPLES, FOLDER, files, kinds

ROOT = Path(__file__).parents[2]
REQUESTS = sorted(name for name, message in EXAMPLES.items() if isinstance(message, m.Request))


def test_every_kind_of_message_has_an_example() -> None:
    assert set(EXAMPLES) == kinds()


def test_the_files_are_what_the_messages_encode_to() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert written == {path.name: text for path, text in files()}, (
        "python -m tests.protocol.golden_messages writes them anew"
    )


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_decoding_undoes_encoding(name: str) -> None:
    content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["content"]
    message = EXAMPLES[name]
    assert msgspec.convert(content, type=type(message)) == message
    assert msgspec.to_builtins(msgspec.convert(content, type=type(message))) == content


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_decode_as_what_they_are(name: str) -> None:
    content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["content"]
    assert decode_request(content) == EXAMPLES[name]


def test_what_the_kernel_sends_has_no_optional_field_in_the_schema() -> None:
    definitions = schema()["$defs"]
    for name in (
        "Snapshot",
        "Setup",
        "EditRow",
        "Real",
        "ErrorInfo",
        "MapEvent",
        "Tree",
        "View",
        "Detailed",
        "NeuronRow",
    ):
        assert set(definitions[name]["required"]) == set(definitions[name]["properties"])
    assert definitions["SetView"]["required"] == ["kind", "id"]


def test_the_typescript_is_current() -> None:
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules" / "json-schema-to-typescript").is_dir():
        pytest.skip("needs Node and the npm packages: npm ci")
    done = subprocess.run(
        [node, "extension/codegen.mjs", "--check"],
        cwd=ROOT,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
