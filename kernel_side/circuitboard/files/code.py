"""A board's state as Python that can be pasted and run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from circuitboard.address.expression import expression, positions_expression
from circuitboard.errors import InterventionError, there
from circuitboard.models import reload_name
from circuitboard.prompts import PromptPair
from circuitboard.steps.step import Clear, Group, Rename, SetBase, Toggle
from circuitboard.sweeps import Sweep

if TYPE_CHECKING:
    from circuitboard.desk.desk import Desk
    from circuitboard.prompts import Prompts
    from circuitboard.steps import BoardState, History
    from circuitboard.sweeps import Grid


def to_python(desk: Desk, sweeps: Sequence[Sweep] = ()) -> str:
    """Code that makes this board again, with the edits in force and those switched off, and sweeps of it."""
    for sweep in sweeps:
        if not isinstance(sweep, Sweep):
            raise InterventionError(
                f"Code is written for a Sweep, such as board.sweep('head'), not for {sweep!r:.60}.",
                code="unknown_sweep",
            )
    name = reload_name(desk.model)
    dtype = str(desk.lab.adapter.dtype)
    lines = []
    if name is None:
        lines.append(
            f"# `model` must hold the TransformerBridge {desk.lab.adapter.name!r} that the board was made with."
        )
    else:
        lines.append(f"model = cb.load({name!r}{f', dtype={dtype}' if dtype != 'torch.float32' else ''})")
    lines += _prompts(desk)
    if desk.reference is not None:
        lines += _reference(desk)
    for metric in desk.lab.metrics:
        if metric.formula is None:
            lines.append(f"# `{_variable(metric.name)}` must hold the function that the board was made with.")
    lines.append(f"board = cb.Board(model, pair{_options(desk)})")
    lines += _edits(desk.history.state)
    lines += [
        f"sweep{'' if i == 0 else i + 1} = {sweep_expression(desk, sweep.grid, sweep)}"
        for i, sweep in enumerate(sweeps)
    ]
    return _runnable([*lines, "board"])


def last_step(history: History) -> str:
    """The step that led to the current state, as code for a variable `board` that holds the state before.

    Raises
    ------
    InterventionError
        `no_last_step` for the state that the board began with.
    """
    node = history.nodes[history.current]
    if node.parent is None:
        raise InterventionError(
            "This is the state that the board began with, so there is no last step to copy; copy the whole state instead.",
            code="no_last_step",
        )
    before = history.nodes[node.parent].state
    if node.step is not None:
        return _runnable([node.step.python])
    base = [] if before.base == node.state.base else [SetBase(node.state.base).python]
    return _runnable([*base, *([Clear().python] if before.edits else []), *_edits(node.state)])


def _edits(state: BoardState) -> list[str]:
    """The calls that make all edits of a state on a board that has none."""
    edits = state.edits
    if not edits:
        return []
    written = [expression(edit.intervention) for edit in edits]
    return [
        *("board.edit(", *(f"    {edit}," for edit in written), ")"),
        *(Toggle((index,)).python for index, edit in enumerate(edits) if not edit.enabled),
        *(Rename(index, edit.name).python for index, edit in enumerate(edits) if edit.name is not None),
        *(Group(name, indices).python for name, indices in state.groups.items()),
    ]


def _runnable(lines: Sequence[str]) -> str:
    """Lines with the imports that they need."""
    body = "\n".join(lines) + "\n"
    imports = [f"import {module}\n" for module in ("base64", "torch") if f"{module}." in body]
    if "cb." in body:
        imports.insert(0, "import circuitboard as cb\n")
    return "".join(imports) + ("\n" if imports else "") + body


def sweep_expression(desk: Desk, grid: Grid, sweep: Sweep | None = None) -> str:
    """The call that sweeps a grid, estimated and on the metric as `sweep` was."""
    options = [repr(grid.over)]
    if grid.by != "all":
        options.append(f"by={grid.by!r}")
    options.append(f"how={grid.how!r}")
    if grid.per == "label" and grid.by != "label":
        options.append("per='label'")
    if grid.layers != tuple(range(desk.lab.adapter.shape.n_layers)):
        options.append(f"layers={list(grid.layers)!r}")
    if grid.asked is not None:
        options.append(f"positions={positions_expression(grid.asked)}")
    if sweep is not None and sweep.method is not None:
        options.append(f"approximate={sweep.method!r}")
    if sweep is not None and sweep.metric != desk.lab.metric.name:
        options.append(f"on={sweep.metric!r}")
    return f"board.sweep({', '.join(options)})"


def _options(desk: Desk) -> str:
    metrics = desk.lab.metrics
    written = [repr(metric.formula) if metric.formula is not None else _variable(metric.name) for metric in metrics]
    options = ""
    if len(metrics) > 1 or metrics[0].formula not in (None, metrics[0].name):
        pairs = (f"{metric.name!r}: {one}" for metric, one in zip(metrics, written, strict=True))
        options = f", metric={{{', '.join(pairs)}}}"
    elif metrics[0].formula != "logit_diff":
        options = f", metric={written[0]}"
    if desk.base != "clean":
        options += f", base={desk.base!r}"
    return options + (", reference=reference" if desk.reference is not None else "")


def _variable(name: str) -> str:
    """What the code calls a metric that is a function: its own name where that is one."""
    return name if name.isidentifier() else "metric"


def _prompts(desk: Desk) -> list[str]:
    """The pair: as the task's call where one made it, else written out."""
    recipe, prompts = desk.pair.recipe, desk.prompts
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


def _reference(desk: Desk) -> list[str]:
    reference = desk.reference
    if isinstance(reference, PromptPair) and reference.recipe is not None:
        return [f"reference = {reference.recipe}"]
    prompts = there(desk.reference_prompts)
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
