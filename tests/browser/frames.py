"""Frame times of large maps in Chromium, on the page with the fake kernel: `python -m tests.browser.frames`.

Figures to report, and no test: they depend on the machine and on what else runs on it. Drawing is by software
(`--disable-gpu`), which is slower than on a desktop.
"""

from __future__ import annotations

import itertools
import math
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.browser.fake_page import ADDRESS, NO_OFFER, bundled, serve
from tests.browser.lab import CHROMIUM_ARGUMENTS

if TYPE_CHECKING:
    from playwright.sync_api import Page

SECONDS = 5
PAGES = {
    "hover over 48 × 64 heads": ("model=wide&state=empty", ".cb-grid", "hover"),
    "hover over 12 × 12 heads": ("model=gpt2&state=empty", ".cb-grid", "hover"),
    "48 × 64 heads fill in": ("model=wide&state=filling", ".cb-grid", "wait"),
    "32 × 2000 residual fills in": ("model=deep&map=resid_pre&state=filling", ".cb-grid", "wait"),
    "hover over 32 × 2000 residual that fills in": ("model=deep&map=resid_pre&state=filling", ".cb-grid", "hover"),
    "scroll over 32 × 2000 residual": ("model=deep&map=resid_pre&state=empty", ".cb-scroll", "scroll"),
}
RECORD = """() => {
    window.frames_ = [];
    const tick = (now) => { window.frames_.push(now); window.recording_ = requestAnimationFrame(tick); };
    window.recording_ = requestAnimationFrame(tick);
}"""
STOP = "() => { cancelAnimationFrame(window.recording_); return window.frames_; }"


def measured(page: Page, address: str, region: str, what: str) -> list[float]:
    """Milliseconds between frames while something goes on over a region."""
    page.goto(address)
    target = page.locator(region).first
    target.wait_for()
    page.wait_for_timeout(1500)
    box = target.bounding_box()
    assert box is not None
    width, height = min(box["width"], 380), min(box["height"], 600)
    page.evaluate(RECORD)
    start = page.evaluate("performance.now()")
    step = 0
    while page.evaluate("performance.now()") - start < 1000 * SECONDS:
        step += 1
        if what == "wait":
            page.wait_for_timeout(200)
        elif what == "scroll":
            target.evaluate("(e, x) => { e.scrollLeft = x; }", (step * 90) % 30_000)
        else:
            angle = step / 7
            x = box["x"] + width * (0.5 + 0.45 * math.sin(angle))
            y = box["y"] + height * (0.5 + 0.45 * math.cos(1.7 * angle))
            page.mouse.move(x, y, steps=4)
    times = page.evaluate(STOP)
    return [b - a for a, b in itertools.pairwise(times)]


def main() -> None:
    print(f"{'':46}  frames/s  median ms  95 % ms  longest ms")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        bundle = bundled(Path(folder))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS)
        for name, (query, region, what) in PAGES.items():
            context = browser.new_context(viewport={"width": 1240, "height": 1400})
            context.add_init_script(NO_OFFER)
            serve(context, bundle)
            gaps = sorted(measured(context.new_page(), f"{ADDRESS}?w=1168&{query}", region, what))
            context.close()
            rate = 1000 * len(gaps) / sum(gaps)
            middle, high = gaps[len(gaps) // 2], gaps[int(0.95 * len(gaps))]
            print(f"{name:46}  {rate:8.0f}  {middle:9.1f}  {high:7.1f}  {gaps[-1]:10.1f}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
