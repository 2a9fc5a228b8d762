"""The whole model is looked at again whenever code of the user's may have run, and not on the way of a click between cells."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading

import pytest

import circuitboard as cb
from circuitboard.desk.checks import user_code
from circuitboard.desk.checks.user_code import _Count
from tests.board.prompts import pair
from tests.tiny_models import tiny

SCRIPT = """
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.run_cell('''
import circuitboard as cb
from circuitboard.models.account.account import Account
from circuitboard.session.session import Session
walks, answers = [], []
real = Account._structure
Account._structure = lambda self: walks.append(1) or real(self)
model = cb.load("demo")
clean = "When John and Mary went to the store, John gave the book to"
board = cb.Board(model, cb.PromptPair(clean, clean.replace(", John", ", Mary"), answer=" Mary", wrong=" John"))
session = Session(board.desk, lambda content, buffers: answers.append(content))
''').raise_error()
names = shell.user_ns
walks, answers, session, board = (names[name] for name in ("walks", "answers", "session", "board"))


def from_a_panel(kind, **fields):
    # As a comm delivers it.
    request = f"r{len(answers)}-{kind}"
    shell.events.trigger("pre_execute")
    session.receive({"kind": kind, "id": request, **fields})
    shell.events.trigger("post_execute")
    while not (found := [a for a in answers if a.get("id") == request]):
        pass
    return found[0]


def walked(work):
    before = len(walks)
    work()
    return len(walks) - before


def click():
    answer = from_a_panel("click", site="1.0", positions=None)
    assert answer["kind"] == "done", answer


assert walked(click) == 1  # the cell that made the board has ended since
assert walked(click) == 0
assert walked(click) == 0
shell.run_cell("1 + 1")
assert walked(click) == 1
assert walked(click) == 0

# A widget of the user's, such as a button that trains a step, is code of theirs too.
shell.events.trigger("pre_execute")
shell.events.trigger("post_execute")
assert walked(click) == 1
assert walked(click) == 0

# Within a cell every call looks, and a hook that a cell adds is seen by the next click.
shell.run_cell("count = len(walks); board.value; board.value; found = len(walks) - count").raise_error()
assert names["found"] == 2, names["found"]
shell.run_cell("model.add_hook('blocks.1.attn.hook_z', lambda z, hook: z * 0)").raise_error()
assert from_a_panel("click", site="1.0", positions=None)["error"]["code"] == "model_changed"
assert from_a_panel("click", site="1.0", positions=None)["error"]["code"] == "model_changed"
assert from_a_panel("refresh")["kind"] == "done"
assert walked(click) <= 1
assert walked(click) == 0
print("as promised")
"""


def test_what_costs_a_walk(tmp_path):
    script = tmp_path / "walks.py"
    script.write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip().endswith("as promised"), done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize("asked", ["by a panel", "by the cell that runs"])
def test_a_check_of_the_users_model_gives_up_once_a_cell_has_begun(monkeypatch, asked):
    """It may have to wait for other work; the cell that waits for it does nothing with the model meanwhile."""
    board = cb.Board(tiny("native"), pair())
    board.edit(cb.head(1, 2).zero())
    count = _Count()
    monkeypatch.setattr(user_code, "_shell", object)
    monkeypatch.setattr(user_code, "_count", count)
    go_on = threading.Event()
    board.desk.worker.submit(lambda _cancel: go_on.wait(60))
    count.in_cell = asked == "by the cell that runs"
    job = board.desk.verify()
    if not count.in_cell:
        count.in_cell, count.thread = True, -1
    go_on.set()
    if asked == "by a panel":
        with pytest.raises(cb.EngineError) as caught:
            job.result()
        assert caught.value.code == "model_busy"
    else:
        assert job.result().ok
    board.close()
