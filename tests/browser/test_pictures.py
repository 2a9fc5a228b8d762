"""Pictures of every panel and state, in both themes, wide and narrow, for people to look at; and a few that are compared.

They are written to `tests/browser/pictures/panels` (not kept in git; the folder is printed). What is compared is the layout: the box of
each region and of each kind of thing in it, as `snapshots/*.json` has it, within `TOLERANCE` pixels, which holds where the
same fonts are installed and is skipped elsewhere. `CIRCUITBOARD_SNAPSHOTS=write` writes them anew.
"""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PICTURES = HERE / "pictures" / "panels"
SNAPSHOTS = HERE / "snapshots"
TOLERANCE = 2

VIEWS = {
    "first": {"state": "empty"},
    "loading": {"state": "loading"},
    "edited": {"state": "edited"},
    "strengths": {"state": "strengths"},
    "filling": {"state": "computing"},
    "detail": {"state": "detail"},
    "cancelled": {"state": "cancelled"},
    "error": {"state": "error"},
    "disconnected": {"state": "disconnected"},
    "data-set": {"state": "edited", "model": "dataset"},
    "long": {"state": "edited", "model": "long", "map": "resid_pre"},
    "neurons": {"state": "edited", "map": "neuron"},
    "by-position": {"state": "edited", "map": "head_pos"},
    "nan": {"state": "nan"},
}
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


@pytest.mark.parametrize("name", VIEWS)
def test_pictures_of_each_panel_are_kept(fake_page, name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    print(f"pictures: {PICTURES}")
    for theme, width in itertools.product(("light", "dark"), (1168, 480)):
        fake_page.show(**VIEWS[name], theme=theme, width=width)
        fake_page.page.mouse.move(1, 1)
        fake_page.page.wait_for_timeout(700 if name == "detail" else 200)
        picture = PICTURES / f"{name}-{theme}-{width}.png"
        board = fake_page.page.locator("[data-cb=board]")
        board.screenshot(path=picture)
        assert picture.stat().st_size > 5000
        # Nothing sticks out: what is wider than the panel scrolls inside it.
        assert board.evaluate("(board) => board.scrollWidth <= board.clientWidth + 1"), (theme, width)


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
