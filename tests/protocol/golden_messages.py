"""One message of every kind, as it is on the wire.

`python -m tests.protocol.golden_messages` writes them to `golden/`, where pytest and vitest read the same files.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import numpy as np

from circuitboard.protocol import messages as m

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "golden"
HOSTILE = '<img src=x onerror="alert(1)">\u202etxt.exe\x00</textarea>'

Message = m.AnyRequest | m.AnyMessage

SETUP = m.Setup(
    protocol=m.PROTOCOL_VERSION,
    version="0.1.0",
    model="demo",
    dtype="float32",
    device="cpu",
    n_layers=2,
    n_heads=3,
    n_positions=2,
    prompts=[
        m.PromptRow(
            columns=[
                m.TokenColumn(clean=" John", corrupted=" Mary", differs=True, labels=["S2"], padding=False),
                m.TokenColumn(clean=HOSTILE, corrupted=HOSTILE, differs=False, labels=[], padding=False),
            ],
            answer=" Mary",
            wrong=" John",
        ),
        m.PromptRow(
            columns=[
                m.TokenColumn(clean="", corrupted="", differs=False, labels=[], padding=True),
                m.TokenColumn(clean=" Kate", corrupted=" Kate", differs=False, labels=["S2"], padding=False),
            ],
            answer=" Mary",
            wrong=" John",
        ),
    ],
    has_corrupted=True,
    modes=[
        m.ModeInfo("zero"),
        m.ModeInfo("mean"),
        m.ModeInfo("resample", "That needs several different prompts."),
        m.ModeInfo("patch", "There is no second prompt to patch from."),
    ],
    maps=["head", "resid_pre", "head_pos", "neuron"],
    engine=m.EngineInfo("replay", "agreed with plain hooks"),
)

SNAPSHOT = m.Snapshot(
    revision=7,
    base="clean",
    metric=m.MetricView(
        name="logit_diff",
        unit="logits",
        value=m.Real.of(1.5),
        values=[m.Real.of(1.0), m.Real.of(2.0)],
        base_values=[m.Real.of(3.0), m.Real.of(3.5)],
        stderr=m.Real.of(0.5),
        low=m.Real.of(1.0),
        high=m.Real.of(2.0),
        change=m.Real.of(float("nan")),
        baselines=m.Baselines(clean=m.Real.of(3.25), corrupted=m.Real.of(float("-inf"))),
    ),
    more_metrics=[
        m.MetricView(
            name=HOSTILE,
            unit="nats",
            value=m.Real.of(float("inf")),
            values=[m.Real.of(float("inf")), m.Real.of(0.25)],
            base_values=[m.Real.of(0.0), m.Real.of(0.0)],
            stderr=m.Real.of(float("nan")),
            low=m.Real.of(float("nan")),
            high=m.Real.of(float("nan")),
            change=None,
            baselines=m.Baselines(clean=m.Real.of(0.0), corrupted=None),
        )
    ],
    edits=[
        m.EditRow(
            site="1.2",
            kind="head",
            layer=1,
            index=2,
            how="zero",
            what="zero 1.2 @ 1",
            strength=None,
            positions=[1],
            at="1",
            enabled=True,
            effect=m.Real.of(-1.75),
            norm_before=m.Real.of(4.0),
            norm_change=m.Real.of(4.0),
        ),
        m.EditRow(
            site="resid_pre 0",
            kind="resid_pre",
            layer=0,
            index=None,
            how="add",
            what="add resid_pre 0 + 0.5 · a tensor [8]",
            strength=m.Real.of(0.5),
            positions=None,
            at="all",
            enabled=False,
            effect=None,
            norm_before=None,
            norm_change=None,
        ),
        m.EditRow(
            site="0.1 -> 1.2.q",
            kind="edge",
            layer=1,
            index=2,
            how="patch",
            what="patch 0.1 -> 1.2.q",
            strength=None,
            positions=None,
            at="all",
            enabled=True,
            effect=None,
            norm_before=m.Real.of(2.0),
            norm_change=m.Real.of(0.0),
        ),
        m.EditRow(
            site="1.0.pattern",
            kind="head.pattern",
            layer=1,
            index=0,
            how="zero",
            what="zero 1.0.pattern @ END <- 0",
            strength=None,
            positions=[1],
            at="END <- 0",
            enabled=True,
            effect=m.Real.of(0.25),
            norm_before=m.Real.of(0.5),
            norm_change=m.Real.of(0.5),
        ),
    ],
    can_undo=True,
    can_redo=True,
    history=m.Tree(
        nodes=[
            m.HistoryNode(id=0, parent=None, label="clean run", value=m.Real.of(3.25)),
            m.HistoryNode(id=4, parent=0, label="zero 1.2 @ 1", value=m.Real.of(1.5)),
            m.HistoryNode(id=5, parent=4, label=HOSTILE, value=m.Real.of(float("nan"))),
            m.HistoryNode(id=6, parent=4, label="clear", value=None),
        ],
        current=4,
        redo=6,
        omitted=3,
    ),
    top_tokens=m.TopTokens(
        prompt=0,
        at="END",
        rows=[
            m.TopToken(
                token=HOSTILE,
                token_id=11,
                prob=m.Real.of(0.75),
                base_prob=m.Real.of(float("nan")),
                logit=m.Real.of(9.5),
                base_logit=m.Real.of(float("inf")),
            )
        ],
    ),
    view=m.View(mode="resample", positions=[0, 1], map="resid_pre", prompt=0, map_layer=1, live=False),
    latency_ms=6.5,
)

REAL_SPECIALS = [float("nan"), float("inf"), -1.75]

EXAMPLES: dict[str, Message] = {
    "hello": m.Hello("v-1"),
    "click": m.Click("v-2", site="1.2", positions=[1]),
    "remove": m.Remove("v-3", index=0, revision=7),
    "toggle": m.Toggle("v-4", index=1, revision=7),
    "set_strength": m.SetStrength("v-14", index=1, revision=7, strength=-0.5),
    "move": m.Move("v-15", index=1, to=0, revision=7),
    "apply": m.Apply(
        "v-16",
        edits=[
            m.EditSpec(site="resid_pre 0 @ END", how="add", strength=2.0, values=[0.5, -1.0]),
            m.EditSpec(site="1.2.q", how="resample", seed=3, per="label"),
            m.EditSpec(site="0.1", how="zero"),
        ],
    ),
    "undo": m.Undo("v-5"),
    "redo": m.Redo("v-6"),
    "clear": m.Clear("v-7"),
    "set_base": m.SetBase("v-8", base="corrupted"),
    "restore": m.Restore("v-17", node=4),
    "set_view": m.SetView("v-9", positions=None, map="head_pos", map_layer=1, live=True),
    "cancel_map": m.CancelMap("v-10"),
    "resume_map": m.ResumeMap("v-11"),
    "verify": m.Verify("v-12"),
    "copy_code": m.CopyCode("v-13"),
    "detail": m.Detail("v-18", site="1.2", prompt=1, position=1, by_position=True),
    "export": m.Export("v-19", what="csv"),
    "done": m.Done("v-2", revision=7),
    "superseded": m.Superseded("v-2"),
    "failed": m.Failed("v-2", error=m.ErrorInfo("bad_address", "There is no head 99.0.", "99.0")),
    "welcome": m.Welcome("v-1", seq=3, setup=SETUP, snapshot=SNAPSHOT),
    "verified": m.Verified("v-12", max_abs_error=m.Real.of(2.5e-6), tolerance=1e-4, ok=True, tier="replay"),
    "code": m.Code("v-13", text="board = cb.Board(model, pair)\n"),
    "detailed": m.Detailed(
        "v-18",
        revision=7,
        site="1.2",
        prompt=1,
        position=1,
        direct=m.DirectView(value=m.Real.of(0.75), stderr=None, base_value=m.Real.of(float("-inf"))),
        attention=m.AttentionView(tokens=[HOSTILE, " to"], shape=[2, 2], first_column=1),
        by_position=m.PositionEffects(how="zero", columns=[0, 1], effects=[m.Real.of(0.0), m.Real.of(float("nan"))]),
        neurons=m.NeuronTable(
            layer=1,
            how="patch",
            ordered_by="estimate",
            rows=[
                m.NeuronRow(
                    index=7,
                    activation=m.Real.of(2.5),
                    base_activation=m.Real.of(-0.25),
                    direct=m.Real.of(0.5),
                    direct_stderr=m.Real.of(0.125),
                    congruence=m.Real.of(float("inf")),
                    estimate=m.Real.of(-1.5),
                    effect=m.Real.of(-1.25),
                    effect_stderr=None,
                )
            ],
        ),
        lens=[
            m.LensRow(
                site="resid_pre 0",
                layer=0,
                logit_diff=m.Real.of(0.25),
                base_logit_diff=m.Real.of(float("nan")),
                prob=m.Real.of(0.0625),
                tokens=[m.LensToken(token=HOSTILE, prob=m.Real.of(0.5))],
            )
        ],
        refused=[m.PartRefused("lens", m.ErrorInfo("no_logit_lens", HOSTILE))],
        elapsed_ms=8.25,
    ),
    "exported": m.Exported(
        "v-19",
        text="site,value,effect,exact\r\n1.2,1.25,-0.25,true\r\n",
        filename="circuitboard-head.csv",
        media_type="text/csv",
    ),
    "snapshot": m.SnapshotEvent(seq=4, snapshot=SNAPSHOT),
    "busy": m.BusyEvent(seq=5, what="zero 1.2"),
    "map": m.MapEvent(
        seq=6,
        map_id=2,
        revision=7,
        over="head",
        how="zero",
        base="clean",
        positions=[1],
        n_edits=1,
        layers=[0, 1],
        shape=[2, 3],
        done=4,
        total=6,
        status="computing",
        error=None,
        elapsed_ms=12.5,
    ),
}

BUFFERS: dict[str, list[bytes]] = {
    "map": [
        np.array([0.25, -0.5, 0.0, *REAL_SPECIALS], dtype="<f4").tobytes(),
        np.array([1, 1, 2, 1, 1, 0], dtype=np.uint8).tobytes(),
    ],
    "detailed": [
        np.array([1.0, 0.0, 0.25, 0.75], dtype="<f4").tobytes(),
        np.array([1.0, 0.0, float("nan"), 0.5], dtype="<f4").tobytes(),
    ],
}


def kinds() -> set[str]:
    """The kinds of every message that the protocol defines."""
    unions = (m.AnyRequest, m.AnyAnswer, m.AnyEvent)
    return {str(kind.__struct_config__.tag) for union in unions for kind in get_args(union)}


def files() -> Iterator[tuple[Path, str]]:
    """Each golden file's path and what it must hold."""
    for name, message in EXAMPLES.items():
        golden: dict[str, Any] = {
            "content": msgspec.to_builtins(message),
            "buffers": [base64.b64encode(buffer).decode() for buffer in BUFFERS.get(name, [])],
        }
        yield FOLDER / f"{name}.json", json.dumps(golden, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in files():
        path.write_text(text, encoding="utf-8")
