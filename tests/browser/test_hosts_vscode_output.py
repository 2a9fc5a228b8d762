"""The panel in a cell's output in VS Code: the checks of `test_panel_bundle.py` in its dark theme, colours in both.

There JupyterLab's variables exist too and stay light in a dark window, and a white slab is put behind widgets.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.browser import test_panel_bundle as plain
from tests.browser.panel_page import STATIC, head
from tests.browser.vscode_host import THEMES

PICTURES = Path(__file__).parent / "pictures"

JUPYTER = {"--jp-layout-color1": "#ffffff", "--jp-content-font-color1": "#212121", "--jp-brand-color1": "#1976d2"}
"""As VS Code sets them, in a dark window too."""

DRESS = """
document.addEventListener("DOMContentLoaded", () => {
  const [name, variables] = GIVEN;
  for (const [key, value] of Object.entries(variables)) document.documentElement.style.setProperty(key, value);
  document.body.className = `vscode-${name}`;
  for (const place of document.querySelectorAll("main")) place.className = "cell-output-ipywidget-background";
  const slab = new CSSStyleSheet();
  slab.replaceSync(".cell-output-ipywidget-background { background: white !important; }"
    + " body { background: var(--vscode-editor-background); }");
  document.adoptedStyleSheets = [slab];
});
"""


@pytest.fixture
def theme():
    return "dark"


@pytest.fixture
def page(page, theme):
    page.add_init_script(DRESS.replace("GIVEN", json.dumps([theme, THEMES[theme] | JUPYTER])))
    page.set_viewport_size({"width": 1168, "height": 1000})
    return page


# The same checks, collected once more here with this module's page; that of the theme says the theme itself.
for _name, _check in vars(plain).items():
    if _name.startswith("test_") and _name != "test_the_theme_is_the_hosts":
        globals()[_name] = _check


def colour(locator, name="background-color"):
    found = locator.evaluate("(element, name) => getComputedStyle(element).getPropertyValue(name)", name)
    return tuple(map(float, re.findall(r"[\d.]+", found)))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_colours_are_those_of_the_editor_and_the_slab_is_lifted(panel, theme):
    page = panel.page
    panel.click(head(1, 2))
    page.mouse.move(2, 2)
    drawn = page.locator("#one [data-cb=board]")
    assert f"cb-{theme}" in (drawn.get_attribute("class") or "")
    wanted = THEMES[theme]["--vscode-editor-background"].lstrip("#")
    wanted = tuple(int(wanted[at : at + 2], 16) for at in (0, 2, 4))
    assert colour(page.locator(".cb-board").first)[:3] == wanted
    assert colour(page.locator("#one"))[3:] == (0.0,), "the white slab shows through"
    assert colour(page.locator("#two")) == (255, 255, 255), "a slab behind somebody else's widget stays"
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"vscode-output-{theme}.png", full_page=True)
    page.set_viewport_size({"width": 480, "height": 1400})
    page.wait_for_function("() => document.querySelector('#one [data-cb=board]').clientWidth < 480")
    page.screenshot(path=PICTURES / f"vscode-output-{theme}-480.png", full_page=True)


@pytest.mark.parametrize(
    "forbidden",
    ["acquireVsCodeApi", r"window\.open\b", r"\balert\(", r"\bconfirm\(", r"\bprompt\(", r"\bopener\b", r"\.print\(\)"],
)
def test_the_bundle_asks_for_nothing_that_the_frame_forbids(forbidden):
    if not (STATIC / "widget.js").exists():
        pytest.skip("the bundle is not built: npm run build:widget")
    assert re.search(forbidden, (STATIC / "widget.js").read_text("utf-8")) is None


def test_every_rule_of_the_style_sheet_is_the_panels_own():
    """All outputs of a VS Code notebook share one window: a rule without our prefix would be everybody's."""
    if not (STATIC / "widget.css").exists():
        pytest.skip("the bundle is not built: npm run build:widget")
    style = re.sub(r"/\*.*?\*/", "", (STATIC / "widget.css").read_text("utf-8"), flags=re.DOTALL)
    style = re.sub(r"@(-webkit-)?keyframes\s+cb-[\w-]+\s*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", style)
    selectors = [found.strip() for found in re.findall(r"([^{}]+)\{", style)]
    loose = [text for text in selectors if not text.startswith("@") and not re.search(r"\.cb-|data-cb", text)]
    assert loose == []
