"""The Python of a board that was put together in the form."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from circuitboard.protocol.form import Form, FormText, NamedModel, PairInVariable, TaskPrompts, TypedPrompts

_LINE = 100


def code_of(form: Form, taken: Collection[str]) -> str:
    """A cell that makes the board and shows it.

    Parameters
    ----------
    form
        Checked values.
    taken
        Names in use, which the cell leaves alone.
    """
    lines = ["import circuitboard as cb"]
    if isinstance(form.model, NamedModel):
        model = free("model", taken)
        lines.append(f"{model} = cb.load({form.model.name!r})")
    else:
        model = form.model.name
    if isinstance(form.prompts, PairInVariable):
        pair = form.prompts.name
    else:
        pair = free("pair", taken)
        lines.append(f"{pair} = {_pair(form.prompts, model)}")
    board = free("board", taken)
    given = [model, pair]
    if form.metric != "logit_diff":
        given.append(f"metric={form.metric!r}")
    if form.base != "clean":
        given.append(f"base={form.base!r}")
    if form.memory_mb is not None:
        given.append(f"memory={form.memory_mb} * 2**20")
    lines.append(f"{board} = cb.Board({', '.join(given)})")
    view = msgspec.structs.asdict(form.view)
    changed = [f"{name}={value!r}" for name, value in view.items() if value is not None]
    if changed:
        lines.insert(1, "from circuitboard.widget import set_view")
        lines.append(f"set_view({board}, {', '.join(changed)})")
    lines.append(board)
    return "\n".join(lines)


def free(name: str, taken: Collection[str]) -> str:
    """Return this name, or the first numbered one that is not in use."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def _pair(prompts: TypedPrompts | TaskPrompts, model: str) -> str:
    if isinstance(prompts, TaskPrompts):
        seed = f", seed={prompts.seed}" if prompts.seed else ""
        return f"cb.tasks.{prompts.task}({prompts.n}{seed}, model={model})"
    given = [f"clean={_text(prompts.clean)}"]
    if prompts.corrupted is not None:
        given.append(f"corrupted={_text(prompts.corrupted)}")
    given.append(f"answer={prompts.answer!r}")
    if prompts.wrong:
        given.append(f"wrong={prompts.wrong!r}")
    one = f"cb.PromptPair({', '.join(given)})"
    if len(one) <= _LINE:
        return one
    body = "".join(f"    {part},\n" for part in given)
    return f"cb.PromptPair(\n{body})"


def _text(given: FormText) -> str:
    return repr(given.text) if given.variable is None else given.variable
