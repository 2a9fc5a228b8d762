"""Clean against corrupted, token by token: where they differ, and a table of both."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from circuitboard.address import whole
from circuitboard.errors import PromptError

if TYPE_CHECKING:
    from pandas import DataFrame

    from circuitboard.prompts.answer_sets import AnswerSets
    from circuitboard.prompts.notes import Note
    from circuitboard.prompts.prompts import Prompts, Side

_CONTEXT_ROWS = 3
_NOTHING = -1
"""In place of an id, where a run that is shorter has no token."""


def first_difference(clean: Sequence[str], corrupted: Sequence[str]) -> int:
    """Position of the first token that differs (the length of both if none does)."""
    for position, (left, right) in enumerate(zip_longest(clean, corrupted)):
        if left != right:
            return position
    return len(clean)


def side_by_side(clean: Sequence[str], corrupted: Sequence[str]) -> str:
    """Write the tokens around the first difference in two columns, for an error message."""
    start = max(0, first_difference(clean, corrupted) - _CONTEXT_ROWS)
    stop = start + 3 * _CONTEXT_ROWS
    rows = list(zip_longest(clean, corrupted))[start:stop]
    lines = [f"{'pos':>5}  {'clean':<18}  corrupted"]
    for position, (left, right) in enumerate(rows, start):
        shown = ["—" if token is None else repr(token) for token in (left, right)]
        lines.append(f"{position:>5}  {shown[0]:<18}  {shown[1]}{'' if left == right else '   ←'}")
    if stop < max(len(clean), len(corrupted)):
        lines.append("    …")
    return "\n".join(lines)


def table(prompts: Prompts, prompt: int = 0, notes: Sequence[Note] = ()) -> DataFrame:
    """Tokens of one prompt side by side; see `PromptPair.table`."""
    from pandas import DataFrame, array

    from circuitboard.prompts.token_table import TokenTable

    found = whole(prompt)
    if found is None or not 0 <= found < prompts.n:
        raise PromptError(
            f"There is no prompt {prompt!r:.60}: there are {prompts.n}, 0 … {prompts.n - 1}.", code="no_such_prompt"
        )
    prompt = found
    runs: tuple[Side, ...] = ("clean",) if prompts.corrupted_tokens is None else ("clean", "corrupted")
    tokens = {run: prompts.str_tokens(run)[prompt] for run in runs}
    ids: dict[Side, list[int]] = {run: prompts.token_ids(run)[prompt] for run in runs}
    longest = max(map(len, tokens.values()))
    frame = DataFrame({"position": range(longest)})
    for run in runs:
        missing = longest - len(tokens[run])
        # Ends lie side by side where lengths differ, as in the panel.
        frame[run] = [""] * missing + tokens[run]
        ids[run] = [_NOTHING] * missing + ids[run]
    n_different = 0
    if prompts.corrupted_tokens is not None:
        differs = [left != right for left, right in zip(ids["clean"], ids["corrupted"], strict=True)]
        n_different = sum(differs)
        frame["differs"] = differs
    first = prompts.n_positions - longest
    frame["labels"] = [", ".join(prompts.marks_at(prompt, first + row)) for row in range(longest)]
    for run in runs:
        own = ids[run]
        frame[f"{run}_id"] = own if _NOTHING not in own else array([None if i == _NOTHING else i for i in own], "Int64")
    frame = TokenTable(frame.set_index("position"))
    frame.attrs["checks"] = _checks(prompts, prompt, n_different)
    frame.attrs["notes"] = list(notes)
    return frame


def _checks(prompts: Prompts, prompt: int, n_different: int) -> list[dict[str, str]]:
    checks = [_one_token("answer", prompts.answers, prompts, prompt)]
    if prompts.wrongs is not None:
        checks.append(_one_token("wrong answer", prompts.wrongs, prompts, prompt))
    checks.append({"check": "BOS prepended", "found": "yes" if prompts.prepend_bos else "no"})
    if prompts.corrupted_tokens is not None:
        found = f"{prompts.lengths[prompt]} tokens each, {n_different} differ"
        if not prompts.aligned:
            clean, corrupted = (prompts.of(run).lengths[prompt] for run in ("clean", "corrupted"))
            found = f"{clean} and {corrupted} tokens: at the labels {', '.join(prompts.labels)} alone; ends are shown side by side"
        checks.append({"check": "clean and corrupted are aligned", "found": found})
    if padding := prompts.n_positions - prompts.lengths[prompt]:
        checks.append({"check": "padded on the left", "found": f"by {padding}, to {prompts.n_positions} columns"})
    return checks


def _one_token(name: str, answers: AnswerSets, prompts: Prompts, prompt: int) -> dict[str, str]:
    ids = answers.sets[prompt]
    check = f"{name} is one token" if len(ids) == 1 else f"each {name} is one token"
    return {"check": check, "found": ", ".join(f"{prompts.token_str(token)!r} = {token}" for token in ids)}
