"""Record what the real session says to the panel's tests: `.venv/bin/python -m tests.protocol.record`.

The tests of the front end run once against real boards: whatever they ask is asked here, and the answers are written
to `tests/protocol/conversations/`. Afterwards the tests play these files (`extension/dev/player.ts`). Given files of
tests, only those run, and what they ask that is not recorded yet is added.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import torch

from tests.protocol.conversation import Conversation, Message
from tests.protocol.recorded_boards import BOARDS

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "conversations"

PLAYS = re.compile(r"dev/recorded\"|board/mounted\"|\./mounted\"")

Recording = dict[str, Any]
"""`said`, at a request's node `steps` and `answers`: as in `extension/dev/player.ts`."""


class Recorder:
    """Recordings that grow; of each board the last conversation stays open."""

    def __init__(self, recordings: dict[str, Recording]) -> None:
        self.recordings = recordings
        self._open: dict[str, tuple[list[str], Conversation]] = {}

    def asked(self, board: str, steps: list[str], request: str, *, is_step: bool) -> list[Message]:
        """What is said to a request after these steps."""
        node = self.recordings.setdefault(board, {"said": []})
        if not node["said"]:
            node["said"] = self._at(board, []).hello
        if not request:
            return node["said"]
        for step in steps:
            node = node["steps"][step]
        known = node.setdefault("steps" if is_step else "answers", {})
        if request not in known:
            said = self._at(board, steps).ask(json.loads(request))
            known[request] = {"said": said} if is_step else said
            if is_step:
                self._open[board][0].append(request)
        return known[request]["said"] if is_step else known[request]

    def close(self) -> None:
        for _, conversation in self._open.values():
            conversation.close()

    def _at(self, board: str, steps: list[str]) -> Conversation:
        """A conversation in which just these steps were taken."""
        taken, conversation = self._open.get(board, ([], None))
        if conversation is None or taken != steps[: len(taken)]:
            if conversation is not None:
                conversation.close()
            taken, conversation = [], Conversation(BOARDS[board])
            self._open[board] = taken, conversation
        for step in steps[len(taken) :]:
            conversation.ask(json.loads(step))
            taken.append(step)
        return conversation


def read() -> dict[str, Recording]:
    """What is recorded, by board."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def players() -> list[str]:
    """The files of tests that play recordings."""
    found = (ROOT / "extension" / "src").rglob("*.test.ts*")
    return [str(path.relative_to(ROOT)) for path in found if PLAYS.search(path.read_text("utf-8"))]


def write(recordings: dict[str, Recording]) -> None:
    for board, recording in sorted(recordings.items()):
        text = json.dumps(recording, sort_keys=True, allow_nan=False, separators=(",", ":"))
        (FOLDER / f"{board}.json").write_text(text + "\n", encoding="utf-8")


def main() -> int:
    torch.set_num_threads(1)
    some = sys.argv[1:]
    if not some:
        for path in FOLDER.glob("*.json"):
            path.unlink()
    recorder = Recorder(read())
    with tempfile.TemporaryDirectory() as folder:
        asked, said = (Path(folder, name) for name in ("asked", "said"))
        for pipe in (asked, said):
            os.mkfifo(pipe)
        tests = subprocess.Popen(
            ["npm", "test", "--", "--no-file-parallelism", "--hook-timeout=300000", *(some or players())],
            env={**os.environ, "CIRCUITBOARD_RECORDER": folder},
        )
        threading.Thread(target=lambda: (tests.wait(), asked.write_text("")), daemon=True).start()
        while text := asked.read_text(encoding="utf-8"):
            question = json.loads(text)
            answer = recorder.asked(
                question["board"], question["steps"], question["request"], is_step=question["isStep"]
            )
            said.write_text(json.dumps(answer), encoding="utf-8")
    recorder.close()
    write(recorder.recordings)
    return tests.returncode


if __name__ == "__main__":
    raise SystemExit(main())
