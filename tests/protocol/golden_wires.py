"""One example or more of all that travels beside the panel's messages: form, bridge, boards route, outputs.

Each is a file of `golden_wires/`, which pytest and vitest read; `python -m tests.protocol.golden_messages` writes them.
The name before the dot is that of the type.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from circuitboard.protocol.board_file import BoardSummary
from circuitboard.protocol.boards import Boards, KernelBoards
from circuitboard.protocol.bridge import Ask, Sent, Told
from circuitboard.protocol.drawing import PromptNote
from circuitboard.protocol.form import (
    AnswerCheck,
    Checked,
    Form,
    FormOptions,
    FormText,
    FormVariables,
    FormView,
    MetricName,
    ModelInVariable,
    ModelName,
    ModelVariable,
    NamedModel,
    PairInVariable,
    Problem,
    Strip,
    TaskName,
    TaskPrompts,
    TypedPrompts,
)
from circuitboard.protocol.output import BoardOutput, Offer

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "golden_wires"
HOSTILE = '</script>\u2028"\\\x7f'

WIRES: dict[str, msgspec.Struct] = {
    "Form.typed": Form(
        NamedModel("demo"),
        TypedPrompts(FormText("When"), FormText(variable="text"), " Mary", ""),
        "log_prob",
        "corrupted",
        FormView("mean", live=False, updates_per_second=10, colours="purple-green"),
        64,
    ),
    "Form.task": Form(ModelInVariable("gpt2"), TaskPrompts("ioi", 9, 0), "logit_diff", "clean"),
    "Form.pair": Form(ModelInVariable("gpt2"), PairInVariable("pair"), "logit_diff", "clean", FormView(live=True)),
    "FormOptions": FormOptions(
        [ModelName("demo", "embedded", HOSTILE)],
        FormVariables([ModelVariable("gpt2", "gpt2-small", 12, 16)], ["pair"], ["text", "other"]),
        [TaskName("ioi", "who is given it")],
        [MetricName("logit_diff", "logits", needs_wrong=True), MetricName("loss", "nats", needs_wrong=False)],
    ),
    "Checked.ready": Checked(
        [],
        Strip([" John", "…"], [25, 7], [True, False], 3),
        Strip([" Mary", "…"], [24, 7], [True, False], 4),
        [AnswerCheck("answer", ok=True, tokens=[" Mary"], words="' Mary' is one token.")],
        2,
        [PromptNote("same_answer", "Both prompts have it.", "prompt 1")],
        "board",
    ),
    "Checked.wrong": Checked([Problem("wrong", "answer_equals_wrong", HOSTILE)]),
    "Checked.to_load": Checked([], load_first="gpt2-small"),
    "Ask.exchange": Ask("exchange", "a1", 5, 0.1, [{"kind": "undo", "id": "7"}]),
    "Ask.reload": Ask("reload", saved="notes-1.board.json"),
    "Ask.attach": Ask("attach"),
    "Told.open": Told(
        "p1", "open", "a1", newest=False, messages=[Sent(6, {"kind": "done"}, ["AAE="])], saved="notes-1.board.json"
    ),
    "Told.no_board": Told("p1", "no_board"),
    "Told.bundle": Told("p1", "bundle", script="export {}", style="p {}"),
    "Told.reload": Told("p1", "reload", possible=True, words="demo, 1 edit", code="board"),
    "Boards": Boards(
        [
            KernelBoards(
                "k1",
                [
                    BoardSummary(1, "demo", 8, "clean", 2, "logit_diff", "logits", 1.5, "wavefront", "c1"),
                    BoardSummary(3, HOSTILE, 9, "corrupted", 0, "mine", "", None, "hooks", None),
                ],
                4,
                5,
            )
        ]
    ),
    "BoardOutput.kept": BoardOutput("m1", "notes-1.board.json"),
    "BoardOutput.new": BoardOutput("m1", None),
    "Offer.possible": Offer(possible=True, words="demo, 1 edit", code="board"),
    "Offer.none": Offer(possible=False, words="No state of this board is kept.", code=None),
}


def wire_files() -> Iterator[tuple[Path, str]]:
    """Each golden file's path and what it must hold."""
    for name, wire in WIRES.items():
        text = json.dumps(msgspec.to_builtins(wire), indent=2, ensure_ascii=True, allow_nan=False)
        yield FOLDER / f"{name}.json", text + "\n"
