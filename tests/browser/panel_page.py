"""The built bundle in a page, as VS Code loads it: from a blob URL, under a strict content security policy.

The page's model is a shim; behind it is a real session of a real board, so a click here is a run of the model.
"""

from __future__ import annotations

import base64
import json
import queue
import time
from pathlib import Path

import pytest

from circuitboard import widget as widget_package

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
        from circuitboard.session.session import Session

        self.page = page
        self.sent = queue.Queue()
        self.asked = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.route(f"{ADDRESS}**", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        self.session = Session(board.desk, lambda content, buffers: self.sent.put((content, buffers)))
        self.unanswered = set()
        page.expose_function("toKernel", self._to_kernel)
        page.goto(ADDRESS)
        page.evaluate(
            "css => { document.getElementById('css').textContent = css; }", (STATIC / "widget.css").read_text("utf-8")
        )
        self.show("one")

    def show(self, place):
        self.page.evaluate("([source, id]) => show(source, id)", [(STATIC / "widget.js").read_text("utf-8"), place])
        self.settle()

    def _to_kernel(self, text):
        request = json.loads(text)
        self.unanswered.add(request["id"])
        self.session.receive(request)

    def settle(self, timeout=60.0):
        """Carry messages until every request is answered, the panel is idle and none is left."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                content, buffers = self.sent.get(timeout=0.1)
            except queue.Empty:
                states = self.page.locator("[data-cb=board]").evaluate_all("all => all.map(e => e.dataset.state)")
                if not self.unanswered and states and all(state in ("idle", "error") for state in states):
                    return
                self.page.wait_for_timeout(1)
                continue
            self.unanswered.discard(content.get("id"))
            encoded = [base64.b64encode(buffer).decode() for buffer in buffers]
            self.page.evaluate("([content, buffers]) => fromKernel(content, buffers)", [content, encoded])
        pytest.fail(f"the panel did not come to rest; not answered: {sorted(self.unanswered)}")

    def click(self, selector, place="one"):
        self.page.click(f"#{place} {selector}")
        self.settle()

    def value(self, place="one"):
        return float(self.page.get_attribute(f"#{place} [data-cb=metric]", "data-value"))


def head(layer, number):
    return f"[data-cb=head][data-layer='{layer}'][data-head='{number}']"
