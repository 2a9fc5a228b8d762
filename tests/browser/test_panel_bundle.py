"""The built bundle as VS Code loads it, without a network: every click is a run of the model."""

from __future__ import annotations

import pytest

import circuitboard as cb
from tests.browser.panel_page import ADDRESS, head


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
