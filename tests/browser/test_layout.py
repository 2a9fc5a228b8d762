"""The board's regions in a real browser: in their places at every width, resizable, and still while numbers arrive."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.browser.fake_page import FakePage

REGIONS = ".cb-head, .cb-prompts, .cb-region, .cb-per-prompt, .cb-foot, [data-cb=metric], .cb-tabs, .cb-grid"
BOXES = f"""() => {{
    const board = document.querySelector("[data-cb=board]").getBoundingClientRect();
    return [...document.querySelectorAll("{REGIONS}")].filter((e) => e.getClientRects().length > 0).map((e) => {{
        const box = e.getBoundingClientRect();
        return [e.className, Math.round(box.x - board.x), Math.round(box.y - board.y), Math.round(box.width),
                Math.round(box.height)];
    }});
}}"""
# Text that runs out of its region, or a region out of the board.
OUTSIDE = """() => {
    const board = document.querySelector(".cb-board");
    const wide = board.scrollWidth > board.clientWidth + 1 ? ["the board scrolls sideways"] : [];
    const regions = [...board.querySelectorAll(".cb-region, .cb-head, .cb-prompts, .cb-per-prompt, .cb-foot")];
    return wide.concat(regions.filter((e) => e.getClientRects().length > 0 && e.scrollWidth > e.clientWidth + 1)
        .map((e) => e.className));
}"""


def _region(fake: FakePage, name: str) -> dict[str, float]:
    box = fake.page.locator(name).bounding_box()
    assert box is not None, name
    return box


def _drag(fake: FakePage, separator: str, dx: float, dy: float) -> None:
    box = _region(fake, f"[data-cb={separator}]")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fake.page.mouse.move(x, y)
    fake.page.mouse.down()
    fake.page.mouse.move(x + dx / 2, y + dy / 2)
    fake.page.mouse.move(x + dx, y + dy)
    fake.page.mouse.up()


def test_three_columns_two_and_one(fake_page):
    fake_page.show(width=1168)
    shown, detail, side = (_region(fake_page, f".cb-{name}") for name in ("region-map", "region-detail", "side"))
    assert shown["y"] == detail["y"] == side["y"]
    assert shown["x"] < detail["x"] < side["x"]
    assert shown["height"] == detail["height"] == side["height"]

    for width, separators in ((1080, 3), (1079, 2), (820, 2), (819, 0)):
        fake_page.show(width=width)
        assert fake_page.page.locator("[role=separator]").count() == separators, width

    fake_page.show(width=900)
    shown, detail, side = (_region(fake_page, f".cb-{name}") for name in ("region-map", "region-detail", "side"))
    assert shown["y"] == detail["y"]
    assert side["y"] >= shown["y"] + shown["height"]
    sections = fake_page.page.locator(".cb-side > .cb-sec")
    assert len({round(sections.nth(i).bounding_box()["y"]) for i in range(sections.count())}) == 1

    fake_page.show(width=480)
    shown, detail, side = (_region(fake_page, f".cb-{name}") for name in ("region-map", "region-detail", "side"))
    assert shown["x"] == detail["x"] == side["x"]
    assert shown["y"] < detail["y"] < side["y"]
    assert fake_page.page.locator("[role=separator]").count() == 0


@pytest.mark.parametrize("model", ["gpt2", "dataset", "long"])
@pytest.mark.parametrize("width", [480, 640, 820, 900, 1080, 1168, 1600])
def test_nothing_runs_out_of_its_region(fake_page, width, model):
    for state in ("empty", "detail", "error"):
        fake_page.show(state, width=width, model=model)
        assert fake_page.page.evaluate(OUTSIDE) == [], state


@pytest.mark.parametrize("width", [480, 900, 1168])
def test_nothing_moves_when_a_map_fills_in_or_a_detail_comes(fake_page, width):
    fake_page.show("empty", width=width, model="dataset")
    page = fake_page.page
    before = page.evaluate(BOXES)
    page.locator('[data-cb="head"][data-layer="9"][data-head="9"]').click(modifiers=["Shift"])
    page.locator('[data-cb="detail"][data-status="shown"]').wait_for()
    assert page.evaluate(BOXES) == before
    page.locator('[data-cb="head"][data-layer="9"][data-head="6"]').click()
    page.locator('[data-cb="detail"][data-site="9.6"][data-status="shown"]').wait_for()
    fake_page.settle()
    after = page.evaluate(BOXES)
    # On one column what is edited is listed above what follows, which is the one thing that may grow.
    still = [box for box in before if width > 480 or "cb-side" not in box[0]]
    grown = {box[0] for box in before} - {box[0] for box in still} | {"cb-per-prompt", "cb-foot"}
    for box in still:
        if width > 480 or box[0] not in grown:
            assert box in after


def test_regions_are_resized_by_hand_and_stay_so(fake_page):
    fake_page.show(width=1168)
    before = _region(fake_page, ".cb-region-map")
    _drag(fake_page, "separator-map", 40, 0)
    _drag(fake_page, "separator-height", 0, 60)
    _drag(fake_page, "separator-side", -30, 0)
    moved = _region(fake_page, ".cb-region-map")
    assert moved["height"] == pytest.approx(before["height"] + 60, abs=1.5)
    assert _region(fake_page, ".cb-side")["width"] == pytest.approx(252 + 30, abs=1.5)
    _drag(fake_page, "separator-map", 2000, 0)
    assert _region(fake_page, ".cb-region-detail")["width"] >= 339
    assert fake_page.page.evaluate(OUTSIDE) == []

    fake_page.show(width=1168)
    assert _region(fake_page, ".cb-side")["width"] == pytest.approx(252 + 30, abs=1.5)
    for name in ("separator-map", "separator-side", "separator-height"):
        fake_page.page.locator(f"[data-cb={name}]").dblclick()
    assert _region(fake_page, ".cb-region-map") == pytest.approx(before, abs=1)
    assert fake_page.page.evaluate("localStorage.getItem('circuitboard.regions')") is None


def test_the_metric_stays_in_view_on_one_column(fake_page):
    fake_page.show(width=480)
    page = fake_page.page
    page.set_viewport_size({"width": 520, "height": 700})
    page.evaluate("scrollTo(0, 900)")
    box = _region(fake_page, "[data-cb=metric]")
    assert 0 <= box["y"] < 60


def test_two_thousand_tokens_take_no_more_room_than_three_rows(fake_page):
    fake_page.show("empty", width=1168, model="deep")
    strip = fake_page.page.locator(".cb-toks")
    assert strip.locator("[data-cb=token]").count() == 2000
    assert strip.bounding_box()["height"] <= 190
    differing = strip.locator(".cb-diff").first.bounding_box()
    assert strip.bounding_box()["y"] <= differing["y"] < strip.bounding_box()["y"] + 190


def test_the_first_click_is_offered_with_its_reason(fake_page):
    fake_page.show("empty", width=1168)
    page = fake_page.page
    first = page.locator('[data-cb="first-click"]')
    assert first.all_inner_texts() == ["9.9", "10.7", "S2"]
    reasons = page.locator(".cb-first > span").all_inner_texts()
    assert "falls most: \u22121.83 logits" in reasons[0]
    assert "rises: +1.31 logits" in reasons[1]
    first.nth(2).click()
    page.locator('[data-cb="token"][data-pos="10"][aria-pressed="true"]').wait_for()
    first.nth(0).click()
    page.locator('[data-cb="head"][data-layer="9"][data-head="9"][aria-pressed="true"]').wait_for()
    page.locator('[data-cb="detail"][data-site="9.9"]').wait_for()


def test_what_was_done_can_be_copied_when_the_kernel_is_gone(fake_page):
    fake_page.show("gone", width=1168)
    page = fake_page.page
    copy = page.locator('[data-cb="copy-kept"]')
    copy.wait_for(timeout=5000)
    assert page.locator('[data-cb="board"]').get_attribute("data-state") == "disconnected"
    copy.click()
    # A page without a secure origin has no clipboard: the code is shown, to be copied by hand.
    assert "cb.Board(" in page.locator('[data-cb="code"] textarea').input_value()


@pytest.mark.parametrize("width", [400, 480, 819, 820, 1168])
def test_notices_stand_in_the_margins_of_the_board(fake_page, width):
    fake_page.show("empty", width=width, model="noted")
    page = fake_page.page
    page.locator("[data-cb=notes]").click()
    page.evaluate("""() => {
        kernel.modelChanged = "weights were written to: 44 of 51 tensors (" + "blocks.0.attn.W_Q, ".repeat(9) + "\u2026)";
        kernel.options.unkept = "No space left on device: /" + "a_long_folder/".repeat(20) + "board.json";
        kernel.announce();
    }""")
    within = _region(fake_page, ".cb-prompts .cb-strip")
    for name in ("notes-list", "banner", "unkept"):
        notice = page.locator(f"[data-cb={name}]")
        notice.wait_for()
        box = _region(fake_page, f"[data-cb={name}]")
        assert box["x"] == pytest.approx(within["x"], abs=1), name
        assert notice.evaluate("e => e.scrollWidth <= e.clientWidth"), name
    # Each has the same room at the right as at the left, and none touches the next.
    board = _region(fake_page, ".cb-board")
    tops = [_region(fake_page, f"[data-cb={name}]") for name in ("notes-list", "banner", "unkept")]
    for box in tops:
        left, right = box["x"] - board["x"], board["x"] + board["width"] - box["x"] - box["width"]
        assert left == pytest.approx(right, abs=1)
    for above, below in pairwise([*tops, _region(fake_page, ".cb-prompts .cb-runs")]):
        assert below["y"] - above["y"] - above["height"] >= 6
    assert page.evaluate(OUTSIDE) == []
