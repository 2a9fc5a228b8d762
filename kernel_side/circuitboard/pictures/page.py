"""A board as one static page: everything that was done, found and needed to do it again, without a script or a network.

The page allows itself nothing but its own style sheet and its own fonts (content security policy), so that no text in
it can do more than be read.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

from circuitboard.analysis.per_prompt import outliers
from circuitboard.desk.manifest import manifest_of, versions
from circuitboard.desk.top_tokens import top_tokens
from circuitboard.errors import InterventionError
from circuitboard.metrics import likeliest, standard_error
from circuitboard.pictures import font
from circuitboard.pictures.drawing import ESTIMATED, EXACT
from circuitboard.pictures.html import folded, number, table
from circuitboard.pictures.page_style import style_of
from circuitboard.pictures.svg import characters, svg_of
from circuitboard.pictures.text import markup
from circuitboard.protocol.wording import (
    metric_words,
    name_words,
    percent,
    plain,
    signed,
    token_words,
)
from circuitboard.sweeps import normalized

if TYPE_CHECKING:
    from circuitboard.desk.desk import Desk
    from circuitboard.desk.outcome import Shown
    from circuitboard.pictures.drawing import MapDrawing
    from circuitboard.pictures.html import Cell
    from circuitboard.prompts import Prompts
    from circuitboard.protocol.drawing import ColourMap

_PROMPTS, _ROWS, _CELLS, _STATES, _TOKENS = 50, 500, 2000, 200, 10
"""Prompts aligned, prompts listed, cells listed, states listed, tokens listed; of more, the number is told."""

_COLUMNS = 400
"""Tokens of a prompt that are written out."""


@dataclass(frozen=True, eq=False)
class Shows:
    """What a page shows besides the board itself.

    Parameters
    ----------
    maps
        Maps, each with the Python that computes it.
    effects
        What each edit does: index → the metric with minus without it, the others in force.
    values
        The metric of states of the history, as far as it is known.
    prompt
        Whose top tokens are listed.
    colours
        Of what lowers and what raises the metric.
    code
        Python that makes the board again.
    """

    maps: Sequence[tuple[MapDrawing, str]] = ()
    effects: Mapping[int, float] = field(default_factory=dict)
    values: Mapping[int, float] = field(default_factory=dict)
    prompt: int = 0
    colours: ColourMap = "orange-blue"
    code: str = ""


def page_of(desk: Desk, state: Shown, shows: Shows) -> str:
    """The page of the state that a board is in. Hashes the model's weights, which takes a second a gigabyte.

    Raises
    ------
    InterventionError
        `moved_on` if the board was stepped meanwhile, since its code and its numbers may be of two states then.
    """
    title = f"{name_words(desk.lab.adapter.name)}: {metric_words(desk.lab.metric.name)} {signed(state.outcome.value)}"
    drawings = [svg_of(drawing, bare=True) for drawing, _ in shows.maps]
    normal, strong = characters("".join(drawings))
    faces = font.face(normal, "normal") + font.face(strong, "bold") if drawings else ""
    style = style_of(shows.colours) + faces
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; form-action 'none'"
    sections = [
        _head(desk, state),
        _prompts(desk),
        _edits(desk, state, shows.effects),
        *(_map(drawing, svg, code) for (drawing, code), svg in zip(shows.maps, drawings, strict=True)),
        *([] if shows.maps else ["<h2>Map</h2><p>No map of this state was known when the page was made.</p>"]),
        _metrics(desk, state),
        _per_prompt(desk, state),
        _top_tokens(desk, state, shows.prompt),
        _history(desk, state, shows.values),
        _code(shows.code) if shows.code else "",
        _manifest(desk),
    ]
    if desk.shown is not state:
        raise InterventionError(
            "The board was stepped while its page was written, so it was dropped; export it again.", code="moved_on"
        )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">'
        f"<title>{markup(title)} · Circuitboard</title><style>{style}</style></head>\n<body><main>\n"
        + "\n".join(sections)
        + "\n</main></body></html>\n"
    )


def _head(desk: Desk, state: Shown) -> str:
    lab, base, n = desk.lab, state.history.state.base, desk.prompts.n
    metric, values = lab.metric, state.outcome.values.double()
    clean, corrupted = lab.unedited(base)
    error = f" ± {plain(float(standard_error(values)))} s.e." if n > 1 else ""
    unit = f", {name_words(metric.unit, 40)}" if metric.unit else ""
    runs = f"clean run {signed(float(clean.double().mean()))}"
    if corrupted is not None:
        share = float(normalized(values.mean(), clean.double(), corrupted.double()))
        runs += f", corrupted run {signed(float(corrupted.double().mean()))}; normalised {signed(share)} (1 is the clean run, 0 the corrupted)"
    dtype = str(lab.adapter.dtype).removeprefix("torch.")
    n_edits = len(state.history.state.active)
    return (
        f'<h1>{markup(name_words(lab.adapter.name))} <span class="quiet">{markup(dtype)}</span></h1>'
        f'<p class="value">{signed(state.outcome.value)}</p>'
        f"<p><b>{markup(metric_words(metric.name))}</b>{markup(unit)}, mean over {n} prompt{'s' if n > 1 else ''}{error}, "
        f"with {n_edits} edit{'s' if n_edits != 1 else ''} of the {base} run in force.</p>"
        f'<p class="quiet">{markup(runs)}.</p>'
    )


def _prompts(desk: Desk) -> str:
    prompts = desk.prompts
    first, *others = [_prompt(prompts, index) for index in range(min(prompts.n, _PROMPTS))]
    runs = "Both runs, token by token; where they differ, the clean token is above." if prompts.corrupted_tokens is not None else "Token by token."  # fmt: skip
    parts = [f'<h2>Prompts</h2><p class="quiet">{runs}</p>{first}']
    if others:
        left = prompts.n - 1 - len(others)
        more = f"<p>… and {left} more</p>" if left else ""
        parts.append(folded(f"{prompts.n - 1} more prompt{'s' if prompts.n > 2 else ''}", "".join(others) + more))  # noqa: PLR2004  of two, one is left
    return "".join(parts)


def _prompt(prompts: Prompts, index: int) -> str:
    """One prompt, a column a token."""
    longest = prompts.longest(index)
    padding = prompts.n_positions - longest
    runs = [("first", prompts.token_ids("clean")[index])]
    if prompts.corrupted_tokens is not None:
        runs.append(("second", prompts.token_ids("corrupted")[index]))
    items = []
    for column in range(padding, min(prompts.n_positions, padding + _COLUMNS)):
        labels = " ".join(f"<b>{markup(name_words(label, 24))}</b>" for label in prompts.marks_at(index, column))
        place = f"<small>{labels}{' ' if labels else ''}{column - padding}</small>"
        # Ends lie in the last column; a run that is shorter has no token in the first ones.
        from_end = prompts.n_positions - column
        found = [(style, None if from_end > len(ids) else ids[-from_end]) for style, ids in runs]
        differs = len({token for _, token in found}) > 1
        tokens = "".join(
            _token(prompts, token, style, differs=differs) if token is not None else f'<span class="{style}"></span>'
            for style, token in found
        )
        items.append(f"<li>{place}{tokens}</li>")
    left = longest - len(items)
    more = f"<p>… and {left} more tokens</p>" if left > 0 else ""
    wrong = "" if prompts.wrong_str is None else f" against <b>{markup(_answers(prompts.wrong_str[index]))}</b>"
    answer = f"Prompt {index + 1}: answer <b>{markup(_answers(prompts.answer_str[index]))}</b>{wrong}"
    return f'<p class="quiet">{answer}</p><ol class="tokens">{"".join(items)}</ol>{more}'


def _token(prompts: Prompts, token: int, run: str, *, differs: bool = False) -> str:
    text = markup(token_words(prompts.token_str(token)))
    tag = "mark" if differs else "span"
    return f'<{tag} class="{run}"><bdi>{text}</bdi></{tag}>'


def _answers(answers: str) -> str:
    """One answer or several, which are joined as in " Mary | John"."""
    return " or ".join(token_words(answer) for answer in answers.split(" |"))


def _edits(desk: Desk, state: Shown, effects: Mapping[int, float]) -> str:
    edits = state.history.state.edits
    if not edits:
        return f"<h2>Edits</h2><p>Nothing is edited: the {state.history.state.base} run.</p>"
    rows: list[Sequence[Cell]] = []
    receipts = iter(state.outcome.receipts)
    for index, edit in enumerate(edits):
        receipt = next(receipts, None) if edit.enabled else None
        names = ", ".join(name_words(name) for name in (edit.name, edit.group) if name)
        effect, change = effects.get(index), None if receipt is None else receipt.norm_change
        rows.append(
            (
                name_words(str(edit.intervention)) + (f" ({names})" if names else ""),
                "in force" if edit.enabled else "switched off",
                number("" if effect is None else signed(effect, 4), effect),
                number("" if change is None else plain(change, 3)),
            )
        )
    unit = name_words(desk.lab.metric.unit or "the metric's own unit", 40)
    columns: list[Cell] = ["edit", "state", ("effect", "n"), ("change of norm", "n")]
    caption = f"In the order in which they act. Effect: the metric with minus without this edit, the others in force, in {unit}."
    looks = ["" if edit.enabled else "off" for edit in edits]
    return f"<h2>Edits</h2>{table(columns, rows[:_ROWS], caption=caption, total=len(rows), looks=looks)}"


def _map(drawing: MapDrawing, svg: str, code: str) -> str:
    cells = drawing.largest(_CELLS)
    told = {EXACT: "exact", ESTIMATED: "approximate"}
    rows: list[Sequence[Cell]] = []
    for cell in cells:
        effect = float(drawing.effect.flat[cell])
        error = math.nan if drawing.stderr is None else float(drawing.stderr.flat[cell])
        row: list[Cell] = [name_words(drawing.names[cell]), number(signed(effect, 4), effect)]
        if drawing.stderr is not None:
            row.append(number("" if math.isnan(error) else plain(error, 4)))
        rows.append([*row, told.get(int(drawing.known.flat[cell]), "")])
    columns: list[Cell] = ["site", ("effect", "n"), *([("± s.e.", "n")] if drawing.stderr is not None else []), "known"]
    known = int((drawing.known > 0).sum())
    effects = table(columns, rows, caption=f"Effects in {drawing.unit}, largest first", total=known)
    details = "".join(f"<p>{markup(name_words(line, 1000))}</p>" for line in drawing.details)
    return (
        f"<h2>Map</h2><figure><figcaption>{markup(name_words(drawing.caption, 400))}</figcaption>{svg}</figure>"
        f'<div class="quiet">{details}<p><code>{markup(code)}</code></p></div>'
        + folded(f"Table of the {len(rows)} cells with the largest effects", effects)
    )


def _metrics(desk: Desk, state: Shown) -> str:
    lab, base = desk.lab, state.history.state.base
    rows: list[Sequence[Cell]] = []
    for metric in lab.metrics:
        values = lab.values(state.run, metric).double()
        clean, corrupted = lab.unedited(base, metric)
        error = plain(float(standard_error(values)), 4) if desk.prompts.n > 1 else ""
        rows.append(
            (
                metric_words(metric.name),
                name_words(metric.unit, 40),
                number(signed(float(values.mean()), 4)),
                number(error),
                number(signed(float(clean.double().mean()), 4)),
                number("" if corrupted is None else signed(float(corrupted.double().mean()), 4)),
            )
        )
    columns: list[Cell] = ["metric", "unit", ("value", "n"), ("± s.e.", "n"), ("clean run", "n"), ("corrupted run", "n")]  # fmt: skip
    return f"<h2>Metrics</h2>{table(columns, rows, caption='Means over prompts')}"


def _per_prompt(desk: Desk, state: Shown) -> str:
    lab, base, prompts = desk.lab, state.history.state.base, desk.prompts
    unedited = lab.unedited(base)
    before = unedited.clean if base == "clean" or unedited.corrupted is None else unedited.corrupted
    change = state.outcome.values - before
    odd = outliers(change)
    top, top_probs = likeliest(state.run.logits[:, -1])
    order = sorted(range(prompts.n), key=lambda index: -float(change[index].abs().nan_to_num(nan=-1.0)))
    texts = prompts.clean_text if base == "clean" else prompts.corrupted_text
    if texts is None:
        texts = ["".join(tokens) for tokens in prompts.str_tokens(base)]
    rows: list[Sequence[Cell]] = [
        (
            str(index + 1),
            (name_words(texts[index], 160), "wide"),
            number(signed(float(state.outcome.values[index]), 4)),
            number(signed(float(before[index]), 4)),
            number(signed(float(change[index]), 4) + (" *" if odd[index] else ""), float(change[index])),
            f"{token_words(prompts.token_str(int(top[index])))} {percent(float(top_probs[index]))}",
        )
        for index in order[:_ROWS]
    ]
    columns: list[Cell] = ["prompt", "text", ("value", "n"), ("unedited", "n"), ("change", "n"), "likeliest next token"]
    caption = (
        f"{metric_words(lab.metric.name)}, largest change first; * lies 1.5 interquartile ranges outside the quartiles"
    )
    found = table(columns, rows, caption=caption, total=prompts.n)
    return "<h2>Prompt by prompt</h2>" + (found if prompts.n <= 20 else folded(f"{prompts.n} prompts", found))  # noqa: PLR2004  a screenful


def _top_tokens(desk: Desk, state: Shown, prompt: int) -> str:
    rows: list[Sequence[Cell]] = [
        (
            token_words(row.token),
            row.side or "",
            number(str(row.rank or "")),
            number(percent(row.prob)),
            number(percent(row.base_prob)),
            number(signed(row.logit, 3)),
            number(signed(row.change, 3), row.change),
        )
        for row in top_tokens(desk.lab, state.run, _TOKENS, prompt)
    ]
    columns: list[Cell] = [
        "token",
        ("rank", "n"),
        ("now", "n"),
        ("unedited", "n"),
        ("logit", "n"),
        ("change of logit", "n"),
    ]
    return f"<h2>Next tokens</h2>{table(columns, rows, caption=f'The likeliest after prompt {prompt + 1}')}"


def _unedited_values(desk: Desk, state: Shown) -> dict[int, float]:
    """The metric of the states in which nothing is edited: that of the base run."""
    found = {}
    for index, node in enumerate(state.history.nodes):
        if not node.state.active:
            runs = desk.lab.unedited(node.state.base)
            base = runs.clean if node.state.base == "clean" or runs.corrupted is None else runs.corrupted
            found[index] = float(base.double().mean())
    return found


def _history(desk: Desk, state: Shown, values: Mapping[int, float]) -> str:
    history = state.history
    values = {**_unedited_values(desk, state), **values, history.current: state.outcome.value}
    numbered = list(enumerate(history.nodes))[-_STATES:]
    rows: list[Sequence[Cell]] = []
    for index, node in numbered:
        value, before = values.get(index), values.get(node.parent) if node.parent is not None else None
        change = None if value is None or before is None else value - before
        rows.append(
            (
                str(index),
                "" if node.parent is None else str(node.parent),
                name_words(node.label or "start") + (f" ({name_words(node.note)})" if node.note else ""),
                number("" if value is None else signed(value, 4)),
                number("" if change is None else signed(change, 4), change),
            )
        )
    looks = ["now" if index == history.current else "" for index, _ in numbered]
    columns: list[Cell] = ["state", "after", "step", ("value", "n"), ("change", "n")]
    earlier = len(history.nodes) - len(numbered)
    caption = "The state that is shown is marked; a value is empty where it is not known any more"
    caption += f"; {earlier} earlier states are left out" if earlier else ""
    return f"<h2>History</h2>{table(columns, rows, caption=caption, looks=looks)}"


def _code(text: str) -> str:
    return f'<h2>Code</h2><p class="quiet">Makes this board again.</p><pre tabindex="0" aria-label="Python">{_source(text)}</pre>'


def _source(code: str) -> str:
    """Code as it is: strings in it hold escapes already where something does not print."""
    return "\n".join(markup(line.replace("\t", "    ")) for line in code.split("\n"))


def _manifest(desk: Desk) -> str:
    model, engine = manifest_of(desk.lab, desk.lab.fingerprint()), desk.lab.choice
    facts = {
        "model": model.name,
        "loaded as": model.reload,
        "revision": model.revision,
        "weights (SHA-256, first 16 digits)": model.weights,
        "tokenizer (SHA-256, first 16 digits)": model.tokenizer,
        "shape": f"{model.n_layers} layers, {model.n_heads} heads, d_model {model.d_model}, vocabulary {model.d_vocab}",
        "dtype, device": f"{model.dtype}, {model.device}",
        "engine": f"{engine.tier}: {engine.why}",
        "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
    }
    rows = [(name, name_words(fact, 400)) for name, fact in facts.items() if fact]
    return (
        f"<h2>Made with</h2>{table(['what', 'which'], rows)}"
        f'<p class="quiet">Circuitboard {markup(version("circuitboard"))}. This page holds no script and asks no network.</p>'
    )
