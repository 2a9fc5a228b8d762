"""Metrics that are functions of the user's: a file holds their text, and whoever loads it passes them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from circuitboard.errors import SessionFileError
from circuitboard.files.plain import plain, shown_path
from circuitboard.files.saved import SavedBoard, SavedFunction
from circuitboard.metrics import source_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from circuitboard.metrics import MetricLike, MetricsLike

MetricsGiven = Mapping[str, Callable[[Any], Any]] | Callable[[Any], Any]
"""The functions that a saved board asks for, by the names of its metrics; the function alone where it is one."""

_LONGEST = 1_000
"""Characters of a text that a message shows."""


def functions_of(saved: SavedBoard) -> dict[str, SavedFunction]:
    """The metrics of a saved board that are functions, by name."""
    if isinstance(saved.metric, str):
        return {}
    return {name: metric for name, metric in saved.metric.items() if isinstance(metric, SavedFunction)}


def metrics_in(path: Path, saved: SavedBoard, given: MetricsGiven | None, *, with_model: bool) -> MetricsLike:
    """The metrics of a saved board, functions being those that the user gives.

    Raises
    ------
    SessionFileError
        `metric_needed` where one is not given; `unknown_metric` for one that the file does not ask for.
    """
    needed = functions_of(saved)
    found = _by_name(path, needed, given)
    missing = [name for name in needed if name not in found]
    if missing:
        raise _needed(path, needed, missing, with_model=with_model)
    if isinstance(saved.metric, str):
        return saved.metric
    metrics: dict[str, MetricLike] = {}
    for name, metric in saved.metric.items():
        metrics[name] = found[name] if isinstance(metric, SavedFunction) else metric
    return metrics


def _by_name(
    path: Path, needed: Mapping[str, SavedFunction], given: MetricsGiven | None
) -> Mapping[str, Callable[[Any], Any]]:
    if given is None:
        return {}
    if callable(given) and len(needed) == 1:
        return dict.fromkeys(needed, given)
    asked = ", ".join(plain(repr(name))[:80] for name in needed) or "none"
    if not isinstance(given, Mapping):
        raise SessionFileError(
            f"metric= takes the functions that {shown_path(path)} asks for by name, as in metric={{name: function}}, not {plain(repr(given)):.80}; it asks for {asked}.",
            code="unknown_metric",
        )
    for name, function in given.items():
        if name not in needed:
            raise SessionFileError(
                f"{shown_path(path)} asks for no metric {plain(repr(name)):.80}; it asks for {asked}.",
                code="unknown_metric",
            )
        if not callable(function):
            raise SessionFileError(
                f"The metric {plain(repr(name)):.80} is a function of the logits, not {plain(repr(function)):.80}.",
                code="unknown_metric",
            )
    return given


def changed_texts(saved: SavedBoard, given: Mapping[str, Any]) -> Iterator[str]:
    """Which functions read otherwise than when the board was saved; `given` are the board's own."""
    for name, function in functions_of(saved).items():
        now = source_of(given[name]).text
        if function.source is not None and now is not None and now != function.source:
            yield f"the text of the metric {plain(repr(name)):.80} is another one"


def _needed(
    path: Path, needed: Mapping[str, SavedFunction], missing: list[str], *, with_model: bool
) -> SessionFileError:
    texts = "\n".join(_text(name, needed[name]) for name in missing[:3])
    more = "" if len(missing) <= 3 else f"\n… and {len(missing) - 3} more."  # noqa: PLR2004
    return SessionFileError(
        f"{shown_path(path)} has a metric that is a function, and code in a file is never run. Define it and pass it: "
        f"{load_call(path, needed, with_model=with_model)}\n{texts}{more}",
        code="metric_needed",
    )


def load_call(path: Path, needed: Mapping[str, SavedFunction], *, with_model: bool) -> str:
    """The line that loads a board with the functions that it asks for."""
    given = ", ".join(f"{plain(repr(name))[:80]}: {variable_of(one)}" for name, one in needed.items())
    return f"cb.Board.load({shown_path(path)!r}{', model' if with_model else ''}, metric={{{given[:400]}}})"


def variable_of(saved: SavedFunction) -> str:
    """The name under which a function is most likely to be found."""
    return saved.function if saved.function.isidentifier() else "function"


def _text(name: str, saved: SavedFunction) -> str:
    remark = "" if saved.remark is None else f" ({plain(saved.remark)[:300]})"
    if saved.source is None:
        return f"{plain(repr(name))[:80]} was {plain(saved.function)[:80]}{remark}; the file has no text of it."
    text = plain(saved.source, lines=True)
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f"{plain(repr(name))[:80]} read{remark}:\n{shown}"
