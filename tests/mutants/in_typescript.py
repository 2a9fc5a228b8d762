"""Mistakes in the panel's language; those of FOUND 60 and ten of other rooms, about half with a second actor."""

from __future__ import annotations

from functools import partial

from tests.mutants.mutant import Mutant

_Mutant = partial(Mutant, typescript=True)

TYPESCRIPT = (
    _Mutant(
        "panels/map",
        "the hover card of a sorted map has the error bar of the cell that stands there unsorted",
        "errorAt(plane, spot.row, spot.column)",
        "errorAt(plane, props.at.row, props.at.column)",
        ("HoverCard.test.tsx",),
        also=True,
    ),
    _Mutant(
        "panels/map",
        "a neuron is compared with one of the same number in another layer",
        "    const ofA = new Map<number, number>();\n    for (let i = row * columns; i < (row + 1) * columns; i += 1) ofA",
        "    const ofA = new Map<number, number>();\n    for (let i = 0; i < (row + 1) * columns; i += 1) ofA",
        ("difference.test.ts",),
        also=True,
    ),
    _Mutant(
        "panels/map",
        "what is known of A counts where it stands in B",
        "j < 0 ? 0 : (a.known[j] ?? 0)",
        "j < 0 ? 0 : (a.known[i] ?? 0)",
        ("difference.test.ts",),
        also=True,
    ),
    _Mutant(
        "store",
        "an old effect is carried into the cell of another neuron",
        "if (last.index?.[i] !== map.index?.[i]) return Number.NaN;",
        "if (last.index?.length !== map.index?.length) return Number.NaN;",
        ("reducer.test.ts",),
        also=True,
    ),
    _Mutant(
        "store",
        "a choice of colours is confirmed by whatever snapshot comes first",
        "(patch.colours === undefined || patch.colours === view.colours) &&",
        "(patch.colours === undefined || view.colours !== undefined) &&",
        ("reducer.test.ts",),
        also=True,
    ),
    _Mutant(
        "store",
        "the answer to an older question is drawn",
        "if (detail.asked === null || detail.asked.id !== id) return detail;",
        "if (detail.asked === null) return detail;",
        ("reducer.test.ts", "Detail.test.tsx"),
        also=True,
    ),
    _Mutant(
        "store",
        "maps of a model that was measured again stay",
        "return { ...state, setup, detail, maps: {}, scales: {},",
        "return { ...state, setup, detail, scales: {},",
        ("reducer.test.ts", "Banner.test.tsx", "Board.test.tsx"),
        also=True,
    ),
    _Mutant(
        "protocol",
        "a lost event is not asked for",
        "if (gap) this.hello();",
        "if (gap && this.#busy) this.hello();",
        ("connection.test.ts", "map_changes.test.ts"),
        also=True,
    ),
    _Mutant(
        "parts",
        "less than a tenth of a percent is none",
        "return p > 0 && p < SMALLEST_SHARE ?",
        "return p > 1 && p < SMALLEST_SHARE ?",
        ("number.test.ts",),
    ),
    _Mutant(
        "host",
        "VS Code's high contrast is light",
        'classList.contains("vscode-dark") || classList.contains("vscode-high-contrast")',
        'classList.contains("vscode-dark")',
        ("host.test.ts",),
    ),
    _Mutant(
        "panels/history",
        "the oldest branch goes on unindented",
        "const newest = below.at(-1);",
        "const newest = below.at(0);",
        ("order.test.ts", "History.test.tsx"),
        also=True,
    ),
    _Mutant(
        "panels/detail",
        "an edit at another position counts as one at this",
        "edit.positions.length === 1 && edit.positions[0] === position)",
        "edit.positions.length === 1)",
        ("own_edits.test.ts",),
        also=True,
    ),
    _Mutant(
        "lab",
        "a text in a variable is sent as it was typed before",
        "if (variable !== null) return { variable };",
        'if (variable !== null && text === "") return { variable };',
        ("lab/form/values.test.ts",),
        also=True,
    ),
    _Mutant(
        "vscode",
        "a panel takes what it has for what another kernel sent",
        "since = messages.at(-1)?.number ?? since;",
        "since = messages.at(0)?.number ?? since;",
        ("line.test.ts",),
        also=True,
    ),
)
