"""One message of every kind, as it is on the wire.

`python -m tests.protocol.golden_messages` writes them to `golden/`, and those of the other wires beside it, where pytest and vitest read the same files.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import numpy as np

from circuitboard.protocol import messages as m
from circuitboard.protocol import requests as r
from tests.protocol.golden_wires import wire_files

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
                m.TokenColumn(
                    clean=" John",
                    corrupted=" Mary",
                    differs=True,
                    labels=["S2"],
                    padding=False,
                    clean_id=25,
                    corrupted_id=24,
                ),
                m.TokenColumn(clean=HOSTILE, corrupted=HOSTILE, differs=False, labels=[], padding=False),
            ],
            answer=[" Mary"],
            wrong=[" John", " |", "…", " Kate"],
        ),
        m.PromptRow(
            columns=[
                m.TokenColumn(clean="", corrupted="", differs=False, labels=[], padding=True),
                m.TokenColumn(clean=" Kate", corrupted=" Kate", differs=False, labels=["S2"], padding=False),
            ],
            answer=[" Mary"],
            wrong=[" John"],
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
            name=HOSTILE,
            group="movers",
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
            name=None,
            group=None,
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
            name=None,
            group="movers",
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
            name=None,
            group=None,
        ),
    ],
    groups=[m.GroupRow("movers", effect=m.Real.of(-1.5)), m.GroupRow(HOSTILE, effect=None)],
    can_undo=True,
    can_redo=True,
    history=m.Tree(
        nodes=[
            m.HistoryNode(id=0, parent=None, label="clean run", value=m.Real.of(3.25), note=None),
            m.HistoryNode(id=4, parent=0, label="zero 1.2 @ 1", value=m.Real.of(1.5), note=HOSTILE),
            m.HistoryNode(id=5, parent=4, label=HOSTILE, value=m.Real.of(float("nan")), note=None),
            m.HistoryNode(id=6, parent=4, label="clear", value=None, note="all off"),
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
                rank=12,
                side="wrong",
            )
        ],
    ),
    notes=[
        m.PromptNote("prompt_ends_in_space", HOSTILE, "clean"),
        m.PromptNote("swapped", "The clean run does worse than the corrupted one.", "baselines"),
    ],
    view=m.View(
        mode="resample", positions=[0, 1], map="resid_pre", prompt=0, map_layer=1, live=False, colours="purple-green"
    ),
    latency_ms=6.5,
    unkept=HOSTILE,
)

REAL_SPECIALS = [float("nan"), float("inf"), -1.75]

EXAMPLES: dict[str, Message] = {
    "hello": m.Hello("v-1"),
    "click": m.Click("v-2", site="1.2", positions=[1]),
    "remove": r.Remove("v-3", index=[0, 2], revision=7),
    "toggle": r.Toggle("v-4", index=1, revision=7),
    "set_strength": r.SetStrength("v-14", index=1, revision=7, strength=-0.5, drag="d-1"),
    "move": r.Move("v-15", index=1, to=0, revision=7),
    "apply": m.Apply(
        "v-16",
        edits=[
            m.EditSpec(site="resid_pre 0 @ END", how="add", strength=2.0, values=[0.5, -1.0]),
            m.EditSpec(site="1.2.q", how="resample", seed=3, per="label"),
            m.EditSpec(site="0.1", how="zero"),
            m.EditSpec(site="1.2.pattern @ END <- 0, 3", how="zero", renormalize=True),
        ],
    ),
    "undo": r.Undo("v-5"),
    "redo": r.Redo("v-6"),
    "clear": r.Clear("v-7"),
    "set_base": r.SetBase("v-8", base="corrupted"),
    "restore": r.Restore("v-17", node=4),
    "set_view": m.SetView("v-9", positions=None, map="head_pos", map_layer=1, live=True, colours="purple-green"),
    "cancel_map": m.CancelMap("v-10"),
    "resume_map": m.ResumeMap("v-11"),
    "refresh": m.Refresh("v-26"),
    "verify": m.Verify("v-12"),
    "copy_code": m.CopyCode("v-13"),
    "detail": m.Detail("v-18", site="1.2", prompt=1, position=1, by_position=True, row=1, source=0, circuit=True),
    "trace": m.Trace("v-20", site="1.2", part="k"),
    "readers": m.Readers("v-21", position=1, prompt=1),
    "export": m.Export("v-19", what="svg", look=m.MapLook("share", [1, 0], None, "exact", 0.25, None, 3, "difference")),
    "save": m.Save("v-30", path=HOSTILE, overwrite=True),
    "group": r.Group("v-30", indices=[0, 2], revision=7, name="movers"),
    "rename": r.Rename("v-31", which="movers", revision=7, name="name movers"),
    "note": r.Note("v-32", node=4, text=None),
    "compare": m.Compare("v-33", left=0, right=4, prompt=1, map=True),
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
        row=1,
        source=0,
        effect=m.EditEffect(
            how="zero 1.2 @ 1",
            edited=True,
            at=[1],
            total=m.Real.of(-1.75),
            total_stderr=m.Real.of(0.25),
            direct=m.Real.of(float("nan")),
            direct_stderr=m.Real.of(float("nan")),
            later=None,
            later_stderr=None,
            note=HOSTILE,
        ),
        writes=m.WritesView(
            position=1,
            current=m.Moves([m.MovedToken(HOSTILE, 11, m.Real.of(0.5))], [m.MovedToken(" the", 11, m.Real.of(-0.25))]),
            base=m.Moves([m.MovedToken(" Mary", 11, m.Real.of(0.75))], []),
            change=m.Moves([], []),
        ),
        circuit=m.CircuitView(
            row=1,
            source=0,
            copying=m.Moves([m.MovedToken(HOSTILE, 11, m.Real.of(0.5))], []),
            keys=None,
            keys_refused=m.ErrorInfo("no_qk_circuit", HOSTILE, None),
        ),
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
                tokens=[m.LensToken(token=HOSTILE, token_id=11, prob=m.Real.of(0.5))],
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
    "compared": m.Compared(
        "v-33",
        revision=7,
        left=m.ComparedState(
            node=0,
            label="clean run",
            note=None,
            base="clean",
            edits=[],
            value=m.Real.of(3.25),
            stderr=m.Real.of(0.25),
            values=[m.Real.of(3.0), m.Real.of(3.5)],
        ),
        right=m.ComparedState(
            node=4,
            label="zero 1.2 @ 1",
            note=HOSTILE,
            base="clean",
            edits=[m.ComparedEdit(what="zero 1.2 @ 1", enabled=True, name=HOSTILE, group="movers")],
            value=m.Real.of(float("nan")),
            stderr=None,
            values=[m.Real.of(1.0), m.Real.of(float("nan"))],
        ),
        change=m.Real.of(float("nan")),
        stderr=m.Real.of(float("nan")),
        low=None,
        high=None,
        prompt=1,
        tokens=[
            m.ComparedToken(
                token=HOSTILE,
                token_id=11,
                left_prob=m.Real.of(0.75),
                right_prob=m.Real.of(float("nan")),
                left_logit=m.Real.of(9.5),
                right_logit=m.Real.of(float("inf")),
                side="answer",
            )
        ],
        runs=6,
        maps=m.ComparedMaps(over="head", how="zero", positions=[1], layers=[0, 1], shape=[2, 3], elapsed_ms=12.5),
        refused=None,
        elapsed_ms=14.5,
    ),
    "traced": m.Traced(
        "v-20",
        revision=7,
        site="1.2",
        part="k",
        receiver="1.2.k",
        how="zero",
        rows=[m.TraceRow("0.1", "0.1 -> 1.2.k", effect=m.Real.of(float("nan")), stderr=m.Real.of(0.5), edited=True)],
        omitted=2,
        by_estimate=True,
        elapsed_ms=8.5,
    ),
    "read_by": m.ReadBy(
        "v-21",
        revision=7,
        position=0,
        row=1,
        prompt=1,
        rows=[m.ReaderRow("1.2", attention=m.Real.of(0.75), effect=m.Real.of(-0.5), stderr=None)],
        omitted=5,
        elapsed_ms=8.5,
    ),
    "saved": m.Saved("v-30", path=f"/home/me/{HOSTILE}", size=2048),
    "snapshot": m.SnapshotEvent(seq=4, snapshot=SNAPSHOT, setup=SETUP),
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
        buffers=["effect", "known", "stderr"],
        since=None,
    ),
}

BUFFERS: dict[str, list[bytes]] = {
    "compared": [
        np.array([0.25, -0.5, 0.0, *REAL_SPECIALS], dtype="<f4").tobytes(),
        np.array([0.5, -0.25, 0.0, *REAL_SPECIALS], dtype="<f4").tobytes(),
    ],
    "map": [
        np.array([0.25, -0.5, 0.0, *REAL_SPECIALS], dtype="<f4").tobytes(),
        np.array([1, 1, 2, 1, 1, 0], dtype=np.uint8).tobytes(),
        np.array([0.125, 0.0, *REAL_SPECIALS, float("nan")], dtype="<f4").tobytes(),
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
    for path, text in (*files(), *wire_files()):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
