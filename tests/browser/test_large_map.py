"""Maps too large for an element a cell: what is painted is what the cells say, wherever one scrolls."""

from __future__ import annotations

import pytest

# The middle of each visible cell on the canvas, against the element that comes when it is pointed at.
PIXEL = """([x, y]) => {
    const sheet = document.querySelector(".cb-sheet");
    const box = sheet.getBoundingClientRect();
    const ratio = sheet.width / box.width;
    const context = sheet.getContext("2d");
    const [r, g, b] = context.getImageData((x - box.left) * ratio, (y - box.top) * ratio, 1, 1).data;
    return [r, g, b];
}"""
COLOUR = "(cell) => getComputedStyle(cell).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"


def _pointed(fake_page, column: float, row: float):
    """The element of the cell so many pitches from the corner of what is seen, and the point."""
    page = fake_page.page
    box = page.locator(".cb-sheet").bounding_box()
    pitch, height = page.locator(".cb-plot").evaluate(
        "(e) => ['--cb-pitch', '--cb-row'].map((name) => parseFloat(e.style.getPropertyValue(name)))"
    )
    # Away from the middle, where a number or a dot may stand.
    x, y = box["x"] + (column + 0.5) * pitch + pitch / 4, box["y"] + (row + 0.5) * height + height / 4
    page.mouse.move(x, y)
    cell = page.locator(".cb-map .cb-cell:hover")
    cell.wait_for()
    return cell, (x, y)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_painted_is_what_the_cells_say(fake_page, theme):
    fake_page.show("empty", theme=theme, model="wide")
    assert fake_page.page.locator(".cb-map .cb-cell").count() == 1
    for column, row in [(3, 2), (20, 17), (11, 30), (0, 8)]:
        cell, point = _pointed(fake_page, column, row)
        assert cell.get_attribute("data-layer") == str(row)
        assert cell.get_attribute("data-head") == str(column)
        painted = fake_page.page.evaluate(PIXEL, point)
        assert painted == pytest.approx(cell.evaluate(COLOUR), abs=2)


def test_a_wide_map_scrolls_under_its_layers(fake_page):
    fake_page.show("empty", model="deep", map="resid_pre")
    page = fake_page.page
    labels = page.locator(".cb-layers").bounding_box()
    page.locator(".cb-scroll").evaluate("(e) => { e.scrollLeft = 100 * 18; }")
    fake_page.settle()
    assert page.locator(".cb-layers").bounding_box() == labels
    cell, point = _pointed(fake_page, 4, 9)
    assert (cell.get_attribute("data-pos"), cell.get_attribute("data-layer")) == ("104", "9")
    assert page.evaluate(PIXEL, point) == pytest.approx(cell.evaluate(COLOUR), abs=2)
    assert page.locator(".cb-axis-row .cb-axis").count() < 60
    assert page.locator(".cb-map .cb-cell").count() == 2


def test_keys_reach_what_is_out_of_sight(fake_page):
    fake_page.show("empty", model="deep", map="resid_pre")
    page = fake_page.page
    page.locator(".cb-map .cb-cell").focus()
    page.keyboard.press("End")
    page.wait_for_function("() => document.activeElement.dataset.pos === '1999'")
    assert page.evaluate("() => document.activeElement.getBoundingClientRect().width") > 0
    inside = page.evaluate(
        """() => {
            const cell = document.activeElement.getBoundingClientRect();
            const seen = document.querySelector('.cb-scroll').getBoundingClientRect();
            return cell.left >= seen.left - 1 && cell.right <= seen.right + 1;
        }"""
    )
    assert inside
    page.locator(".cb-tip").wait_for()
    assert "@ 1999" in page.locator(".cb-tip").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_large_maps_menus_and_comparisons_are_accessible(fake_page, theme):
    fake_page.show("edited", theme=theme, model="wide")
    _pointed(fake_page, 5, 5)
    assert fake_page.axe() == []
    fake_page.page.click("[data-cb=view-menu]")
    assert fake_page.axe() == []
    fake_page.show("edited", theme=theme, model="dataset")
    fake_page.page.click("[data-cb=view-menu]")
    fake_page.page.locator("[data-cb=view-hide]").fill("3")
    fake_page.page.select_option("[data-cb=view-compare]", "unedited")
    fake_page.page.keyboard.press("Escape")
    fake_page.page.hover("[data-cb=head][data-layer='9'][data-head='6']")
    fake_page.page.locator(".cb-tip").wait_for()
    assert fake_page.axe() == []


@pytest.mark.parametrize("width", [480, 1168])
def test_the_menu_and_the_card_stay_inside_the_panel(fake_page, width):
    fake_page.show("edited", model="dataset", width=width)
    page = fake_page.page
    page.click("[data-cb=view-menu]")
    boxes = [page.locator(".cb-view-menu").bounding_box()]
    page.keyboard.press("Escape")
    for head in (0, 5, 6, 11):
        page.hover(f"[data-cb=head][data-layer='9'][data-head='{head}']")
        page.locator(".cb-tip", has_text=f"9.{head}").wait_for()
        fake_page.settle()
        boxes.append(page.locator(".cb-tip").bounding_box())
    region = page.locator(".cb-map").bounding_box()
    for box in boxes:
        assert box["x"] >= region["x"]
        assert box["x"] + box["width"] <= region["x"] + region["width"] + 1
