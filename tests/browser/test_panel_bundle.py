"""The built bundle as VS Code loads it: from a blob URL, under a strict content security policy, without a network.

The page's model is a shim; behind it is a real session of a real board, so a click here is a run of the model.
"""

from __future__ import annotations

import base64
import json
import queue
import time
from pathlib import Path

import pytest
import torch

import circuitboard as cb
from circuitboard import widget as widget_package
from tests.tiny_models import D_VOCAB, tiny

STATIC = Path(widget_package.__file__).parent / "static"
ADDRESS = "http://panel.test/"
PAGE = """<!doctype html><html lang="en"><head><title>panel</title>
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'nonce-page' blob:; style-src 'nonce-page'">
<style nonce="page" id="css"></style></head><body><main id="one"></main><main id="two"></main><script nonce="page">
  const listeners = new Set();
  const model = {
    send: (content) => window.toKernel(JSON.stringify(content)),
    on: (name, f) => name === "msg:custom" && listeners.add(f),
    off: (name, f) => listeners.delete(f),
  };
  const view = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  window.fromKernel = (content, buffers) => { for (const f of listeners) f(content, buffers.map(view)); };
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
  window.show = async (source, id) => {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const module = await import(url);
    window.close = module.default.render({ model, el: document.getElementById(id) });
  };
</script></body></html>"""


class Panel:
    """One page with views of one board, and the line between them."""

    def __init__(self, page, board):
        from circuitboard.widget.session import Session

        self.page = page
        self.sent = queue.Queue()
        self.asked = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.route(f"{ADDRESS}**", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        self.session = Session(board, lambda content, buffers: self.sent.put((content, buffers)))
        page.expose_function("toKernel", lambda text: self.session.receive(json.loads(text)))
        page.goto(ADDRESS)
        page.evaluate(
            "css => { document.getElementById('css').textContent = css; }", (STATIC / "widget.css").read_text("utf-8")
        )
        self.show("one")

    def show(self, place):
        self.page.evaluate("([source, id]) => show(source, id)", [(STATIC / "widget.js").read_text("utf-8"), place])
        self.settle()

    def settle(self, timeout=20.0):
        """Carry messages until the panel is idle and none is left."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                content, buffers = self.sent.get(timeout=0.1)
            except queue.Empty:
                states = self.page.locator("[data-cb=board]").evaluate_all("all => all.map(e => e.dataset.state)")
                if states and all(state in ("idle", "error") for state in states):
                    return
                self.page.wait_for_timeout(1)
                continue
            encoded = [base64.b64encode(buffer).decode() for buffer in buffers]
            self.page.evaluate("([content, buffers]) => fromKernel(content, buffers)", [content, encoded])
        pytest.fail("the panel did not come to rest")

    def click(self, selector, place="one"):
        self.page.click(f"#{place} {selector}")
        self.settle()

    def value(self, place="one"):
        return float(self.page.get_attribute(f"#{place} [data-cb=metric]", "data-value"))


def head(layer, number):
    return f"[data-cb=head][data-layer='{layer}'][data-head='{number}']"


@pytest.fixture
def board():
    clean = torch.randint(1, D_VOCAB, (3, 8), generator=torch.Generator().manual_seed(1))
    corrupted = clean.clone()
    corrupted[:, 3] = (corrupted[:, 3] + 7) % D_VOCAB
    board = cb.Board(tiny("gpt2"), cb.PromptPair(clean=clean, corrupted=corrupted, answer=[5, 6, 7], wrong=[8, 9, 10]))
    yield board
    board.close()


@pytest.fixture
def panel(page, board):
    if not (STATIC / "widget.js").exists():
        pytest.skip("the bundle is not built: npm run build:widget")
    panel = Panel(page, board)
    yield panel
    panel.session.close()


def test_a_click_is_a_run_of_the_model_and_a_second_one_takes_it_back(panel, board):
    start = board.value
    panel.click(head(1, 2))
    assert [str(edit.intervention.site) for edit in board.edits] == ["1.2"]
    assert panel.value() == pytest.approx(board.value, abs=1e-9)
    assert board.value != pytest.approx(start, abs=1e-4)
    assert panel.page.get_attribute(head(1, 2), "aria-pressed") == "true"
    panel.click(head(1, 2))
    assert panel.value() == pytest.approx(start, abs=1e-6)
    panel.click("[data-cb=undo]")
    assert panel.page.get_attribute(head(1, 2), "aria-pressed") == "true"
    panel.click("[data-cb=redo]")
    assert panel.page.get_attribute(head(1, 2), "aria-pressed") == "false"


def test_an_edit_in_python_moves_the_panel(panel, board):
    board.edit(cb.head(0, 1).zero(), cb.resid_pre(1).at([3]).patch())
    panel.settle()
    assert panel.value() == pytest.approx(board.value, abs=1e-9)
    assert panel.page.locator("[data-cb=edit]").count() == 2


def test_the_map_is_what_preview_says(panel, board):
    effect = float(panel.page.get_attribute(head(2, 3), "data-effect"))
    assert effect == pytest.approx(board.preview(cb.head(2, 3).zero()).change, abs=1e-4)
    panel.click("[role=tab][data-value=resid_pre]")
    panel.click("[data-cb=mode] [data-value=patch]")
    cell = "[data-cb=cell][data-site=resid_pre][data-layer='1'][data-pos='3']"
    effect = float(panel.page.get_attribute(cell, "data-effect"))
    assert effect == pytest.approx(board.preview(cb.resid_pre(1).at(3).patch()).change, abs=1e-4)


def test_two_views_of_one_board_agree(panel, board):
    panel.show("two")
    panel.click(head(0, 0), "one")
    panel.click(head(2, 1), "two")
    panel.click("[data-cb=mode] [data-value=patch]", "two")
    assert len(board.edits) == 2
    assert panel.value("one") == panel.value("two") == pytest.approx(board.value, abs=1e-9)
    assert panel.page.get_attribute("#one [data-cb=mode]", "data-value") == "patch"


def test_the_numbers_are_verified_on_request(panel):
    panel.click(head(1, 1))
    panel.click("[data-cb=verify]")
    assert panel.page.get_attribute("[data-cb=verified]", "data-ok") == "true"


def test_nothing_is_asked_of_a_network_and_no_rule_is_broken(panel):
    panel.click(head(1, 2))
    panel.click("[data-cb=token][data-pos='3']")
    panel.page.hover(head(0, 0))
    panel.page.wait_for_selector(".cb-tip")
    assert panel.page.evaluate("violations") == []
    assert [url for url in panel.asked if not url.startswith("blob:")] == [ADDRESS]


def test_the_theme_is_the_hosts(panel):
    panel.page.evaluate("document.body.className = 'vscode-dark'")
    panel.page.wait_for_selector("[data-cb=board].cb-dark")
    panel.page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    panel.page.wait_for_selector("[data-cb=board].cb-light")


def test_a_view_that_is_closed_leaves_nothing(panel):
    panel.page.evaluate("close()")
    assert panel.page.locator("[data-cb]").count() == 0
    assert panel.page.evaluate("listeners.size") == 0
