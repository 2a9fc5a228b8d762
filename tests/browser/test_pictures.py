"""A few of the pictures of panels (`make pictures`) are compared: by their layout.

That is the box of each region and of each kind of thing in it, as `snapshots/*.json` has it, within `TOLERANCE` pixels,
which holds where the same fonts are installed and is skipped elsewhere. `CIRCUITBOARD_SNAPSHOTS=write` writes them anew.
"""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest

from tests.browser.pictures import VIEWS

HERE = Path(__file__).parent
SNAPSHOTS = HERE / "snapshots"
TOLERANCE = 2

COMPARED = ("first", "edited", "error", "data-set", "neurons")

# The widths of these words in the panel's own font tell one set of fonts from another.
FONTS = """() => {
    const board = document.querySelector("[data-cb=board]");
    const probe = board.appendChild(document.createElement("span"));
    probe.style.position = "absolute";
    probe.style.whiteSpace = "nowrap";
    const widths = ["logit difference 0123456789", "Effect of zeroing each head", "\\u2212\\u2016\\u0394\\u00d7"].map((text) => {
        probe.textContent = text;
        return Math.round(probe.getBoundingClientRect().width * 10) / 10;
    });
    probe.remove();
    return widths;
}"""
BOXES = """() => {
    const board = document.querySelector("[data-cb=board]").getBoundingClientRect();
    const found = {};
    const parts = "header, section, aside, footer, [role=grid], .cb-metric, .cb-toks, .cb-legend, .cb-tabs, [data-cb=banner]";
    for (const element of document.querySelectorAll(`[data-cb=board] :is(${parts})`)) {
        const { left, top, width, height } = element.getBoundingClientRect();
        const name = element.getAttribute("aria-label") ?? element.dataset.cb ?? element.className;
        found[`${element.localName} ${name}`] = [left - board.left, top - board.top, width, height].map(Math.round);
    }
    return found;
}"""


@pytest.mark.parametrize(("name", "width"), list(itertools.product(COMPARED, (1168, 480))))
def test_the_layout_is_as_it_was(fake_page, name, width):
    fake_page.show(**VIEWS[name], width=width)
    fonts, boxes = fake_page.page.evaluate(FONTS), fake_page.page.evaluate(BOXES)
    path = SNAPSHOTS / f"{name}-{width}.json"
    if os.environ.get("CIRCUITBOARD_SNAPSHOTS") == "write":
        SNAPSHOTS.mkdir(exist_ok=True)
        path.write_text(json.dumps({"fonts": fonts, "boxes": boxes}, indent=1, ensure_ascii=False) + "\n", "utf-8")
        return
    if not path.exists():
        pytest.skip(f"there is no snapshot {path.name}: CIRCUITBOARD_SNAPSHOTS=write makes it")
    kept = json.loads(path.read_text("utf-8"))
    if kept["fonts"] != fonts:
        pytest.skip(f"the snapshot was taken with other fonts: {kept['fonts']} there, {fonts} here")
    assert boxes.keys() == kept["boxes"].keys()
    moved = {
        part: (kept["boxes"][part], box)
        for part, box in boxes.items()
        if any(abs(a - b) > TOLERANCE for a, b in zip(kept["boxes"][part], box, strict=True))
    }
    assert moved == {}
