"""A board's state as Python that can be pasted and run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.address import HEAD_KINDS, Edge, Intervention, Span
from circuitboard.models import reload_name

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.address import Positions, Site
    from circuitboard.board.board import Board
    from circuitboard.prompts import Prompts


def to_python(board: Board) -> str:
    """Code that makes this board again, with the edits in force and those switched off."""
    name = reload_name(board.model)
    dtype = str(board.lab.adapter.dtype)
    precise = name is not None and dtype != "torch.float32"
    lines = ["import circuitboard as cb", "import torch\n" if precise or not _as_text(board) else ""]
    if name is None:
        lines.append(
            f"# `model` must hold the TransformerBridge {board.lab.adapter.name!r} that the board was made with."
        )
    else:
        lines.append(f"model = cb.load({name!r}{f', dtype={dtype}' if precise else ''})")
    lines += _pair(board)
    metric = board.lab.metric
    if metric.reads == "all" and not metric.name.isidentifier():
        lines.append("# `metric` must hold the function that the board was made with.")
    lines.append(f"board = cb.Board(model, pair{_options(board)})")
    edits = board.edits
    if edits:
        written = [expression(edit.intervention) for edit in edits]
        lines += ["board.edit(", *(f"    {edit}," for edit in written), ")"]
        lines += [f"board.toggle({index})" for index, edit in enumerate(edits) if not edit.enabled]
    lines.append("board")
    return "\n".join(lines) + "\n"


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
    strength = "" if intervention.strength is None else repr(intervention.strength)
    return f"{where}.{intervention.how}({strength})"


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


def _options(board: Board) -> str:
    metric = board.lab.metric
    options = ""
    if metric.reads == "all":
        options += f", metric={metric.name if metric.name.isidentifier() else 'metric'}"
    elif metric.name != "logit_diff":
        options += f", metric={metric.name!r}"
    return options + (f", base={board.base!r}" if board.base != "clean" else "")


def _pair(board: Board) -> list[str]:
    prompts = board.prompts
    as_text = _as_text(board)
    lines = ["pair = cb.PromptPair("]
    for name, text, tokens in (
        ("clean", prompts.clean_text, prompts.clean_tokens),
        ("corrupted", prompts.corrupted_text, prompts.corrupted_tokens),
    ):
        if as_text and text is not None:
            lines.append(f"    {name}={_single(list(text))!r},")
        elif not as_text and tokens is not None:
            lines.append(f"    {name}={_tokens(tokens, prompts)},")
    lines.append(f"    answer={_single(prompts.answer_ids.tolist())!r},  # {_words(prompts.answer_str)}")
    if prompts.wrong_ids is not None:
        lines.append(f"    wrong={_single(prompts.wrong_ids.tolist())!r},  # {_words(prompts.wrong_str or ())}")
    if prompts.labels:
        lines.append(f"    labels={ {label: list(positions) for label, positions in prompts.labels.items()}!r},")
    if as_text:
        lines.append(f"    prepend_bos={prompts.bos_added},")
    return [*lines, ")"]


def _tokens(tokens: Tensor, prompts: Prompts) -> str:
    if prompts.real is None:
        return f"torch.tensor({tokens.tolist()!r})"
    rows = [row[-length:] for row, length in zip(tokens.tolist(), prompts.lengths, strict=True)]
    return f"[{', '.join(f'torch.tensor({row!r})' for row in rows)}]"


def _as_text(board: Board) -> bool:
    """Whether the prompts can be written as text, not as token ids."""
    prompts = board.prompts
    return prompts.clean_text is not None and (prompts.corrupted_tokens is None or prompts.corrupted_text is not None)


def _single(values: list[object]) -> object:
    return values[0] if len(values) == 1 else values


def _words(tokens: object) -> str:
    """Tokens for a comment: written so that nothing in them can end the line."""
    shown = [ascii(token) for token in list(tokens)[:4]]  # type: ignore[call-overload]
    return ", ".join(shown) + (", …" if len(list(tokens)) > len(shown) else "")  # type: ignore[call-overload]
