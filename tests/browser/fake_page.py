"""The panel on a fake kernel in a real browser: every state of it, with no model and no server.

`extension/dev/page.ts` draws the panel from its query: ?state= ?theme= ?w= ?model= ?map= ?colours=. The page is bundled once and
served by Playwright itself, so nothing is asked of a network.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import BrowserContext, Page, Route

ROOT = Path(__file__).parents[2]
DEV = ROOT / "extension" / "dev"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
ADDRESS = "http://panel.test/"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}

# What a browser remembers once the tour has been declined: it is offered in its own tests only.
NO_OFFER = "try { localStorage.setItem('circuitboard.tour', 'seen') } catch {}"

# Counts what the page has asked to be done soon, so that whoever drives it can wait for the end of that.
COUNTING = """(() => {
    const LATER_MS = 500;  // what is put off longer is no part of drawing
    const due = new Set();
    const counted = (start, stop) => {
        const [begin, end] = [window[start], window[stop]];
        window[start] = (work, ms = 0, ...given) => {
            const id = begin.call(window, (...now) => { due.delete(key); work(...(now.length ? now : given)); }, ms);
            const key = `${start} ${id}`;
            if (ms <= LATER_MS) due.add(key);
            return id;
        };
        window[stop] = (id) => { due.delete(`${start} ${id}`); end.call(window, id); };
    };
    const frame = window.requestAnimationFrame.bind(window);
    counted("setTimeout", "clearTimeout");
    counted("requestAnimationFrame", "cancelAnimationFrame");
    const moves = (a) => a.playState === "running" && a.effect.getComputedTiming().endTime !== Infinity;
    window.settled = () => new Promise((resolve) => {
        const look = (quiet) => {
            const rests = due.size === 0 && !document.getAnimations().some(moves);
            if (rests && quiet === 2) resolve();
            else frame(() => look(rests ? quiet + 1 : 0));
        };
        look(0);
    });
})()"""

# Rules for whole pages, of which a panel is a part.
PAGE_RULES = ("page-has-heading-one", "landmark-one-main", "bypass", "document-title", "html-has-lang", "region")
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# What a theme or a width can change; all else axe finds in the elements, which are the same.
OF_LOOKS = ("color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable")


def bundled(folder: Path) -> Path:
    """Bundle the page into a folder; skips the test where there is no Node to do so."""
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules" / "esbuild").exists():
        pytest.skip("bundling the page on the fake kernel takes Node and `npm ci`")
    subprocess.run([node, str(DEV / "build.mjs"), f"--outdir={folder}"], check=True, timeout=120)
    return folder


@dataclass(frozen=True)
class FakePage:
    """One browser page with the panel on a fake kernel; `asked` holds the address of each request."""

    page: Page
    asked: list[str]

    def show(self, state: str = "edited", *, theme: str = "light", width: int = 1168, **query: str | int) -> None:
        """Draw the panel in a state and wait until nothing more comes."""
        self.page.set_viewport_size({"width": width + 40, "height": 1000})
        words = urlencode({"state": state, "theme": theme, "w": width, **query})
        self.page.goto(f"{ADDRESS}?{words}")
        self.page.wait_for_selector("[data-cb=board]")
        if state != "loading":
            self.page.wait_for_selector("[data-cb=metric]:not([data-value=nan])")
        self.page.evaluate("() => document.fonts.ready.then(() => null)")
        self.settle()

    def settle(self) -> None:
        """Wait until two frames have changed nothing and nothing is about to."""
        self.page.evaluate("() => settled()")

    def everywhere(self) -> Iterator[str]:
        """What is shown now, wide and narrow, light and dark, without drawing it anew; yields a name for each."""
        for width, theme in itertools.product((1168, 480), ("light", "dark")):
            self.page.set_viewport_size({"width": width + 40, "height": 1000})
            self.page.evaluate(
                """([theme, width]) => {
                    document.body.dataset.jpThemeLight = String(theme === "light");
                    document.getElementById("slot").style.width = `${width}px`;
                }""",
                [theme, width],
            )
            self.page.wait_for_selector(f"[data-cb=board].cb-{theme}")
            self.settle()
            yield f"{theme} {width}"

    def faults_everywhere(self, within: str = "[data-cb=board]", *, every_rule: str = "light 1168") -> list[str]:
        """What sticks out, and what axe-core finds: by all rules at one place, elsewhere by those of looks."""
        found = []
        for where in self.everywhere():
            if self.page.evaluate(
                "(b => b.scrollWidth > b.clientWidth + 1)(document.querySelector('[data-cb=board]'))"
            ):
                found.append(f"{where}: the board scrolls sideways")
            found += [f"{where}: {line}" for line in self.axe(within, looks=where != every_rule)]
        return found

    def axe(self, within: str = "[data-cb=board]", *, looks: bool = False) -> list[str]:
        """What axe-core finds wrong with the panel, or a part of it: one line a place; by all rules, or those of `looks`."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.add_script_tag(path=AXE)
        options: Mapping[str, Any] = {
            "runOnly": {"type": "rule", "values": OF_LOOKS} if looks else {"type": "tag", "values": TAGS},
            "rules": {} if looks else {rule: {"enabled": False} for rule in PAGE_RULES},
            "resultTypes": ["violations"],
        }
        found = self.page.evaluate(
            """([options, within]) => {
                if (options.runOnly.type === "tag")
                    for (const { ruleId } of axe.getRules(["experimental"])) options.rules[ruleId] = { enabled: false };
                return axe.run(within, options).then(({ violations }) => violations);
            }""",
            [options, within],
        )
        return [
            f"{rule['id']}: {json.dumps(node['target'])} {node['failureSummary'].splitlines()[-1].strip()}"
            for rule in found
            for node in rule["nodes"]
        ]


def serve(context: BrowserContext, folder: Path) -> list[str]:
    """Have the browser find the page at `ADDRESS`; returns the list that all requests are noted in."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        name = route.request.url.partition("?")[0].removeprefix(ADDRESS).removeprefix("built/") or "index.html"
        path = (DEV if name == "index.html" else folder) / name
        if route.request.url.startswith(ADDRESS) and name in {"index.html", "page.js", "widget.css"}:
            route.fulfill(body=path.read_text("utf-8"), content_type=TYPES[path.suffix])
        else:
            route.fulfill(status=404, body="")

    context.route("**/*", answer)
    return asked
