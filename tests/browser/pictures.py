"""Pictures of every panel and state, in both themes, wide and narrow, for people to look at: `make pictures`.

They are written to `tests/browser/pictures/panels`, which is not kept in git.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.fake_page import COUNTING, NO_OFFER, FakePage, bundled, serve
from tests.browser.lab import CHROMIUM_ARGUMENTS

FOLDER = Path(__file__).parent / "pictures" / "panels"

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


def main() -> None:
    """Draw and write them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS)
        context = browser.new_context()
        context.add_init_script(NO_OFFER)
        context.add_init_script(COUNTING)
        fake = FakePage(context.new_page(), serve(context, bundled(Path(folder))))
        for (name, view), theme, width in itertools.product(VIEWS.items(), ("light", "dark"), (1168, 480)):
            fake.show(**view, theme=theme, width=width)
            fake.page.mouse.move(1, 1)
            fake.settle()
            fake.page.locator("[data-cb=board]").screenshot(path=FOLDER / f"{name}-{theme}-{width}.png")
        browser.close()
    print(f"pictures: {FOLDER}")


if __name__ == "__main__":
    main()
