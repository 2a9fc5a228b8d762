"""A board's state as Python that can be pasted and run."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from circuitboard.address import HEAD_KINDS, Edge, Intervention, Span, Values
from circuitboard.board.files import numpy_little
from circuitboard.errors import InterventionError
from circuitboard.models import reload_name
from circuitboard.prompts import PromptPair
from circuitboard.sweeps import Sweep

if TYPE_CHECKING:
    from circuitboard.address import Positions, Site
    from circuitboard.board.board import Board
    from circuitboard.prompts import Prompts
    from circuitboard.runs import Run
    from circuitboard.sweeps import Grid

_FEW_NUMBERS = 16
"""A tensor of up to so many is written out; a longer one as base64, which is short and exact."""


def to_python(board: Board, sweeps: Sequence[Sweep] = ()) -> str:
    """Code that makes this board again, with the edits in force and those switched off, and sweeps of it."""
    for sweep in sweeps:
        if not isinstance(sweep, Sweep):
            raise InterventionError(
                f"Code is written for a Sweep, such as board.sweep('head'), not for {sweep!r:.60}.",
                code="unknown_sweep",
            )
    name = reload_name(board.model)
    dtype = str(board.lab.adapter.dtype)
    lines = []
    if name is None:
        lines.append(
            f"# `model` must hold the TransformerBridge {board.lab.adapter.name!r} that the board was made with."
        )
    else:
        lines.append(f"model = cb.load({name!r}{f', dtype={dtype}' if dtype != 'torch.float32' else ''})")
    lines += _prompts(board)
    if board.reference is not None:
        lines += _reference(board)
    for metric in board.lab.metrics:
        if metric.formula is None:
            lines.append(f"# `{_variable(metric.name)}` must hold the function that the board was made with.")
    lines.append(f"board = cb.Board(model, pair{_options(board)})")
    edits = board.edits
    if edits:
        written = [expression(edit.intervention) for edit in edits]
        lines += ["board.edit(", *(f"    {edit}," for edit in written), ")"]
        lines += [f"board.toggle({index})" for index, edit in enumerate(edits) if not edit.enabled]
        lines += [f"board.rename({index}, {edit.name!r})" for index, edit in enumerate(edits) if edit.name is not None]
        groups = board.history.state.groups
        lines += [f"board.group({name!r}, {', '.join(map(str, indices))})" for name, indices in groups.items()]
    lines += [
        f"sweep{'' if i == 0 else i + 1} = {sweep_expression(board, sweep.grid, sweep)}"
        for i, sweep in enumerate(sweeps)
    ]
    lines.append("board")
    body = "\n".join(lines) + "\n"
    imports = [f"import {module}" for module in ("base64", "torch") if f"{module}." in body]
    return "\n".join(["import circuitboard as cb", *imports, "", body]).replace("\n\n\n", "\n\n")


def expression(intervention: Intervention) -> str:
    """An intervention as a Python expression: "cb.head(9, 6).at('END').zero()"."""
    site = intervention.site
    if isinstance(site, Edge):
        where, sources = f"cb.edge({_component(site.sender)}, {_component(site.receiver)})", None
    else:
        where, sources = _component(site), site.sources
    if sources is not None:
        where += f".at({_positions(site.positions)}, {_positions(sources)})"
    elif site.positions is not None:
        where += f".at({_positions(site.positions)})"
    return f"{where}.{intervention.how}({', '.join(_given(intervention))})"


def _given(intervention: Intervention) -> list[str]:
    """What is passed to the method that makes an intervention."""
    given = []
    if intervention.values is not None:
        given.append(_values(intervention.values))
    if intervention.how == "add":
        given += [f"scale={intervention.strength!r}"] if intervention.strength != 1 else []
    elif intervention.strength is not None:
        given.append(repr(intervention.strength))
    if intervention.seed is not None:
        given.append(repr(intervention.seed))
    if intervention.run is not None:
        given.append(run_expression(intervention.run))
    if intervention.per == "label":
        given.append("per='label'")
    if intervention.from_ is not None:
        given.append(f"from_={_positions(intervention.from_)}")
    if intervention.renormalize:
        given.append("renormalize=True")
    return given


def run_expression(run: Run) -> str:
    """A run as a Python expression."""
    rows = [repr(row) if isinstance(row, str) else f"torch.tensor({list(row)!r})" for row in run.prompts]
    edits = f", [{', '.join(map(expression, run.interventions))}]" if run.interventions else ""
    bos = "" if run.prepend_bos is None else f", prepend_bos={run.prepend_bos}"
    labels = f", labels={ {label: list(positions) for label, positions in run.labels}!r}" if run.labels else ""
    return f"cb.Run([{', '.join(rows)}]{edits}{bos}{labels})"


def _values(values: Values) -> str:
    tensor = values.tensor
    if not values.shape:
        return repr(float(tensor))
    dtype = "" if str(tensor.dtype) == "torch.float32" else f", dtype={tensor.dtype}"
    if tensor.numel() <= _FEW_NUMBERS:
        return f"torch.tensor({tensor.tolist()!r}{dtype})"
    data = base64.b64encode(numpy_little(tensor.numpy())).decode("ascii")
    return (
        f"torch.frombuffer(bytearray(base64.b64decode({data!r})), dtype={tensor.dtype}).reshape({list(values.shape)})"
    )


def _component(site: Site) -> str:
    if site.kind == "embed":
        return "cb.embed()"
    if site.kind in HEAD_KINDS:
        return f"cb.head({site.layer}, {site.index}){site.kind.removeprefix('head')}"
    return f"cb.neuron({site.layer}, {site.index})" if site.kind == "neuron" else f"cb.{site.kind}({site.layer})"


def _positions(positions: Positions) -> str:
    if positions is None:
        return "None"
    entries = [_position(entry) for entry in positions]
    return entries[0] if len(entries) == 1 else f"[{', '.join(entries)}]"


def _position(entry: int | str | Span) -> str:
    return f"slice({entry.start}, {entry.stop}, {entry.step})" if isinstance(entry, Span) else repr(entry)


def sweep_expression(board: Board, grid: Grid, sweep: Sweep | None = None) -> str:
    """The call that sweeps a grid, estimated and on the metric as `sweep` was."""
    options = [repr(grid.over)]
    if grid.by != "all":
        options.append(f"by={grid.by!r}")
    options.append(f"how={grid.how!r}")
    if grid.per == "label" and grid.by != "label":
        options.append("per='label'")
    if grid.layers != tuple(range(board.lab.adapter.shape.n_layers)):
        options.append(f"layers={list(grid.layers)!r}")
    if grid.asked is not None:
        options.append(f"positions={_positions(grid.asked)}")
    if sweep is not None and sweep.method is not None:
        options.append(f"approximate={sweep.method!r}")
    if sweep is not None and sweep.metric != board.lab.metric.name:
        options.append(f"on={sweep.metric!r}")
    return f"board.sweep({', '.join(options)})"


def _options(board: Board) -> str:
    metrics = board.lab.metrics
    written = [repr(metric.formula) if metric.formula is not None else _variable(metric.name) for metric in metrics]
    options = ""
    if len(metrics) > 1 or metrics[0].formula not in (None, metrics[0].name):
        pairs = (f"{metric.name!r}: {one}" for metric, one in zip(metrics, written, strict=True))
        options = f", metric={{{', '.join(pairs)}}}"
    elif metrics[0].formula != "logit_diff":
        options = f", metric={written[0]}"
    if board.base != "clean":
        options += f", base={board.base!r}"
    return options + (", reference=reference" if board.reference is not None else "")


def _variable(name: str) -> str:
    """What the code calls a metric that is a function: its own name where that is one."""
    return name if name.isidentifier() else "metric"


def _prompts(board: Board) -> list[str]:
    """The pair: as the task's call where one made it, else written out."""
    recipe, prompts = board.pair.recipe, board.prompts
    if recipe is not None:
        return [f"pair = {recipe}"]
    lines = ["pair = cb.PromptPair("]
    as_text = prompts.clean_text is not None and (
        prompts.corrupted_tokens is None or prompts.corrupted_text is not None
    )
    lines.append(f"    clean={_text_or_tokens(prompts, 'clean', as_text=as_text)},")
    if prompts.corrupted_tokens is not None:
        lines.append(f"    corrupted={_text_or_tokens(prompts, 'corrupted', as_text=as_text)},")
    lines.append(f"    answer={_answers(prompts.answers.to_list())},  # {_words(prompts.answer_str)}")
    if prompts.wrongs is not None:
        lines.append(f"    wrong={_answers(prompts.wrongs.to_list())},  # {_words(prompts.wrong_str or ())}")
    return [*lines, *_labels_and_bos(prompts, as_text=as_text), ")"]


def _reference(board: Board) -> list[str]:
    reference = board.reference
    if isinstance(reference, PromptPair) and reference.recipe is not None:
        return [f"reference = {reference.recipe}"]
    prompts = board.reference_prompts
    assert prompts is not None  # noqa: S101  asked for only where there is one
    as_text = prompts.clean_text is not None
    clean = _text_or_tokens(prompts, "clean", as_text=as_text)
    return [
        "reference = cb.PromptPair(",
        f"    clean={clean},",
        "    answer=0,",
        *_labels_and_bos(prompts, as_text=as_text),
        ")",
    ]


def _labels_and_bos(prompts: Prompts, *, as_text: bool) -> list[str]:
    lines = []
    if prompts.labels:
        lines.append(f"    labels={_labels(prompts)!r},")
    if as_text:
        lines.append(f"    prepend_bos={prompts.bos_added},")
    return lines


def _labels(prompts: Prompts) -> dict[str, list[int] | dict[str, list[int]]]:
    """Labels as they are given to a pair; by run where they lie elsewhere in the other one."""
    clean, corrupted = (prompts.of(run).labels for run in ("clean", "corrupted"))
    return {
        label: list(positions)
        if positions == corrupted[label]
        else {"clean": list(positions), "corrupted": list(corrupted[label])}
        for label, positions in clean.items()
    }


def _text_or_tokens(prompts: Prompts, run: str, *, as_text: bool) -> str:
    if as_text:
        texts = list((prompts.clean_text if run == "clean" else prompts.corrupted_text) or ())
        return repr(texts[0] if len(texts) == 1 else texts)
    rows = prompts.token_ids("clean" if run == "clean" else "corrupted")
    if len({len(row) for row in rows}) == 1:
        return f"torch.tensor({rows!r})"
    return f"[{', '.join(f'torch.tensor({row!r})' for row in rows)}]"


def _answers(answers: list[int | list[int]]) -> str:
    if len(answers) == 1 and isinstance(answers[0], int):
        return repr(answers[0])
    if all(isinstance(one, list) and len(one) == 2 for one in answers):  # noqa: PLR2004  lists could be (right, wrong)
        return repr([set(one) if isinstance(one, list) else one for one in answers])
    return repr(answers)


def _words(tokens: Sequence[str]) -> str:
    """Tokens for a comment: written so that nothing in them can end the line."""
    shown = [ascii(token) for token in list(tokens)[:4]]
    return ", ".join(shown) + (", …" if len(tokens) > len(shown) else "")
