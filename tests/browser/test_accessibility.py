"""Every state and every panel, in both themes, wide and narrow: axe-core finds nothing, and what it cannot find holds.

Rules: WCAG 2.0 to 2.2, A and AA, and axe's best practices, without those that are about a whole page. Not covered: real
screen readers, other browsers than Chromium.
"""

from __future__ import annotations

import pytest

STATES = (
    "empty", "loading", "edited", "computing", "strengths", "running", "stale", "cancelled", "error", "detail",
    "frozen", "disconnected", "off_scale", "positions", "nan",
)  # fmt: skip
MAPS = ("head", "head_pos", "resid_pre", "attn_out", "mlp_out", "neuron")
MODELS = ("demo", "smollm2", "long", "dataset", "single")

VIEWS = [{"state": state} for state in STATES]
VIEWS += [{"state": "edited", "map": over} for over in MAPS[1:]]
VIEWS += [{"state": "edited", "model": model} for model in MODELS]
VIEWS += [{"state": "edited", "model": "long", "map": "resid_pre"}]
VIEWS += [{"state": state, "colours": "purple-green"} for state in ("edited", "detail")]


def _name(view: dict[str, str]) -> str:
    return "-".join(view.values())


# What opens over the board or within it: how to open it, and what is there then.
OPENED = {
    "export menu": ("[data-cb=export-button]", "[data-cb=export-menu]"),
    "view menu": ("[data-cb=view-menu]", ".cb-view-menu"),
    "help": ("[data-cb=help-button]", "[data-cb=help]"),
    "comparison": ("[data-cb=compare-clean]", "[data-cb=compare-states]"),
    "prompts": ("[data-cb=prompts-all]", "[data-cb=prompt-row]"),
    "arranging": ("[data-cb=arrange]", "[data-cb=edit]"),
    "naming": ("[data-cb=note]", "[data-cb=name-field]"),
}


@pytest.mark.parametrize("view", VIEWS, ids=_name)
def test_axe_finds_nothing(fake_page, view):
    fake_page.show(**view)
    if view["state"] == "detail":
        fake_page.page.wait_for_selector("[data-cb=detail][data-status=shown]")
    assert fake_page.faults_everywhere() == []


def test_axe_finds_nothing_on_one_column_by_any_rule(fake_page):
    fake_page.show("edited", model="dataset")
    assert fake_page.faults_everywhere(every_rule="light 480") == []


@pytest.mark.parametrize("name", OPENED)
def test_axe_finds_nothing_in_what_opens(fake_page, name):
    opener, opened = OPENED[name]
    fake_page.show("edited", model="dataset")
    fake_page.page.locator(opener).first.click()
    fake_page.page.locator(opened).first.wait_for()
    fake_page.settle()
    # What a menu covers for a moment is not to be hit through it.
    within = opened if name == "export menu" else "[data-cb=board]"
    assert fake_page.faults_everywhere(within) == []


def test_axe_finds_nothing_in_cards_menus_and_marks_of_the_tour(fake_page):
    fake_page.show("edited")
    page = fake_page.page
    found = []
    page.locator("[data-cb=head]").nth(40).hover()
    page.locator(".cb-tip").wait_for()
    found += fake_page.axe()
    page.locator("[data-cb=head]").nth(40).click(button="right")
    page.locator("[data-cb=cell-menu]").wait_for()
    found += fake_page.axe()
    page.keyboard.press("Escape")
    page.locator(".cb-term").first.hover()
    page.locator("[data-cb=term-tip][data-open=true]").wait_for()
    found += fake_page.faults_everywhere()
    page.locator("[data-cb=help-button]").click()
    page.locator("[data-cb=start-tour]").click()
    page.locator("[data-cb=tour]").wait_for()
    found += fake_page.faults_everywhere()
    assert found == []
