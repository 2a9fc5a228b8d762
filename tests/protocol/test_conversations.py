"""What the panel's tests play is what the real session says: to the letter, and numbers within tolerance.

`.venv/bin/python -m tests.protocol.record` records it anew.
"""

from __future__ import annotations

import base64
import json
import math
import os
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
import torch

from circuitboard.engine.tolerance import tolerance
from circuitboard.protocol import messages as m
from circuitboard.protocol.codec import decode_request
from tests.protocol.conversation import Conversation, Message
from tests.protocol.record import FOLDER, Recording, read
from tests.protocol.recorded_boards import BOARDS

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDINGS = read()
MOST = 1_500_000
"""Bytes of all recordings: a clone of the repository has them all."""

LARGE = ("wide",)
"""Boards that take long: `make nightly` has them, and every way through every recording."""

ALL = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
DTYPES = {"cells": "<u4", "known": "u1", "index": "<i4"}

Step = tuple[tuple[str, ...], Recording]


def nodes(recording: Recording, steps: tuple[str, ...] = ()) -> Iterator[Step]:
    """Each node with the steps that lead to it, root first."""
    yield steps, recording
    for request, node in recording.get("steps", {}).items():
        yield from nodes(node, (*steps, request))


def told(node: Recording) -> Iterator[list[Message]]:
    """What was said at a node, and to each request that only reads."""
    yield node["said"]
    yield from node.get("answers", {}).values()


def kinds(board: str, steps: tuple[str, ...]) -> set[str]:
    """The kinds of requests on a way through a recording, and at its end."""
    node, found = RECORDINGS[board], set()
    for step in (*steps, None):
        found |= {json.loads(request)["kind"] for request in (*node.get("answers", {}), *((step,) if step else ()))}
        node = node["steps"][step] if step else node
    return found


def ways() -> list[tuple[str, tuple[str, ...]]]:
    """Ways from the root of a recording to a leaf: all, or so few that each kind of request is on one."""
    leaves = [
        (board, steps)
        for board in sorted(RECORDINGS)
        for steps, node in nodes(RECORDINGS[board])
        if not node.get("steps") and (ALL or board not in LARGE)
    ]
    if ALL:
        return leaves
    chosen, covered = [], set()
    while best := max(leaves, key=lambda way: (len(kinds(*way) - covered), -len(way[1]))):
        new = kinds(*best) - covered
        if not new:
            return chosen
        board, steps = best
        while steps and new <= kinds(board, steps[:-1]):
            steps = steps[:-1]
        chosen.append((board, steps))
        covered |= new
    return chosen


def same(found: Any, expected: Any, where: str = "") -> None:
    """Alike to the letter, numbers within tolerance."""
    if isinstance(expected, dict):
        assert isinstance(found, dict), where
        assert found.keys() == expected.keys(), where
        for name, value in expected.items():
            same(found[name], value, f"{where}.{name}")
    elif isinstance(expected, list):
        assert isinstance(found, list), where
        assert len(found) == len(expected), where
        for index, value in enumerate(expected):
            same(found[index], value, f"{where}[{index}]")
    elif isinstance(expected, float) and isinstance(found, float):
        assert math.isclose(found, expected, rel_tol=0, abs_tol=tolerance(torch.float32, expected)), where
    else:
        assert found == expected, where


def same_messages(found: list[Message], expected: list[Message], request: str) -> None:
    assert [one["content"]["kind"] for one in found] == [one["content"]["kind"] for one in expected], request
    for now, then in zip(found, expected, strict=True):
        content = then["content"]
        # Files are held by tests of their own, number by number.
        is_file = content["kind"] == "exported" and content["media_type"] != "text/x-python"
        same(
            {**now["content"], **({"text": content["text"]} if is_file else {})},
            content,
            f"{request}: {content['kind']}",
        )
        names = content.get("buffers", ["effect"] * len(then["buffers"]))
        for name, one, other in zip(names, now["buffers"], then["buffers"], strict=True):
            a, b = (np.frombuffer(base64.b64decode(text), DTYPES.get(name, "<f4")) for text in (one, other))
            atol = tolerance(torch.float32) if a.dtype.kind == "f" else 0
            np.testing.assert_allclose(a, b, rtol=0, atol=atol, err_msg=f"{request}: {content['kind']}.{name}")


@pytest.mark.parametrize("board", sorted(RECORDINGS))
def test_every_message_is_of_the_protocol(board):
    for steps, node in nodes(RECORDINGS[board]):
        for request in (*steps[-1:], *node.get("answers", {})):
            decode_request({**json.loads(request), "id": "asked"})
        for message in (message for said in told(node) for message in said):
            content = {"id": "asked", **message["content"]}
            if content["kind"] in ("welcome", "snapshot", "map"):
                content["seq"] = 1
            msgspec.convert(content, type=m.AnyAnswer | m.AnyEvent)


@pytest.mark.parametrize(("board", "way"), ways())
def test_a_recording_is_what_the_session_says(board, way):
    conversation = Conversation(BOARDS[board])
    try:
        node, read = RECORDINGS[board], set()
        same_messages(conversation.hello, node["said"], "hello")
        for step in (*way, None):
            for request, said in node.get("answers", {}).items():
                kind = json.loads(request)["kind"]
                if ALL or kind not in read:
                    same_messages(conversation.ask(json.loads(request)), said, request)
                    read.add(kind)
            if step is not None:
                node = node["steps"][step]
                same_messages(conversation.ask(json.loads(step)), node["said"], step)
    finally:
        conversation.close()


def test_recordings_are_small():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.json")) < MOST
