"""The history as views draw it, with the metric of every state that was shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.protocol.messages import HistoryNode, Real, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circuitboard.steps import History

MOST_NODES = 200
"""States that are sent at most, besides the first and the current one: a long session keeps its clicks small."""

MOST_CHARACTERS = 120
"""Of a label: one step may make hundreds of edits."""


def tree_of(history: History, values: Mapping[int, float]) -> Tree:
    """The newest states of a history, the first and the current one; `values` are the metrics known, by state."""
    n = len(history.nodes)
    sent = sorted({0, history.current, *range(max(0, n - MOST_NODES), n)})
    nodes = []
    for index in sent:
        node = history.nodes[index]
        parent = node.parent
        while parent is not None and parent not in {0, history.current} and parent < n - MOST_NODES:
            parent = history.nodes[parent].parent
        value = Real.of(values[index]) if index in values else None
        nodes.append(HistoryNode(index, parent, short(node.label), value, node.note))
    return Tree(nodes, history.current, history.ahead[-1] if history.ahead else None, n - len(sent))


def short(label: str) -> str:
    """A label that is not too long to be sent with every click."""
    return label if len(label) <= MOST_CHARACTERS else label[: MOST_CHARACTERS - 1] + "…"
