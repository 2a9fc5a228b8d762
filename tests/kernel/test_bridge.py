"""The bridge in a real kernel: what VS Code's Jupyter extension runs, and what it gets to read."""

import json

import pytest

from circuitboard.protocol.bridge import BRIDGE
from tests.kernel.front_end import FrontEnd


def expression(what, **fields):
    """As extension/vscode/src/bridge/expression.ts writes it."""
    text = json.dumps(json.dumps({"what": what, **fields}))
    return f'__import__("circuitboard.widget.bridge", fromlist=["exchange"]).exchange({text})'


def ask(kernel, what, **fields):
    cell = kernel.finish(kernel.start(expression(what, **fields)))
    assert cell.error is None, cell.error
    (told,) = [data[BRIDGE] for data in cell.data if BRIDGE in data]
    return told


@pytest.fixture
def line(kernel, panel):
    told = ask(kernel, "attach")
    yield told["line"]
    ask(kernel, "detach", line=told["line"])


def test_a_click_over_the_bridge_is_a_run_and_the_notebooks_view_follows(kernel, panel, line):
    before = len(kernel.events("snapshot"))
    told = ask(kernel, "exchange", line=line, wait_s=1, requests=[{"kind": "click", "id": "v-1", "site": "0.1"}])
    while not any(sent["content"].get("id") == "v-1" for sent in told["messages"]):
        told = ask(kernel, "exchange", line=line)
    contents = [sent["content"] for sent in told["messages"]]
    assert [content["kind"] for content in contents if content.get("id") == "v-1"] == ["done"]
    assert kernel.run("print([str(edit.intervention.site) for edit in board.edits])") == "['0.1']"
    value = next(content for content in contents if content["kind"] == "snapshot")["snapshot"]["metric"]["value"]
    assert value["value"] == pytest.approx(float(kernel.run("print(board.value)")), abs=1e-9)
    kernel.wait(lambda: len(kernel.events("snapshot")) > before)


def test_it_leaves_no_name_and_no_line_of_history(kernel, panel, line):
    names = "sorted(name for name in globals() if not name.startswith('_'))"
    before = kernel.run(f"print({names})")
    ask(kernel, "exchange", line=line)
    assert kernel.run(f"print({names})") == before
    assert "circuitboard.widget.bridge" not in kernel.run("print(globals().get('_', ''))")


def test_a_restarted_kernel_knows_no_line_and_says_that_it_is_another_process():
    first = FrontEnd()
    try:
        told = ask(first, "attach")
        assert told["state"] == "no_board"
    finally:
        first.stop()
    second = FrontEnd()
    try:
        gone = ask(second, "exchange", line="of the process before")
        assert gone["state"] == "gone"
        assert gone["process"] != told["process"]
    finally:
        second.stop()
