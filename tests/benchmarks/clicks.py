"""Single clicks: the new value and the ten likeliest tokens of the whole vocabulary, beside a hooked forward with the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import torch

import circuitboard as cb
from tests.benchmarks.clock import Timed, ratios, spread, timed
from tests.benchmarks.flops import count, count_on_board
from tests.benchmarks.maps import backend_in_force, backends
from tests.benchmarks.shapes import Difference, Shape, Tokens

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.engine.gemm import Backend

N_LIKELIEST = 10


def measure(
    shape: Shape, *, runs: int, difference: Difference = "prefix", engine: str = "auto"
) -> list[dict[str, Any]]:
    """Clicks low, in the middle and at the top; one more click on top of three edits; a click on a swept cell."""
    tokens = shape.tokens(1, difference)
    last, end = int(shape.model.cfg.n_layers) - 1, tokens.clean.shape[1] - 1
    rows = []
    for backend in backends(shape):
        with backend_in_force(backend):
            board, swept = (cb.Board(shape.model, tokens.pair, engine=engine) for _ in range(2))  # type: ignore[arg-type]
        tried = _Clicks(shape, tokens, board, backend, runs)
        for layer in dict.fromkeys((0, last // 2, last)):
            rows.append(tried.measure(f"zero a head of layer {layer} at all positions", layer))
        rows.append(tried.measure(f"zero a head of layer {last // 2} at the last position", last // 2, at=end))
        held = [cb.head(layer, 0).zero() for layer in dict.fromkeys((0, last // 2, last - 1))]
        board.edit(*held)
        on_top = f"zero a head of layer {last} on top of edits in layers 0, {last // 2}, {last - 1}"
        rows.append(tried.measure(on_top, last, held))
        board.close()
        swept.sweep("head", by="pos", how="zero", layers=[last // 2], positions=[end])
        tried = _Clicks(shape, tokens, swept, backend, runs)
        what = f"zero a head of layer {last // 2} at the last position, a cell that was swept"
        rows.append(tried.measure(what, last // 2, at=end))
        swept.close()
    return rows


class _Clicks:
    """One board and its peer; every run clicks another head, so that no click is a repetition."""

    def __init__(self, shape: Shape, tokens: Tokens, board: cb.Board, backend: Backend, runs: int) -> None:
        self._shape, self._board, self._backend = shape, board, backend
        self._tokens = tokens.to(str(shape.model.cfg.device))
        self._runs = min(runs, int(shape.model.cfg.n_heads) - 1)

    def measure(
        self, what: str, layer: int, held: list[cb.Intervention] | None = None, at: int | None = None
    ) -> dict[str, Any]:
        board, device = self._board, self._shape.model.cfg.device
        ours: list[Timed] = []
        theirs: list[Timed] = []
        error = 0.0
        for head in range(1, self._runs + 1):
            site = cb.head(layer, head) if at is None else cb.head(layer, head).at(at)
            ours.append(timed(lambda site=site: _click(board, site.zero()), device)[0])
            edits = [*(held or []), site.zero()]
            took, (logits, _) = timed(lambda edits=edits: self._hooked(edits), device)
            theirs.append(took)
            error = max(error, float((board.logits(-1)[0] - logits[0].cpu()).abs().max()))
            scale = float(logits.abs().max())
            board.undo()
        # A head that no run clicked before.
        spare = cb.head(layer, 0) if at is None else cb.head(layer, 0).at(at)
        flops = None
        if self._backend == "stock":
            mine = count_on_board(board, lambda: _click(board, spare.zero()))
            board.undo()
            flops = {"ours": mine, "theirs": count(lambda: self._hooked([*(held or []), spare.zero()]))}
        return {
            "shape": self._shape.name,
            "click": what,
            "tier": board.engine.tier,
            "backend": str(self._backend),
            "runs": self._runs,
            "ours_ms": asdict(spread([1000 * one.wall for one in ours])),
            "theirs_ms": asdict(spread([1000 * one.wall for one in theirs])),
            "ratio": ratios(theirs, ours),
            "error": error,
            "scale": scale,
            "flops": flops,
            "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        }

    def _hooked(self, edits: list[cb.Intervention]) -> tuple[Tensor, object]:
        """One forward of TransformerLens with the heads zeroed by hooks, and its likeliest tokens."""
        hooks = [(f"blocks.{edit.site.layer}.attn.hook_z", _zeroing(edit.site)) for edit in edits]
        with torch.no_grad():
            logits = self._shape.model.run_with_hooks(self._tokens.clean, fwd_hooks=hooks)[:, -1]
        return logits, logits.softmax(-1).topk(N_LIKELIEST)


def _click(board: cb.Board, intervention: cb.Intervention) -> object:
    board.edit(intervention)
    return board.top_tokens(N_LIKELIEST)


def _zeroing(site: cb.Site) -> Callable[[Tensor, object], Tensor]:
    where = list(site.positions) if site.positions is not None else slice(None)

    def hook(z: Tensor, hook: object) -> Tensor:
        z = z.clone()
        z[:, where, site.head] = 0
        return z

    return hook
