"""Help in a real browser: definitions, keyboard map, search, the tour; reduced motion and forced colours."""

from __future__ import annotations

import itertools
import re

import pytest

from tests.browser.fake_page import ADDRESS, serve

WIDTHS = (1168, 480)

# Each thing that is drawn with a colour of its own and text: its ratio must hold in both themes.
PAIRS = (
    ("--cb-ink", "--cb-bg", 7), ("--cb-ink-2", "--cb-bg", 4.5), ("--cb-ink-2", "--cb-bg-2", 4.5),
    ("--cb-ink-2", "--cb-bg-3", 4.5), ("--cb-pos-ink", "--cb-bg", 4.5), ("--cb-pos-ink", "--cb-bg-3", 4.5),
    ("--cb-neg-ink", "--cb-bg", 4.5), ("--cb-neg-ink", "--cb-bg-3", 4.5), ("--cb-warn-ink", "--cb-bg", 4.5),
    ("--cb-warn-ink", "--cb-bg-3", 4.5), ("--cb-ctl", "--cb-bg", 3), ("--cb-ctl", "--cb-bg-3", 3),
    ("--cb-focus", "--cb-bg", 3), ("--cb-focus", "--cb-bg-2", 3), ("--cb-pos-bar", "--cb-bg", 3),
    ("--cb-neg-bar", "--cb-bg", 3),
)  # fmt: skip
# What the tokens come to in this host, as the browser mixes them: [r, g, b] of each, 0 to 255.
COLOURS = """(names) => {
    const board = document.querySelector("[data-cb=board]");
    const probe = board.appendChild(document.createElement("span"));
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const found = Object.fromEntries(names.map((name) => {
        probe.style.color = `var(${name})`;
        context.fillStyle = getComputedStyle(probe).color;
        context.fillRect(0, 0, 1, 1);
        return [name, [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)]];
    }));
    probe.remove();
    return found;
}"""
HOSTS = {
    "none": {},
    "jupyterlab-light": {
        "--jp-layout-color1": "white",
        "--jp-content-font-color1": "rgba(0,0,0,0.87)",
        "--jp-brand-color1": "#1976d2",
    },
    "vscode-light": {
        "--vscode-editor-background": "#ffffff",
        "--vscode-editor-foreground": "#3b3b3b",
        "--vscode-focusBorder": "#005fb8",
    },
    "jupyterlab-dark": {
        "--jp-layout-color1": "#212121",
        "--jp-content-font-color1": "rgba(255,255,255,1)",
        "--jp-brand-color1": "#2196f3",
    },
    "vscode-dark": {
        "--vscode-editor-background": "#1f1f1f",
        "--vscode-editor-foreground": "#cccccc",
        "--vscode-focusBorder": "#0078d4",
    },
}


def _luminance(colour: list[int]) -> float:
    parts = [x / 255 for x in colour]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: list[int], b: list[int]) -> float:
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _box(locator):
    box = locator.bounding_box()
    assert box is not None
    return box


@pytest.mark.parametrize("width", WIDTHS)
def test_a_definition_opens_on_hover_beside_its_word_and_escape_puts_it_away(fake_page, width):
    fake_page.show("edited", width=width, model="dataset")
    page = fake_page.page
    tip = page.locator("[data-cb=term-tip][data-open=true]")
    board = _box(page.locator("[data-cb=board]"))
    words = page.locator(".cb-term:visible")
    assert words.count() > 8
    for word in words.all():
        word.scroll_into_view_if_needed()
        word.hover()
        tip.wait_for()
        said, box = _box(tip), _box(word)
        assert said["y"] >= box["y"] + box["height"] or said["y"] + said["height"] <= box["y"], "covers its word"
        assert said["x"] >= board["x"]
        assert said["x"] + said["width"] <= board["x"] + board["width"]
        assert word.get_attribute("aria-describedby") == tip.get_attribute("id")
        page.keyboard.press("Escape")
        page.wait_for_selector("[data-cb=term-tip][data-open=true]", state="hidden")
        page.mouse.move(2, 2)
    # The pointer may go onto the definition without losing it.
    words.first.hover()
    tip.wait_for()
    tip.hover()
    fake_page.settle()
    assert tip.is_visible()


def test_a_definition_opens_on_focus_and_on_a_tap(fake_page):
    fake_page.show("edited", width=480)
    page = fake_page.page
    tip = page.locator("[data-cb=term-tip][data-open=true]")
    page.keyboard.press("Tab")
    for _ in range(40):
        if page.evaluate("() => document.activeElement.classList.contains('cb-term')"):
            break
        page.keyboard.press("Tab")
    tip.wait_for()
    page.keyboard.press("Escape")
    tip.wait_for(state="hidden")
    page.keyboard.press("Enter")
    tip.wait_for()
    page.keyboard.press("Tab")
    tip.wait_for(state="hidden")


def test_the_keyboard_map_keeps_the_focus_inside(fake_page):
    fake_page.show("edited")
    page = fake_page.page
    page.locator("[data-cb=head]").first.focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard map")
    dialog.wait_for()
    for key in ("Tab",) * 8 + ("Shift+Tab",) * 8:
        page.keyboard.press(key)
        assert page.evaluate("() => document.querySelector('[data-cb=help]').contains(document.activeElement)")
    assert fake_page.axe() == []
    dialog.get_by_role("button", name="Words").click()
    assert page.get_by_role("dialog", name="Words and papers").get_by_text("Wang et al. 2023").count() > 1
    assert fake_page.axe() == []
    page.keyboard.press("Escape")
    assert page.locator("[data-cb=help]").count() == 0
    assert page.evaluate("() => document.activeElement.dataset.cb") == "head"
    page.get_by_role("button", name=re.compile("^Help")).click()
    dialog.wait_for()


@pytest.mark.parametrize(
    ("typed", "map_", "label"),
    [
        ("9.6", "Heads", "head 9.6"),
        ("mlp 3", "MLP out", "mlp_out 3 @ 14"),
        ("resid 5 @ END", "Residual", "resid_pre 5 @ 14"),
        ("9.6 @ S2", "Head \u00d7 position", "head 9.6 @ 10"),
    ],
)
def test_search_goes_to_the_component_with_the_focus_on_it(fake_page, typed, map_, label):
    fake_page.show("edited")
    page = fake_page.page
    page.locator("[data-cb=token]").first.focus()
    page.keyboard.press("/")
    page.keyboard.type(typed)
    assert fake_page.axe() == []
    page.keyboard.press("Enter")
    page.wait_for_function(
        "(label) => document.activeElement.getAttribute('aria-label')?.startsWith(label)", arg=label, timeout=8000
    )
    assert page.get_by_role("tab", name=map_, exact=True).get_attribute("aria-selected") == "true"
    assert page.evaluate("() => document.activeElement.matches(':focus-visible')")
    page.locator(f"[data-cb=detail][data-site='{label.removeprefix('head ').partition(' @')[0]}']").wait_for()


def test_search_says_in_words_what_is_not_there(fake_page):
    fake_page.show("edited")
    page = fake_page.page
    page.locator("[data-cb=token]").first.focus()
    page.keyboard.press("/")
    page.keyboard.type("12.3")
    page.keyboard.press("Enter")
    assert "There is no layer 12" in page.locator("[data-cb=search-says]").inner_text()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_tour_goes_by_keyboard_through_what_a_user_does(chromium, fake_bundle, width):
    context = chromium.new_context(viewport={"width": width + 40, "height": 1000}, reduced_motion="reduce")
    serve(context, fake_bundle)
    page = context.new_page()
    try:
        page.goto(f"{ADDRESS}?state=empty&w={width}")
        page.get_by_role("button", name="Take the tour").press("Enter")
        tour = page.locator("[data-cb=tour]")
        for step in range(1, 6):
            tour.and_(page.locator(f"[data-step='{step}']")).wait_for()
            assert tour.get_attribute("aria-label").startswith(f"Tour, {step} of 5")
            box, board = _box(tour), _box(page.locator("[data-cb=board]"))
            assert box["x"] >= board["x"]
            assert box["x"] + box["width"] <= board["x"] + board["width"]
            page.get_by_role("button", name="Go to it").press("Enter")
            assert page.evaluate("() => document.activeElement.closest('[data-cb=tour]') === null")
            if step == 3:
                page.keyboard.press("Control+z")
                page.wait_for_selector("[data-cb=edit]", state="detached")
                page.keyboard.press("Control+Shift+z")
            if step == 1:
                page.keyboard.press("Enter")
            if step in (1, 3):
                tour.get_by_text("Done.").wait_for()
            tour.get_by_role("button", name=re.compile("Next|Finish")).press("Enter")
        assert tour.count() == 0
        page.reload()
        page.wait_for_selector("[data-cb=head]")
        assert page.locator("[data-cb=tour-offer]").count() == 0
    finally:
        context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_token_has_its_contrast_in_every_host(fake_page, theme):
    weak = []
    for host, variables in HOSTS.items():
        if host != "none" and not host.endswith(theme):
            continue
        fake_page.show("empty", theme=theme)
        fake_page.page.evaluate(
            "(all) => Object.entries(all).forEach(([name, value]) => document.body.style.setProperty(name, value))",
            variables,
        )
        colours = fake_page.page.evaluate(COLOURS, sorted({name for pair in PAIRS for name in pair[:2]}))
        for ink, ground, least in PAIRS:
            ratio = _contrast(colours[ink], colours[ground])
            if ratio < least:
                weak.append(f"{host}: {ink} on {ground} is {ratio:.2f}, at least {least} is needed")
    assert weak == []


def test_nothing_moves_for_those_who_asked_for_stillness(fake_page):
    fake_page.page.emulate_media(reduced_motion="reduce")
    for state in ("running", "computing", "edited", "loading"):
        fake_page.show(state)
        moving = fake_page.page.evaluate(
            "() => document.getAnimations().filter((a) => Number(a.effect.getComputedTiming().duration) > 1)"
            ".map((a) => a.animationName ?? a.transitionProperty)"
        )
        assert moving == [], state


def test_forced_colours_leave_focus_edges_and_values(fake_page):
    fake_page.page.emulate_media(forced_colors="active")
    fake_page.show("edited")
    page = fake_page.page
    cell = page.locator("[data-cb=head][data-layer='9'][data-head='6']")
    page.locator("[data-cb=token]").first.focus()
    page.keyboard.press("/")
    page.keyboard.type("9.6")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.dataset.head === '6'")
    style = cell.evaluate("(cell) => { const s = getComputedStyle(cell); return [s.outlineStyle, s.outlineWidth]; }")
    assert style[0] == "solid"
    assert float(style[1].removesuffix("px")) >= 2
    # Colour is gone: the name, the card and the list of largest effects still say the effect.
    assert re.search(r"effect [+\u2212]\d", cell.get_attribute("aria-label") or "")
    page.locator(".cb-tip").wait_for()


def test_the_metric_is_announced_at_most_once_a_second(fake_page):
    fake_page.show("edited")
    page = fake_page.page
    page.evaluate(
        """() => {
            const metric = document.querySelector("[data-cb=metric]");
            window.spoken = [];
            let last = metric.textContent;
            const look = () => {
                if (metric.ariaBusy === "true" || metric.textContent === last) return;
                last = metric.textContent;
                window.spoken.push(performance.now());
            };
            new MutationObserver(look).observe(metric, { subtree: true, childList: true, characterData: true, attributes: true });
        }"""
    )
    for head in range(12):
        page.locator(f"[data-cb=head][data-layer='2'][data-head='{head}']").click()
        fake_page.settle()
    page.wait_for_function(
        "() => window.spoken.length > 0 && document.querySelector('[data-cb=metric]').ariaBusy !== 'true'"
    )
    # Once more after the first is over, so that there are two to compare.
    page.locator("[data-cb=head][data-layer='3'][data-head='0']").click()
    page.wait_for_function("(before) => window.spoken.length > before", arg=page.evaluate("() => window.spoken.length"))
    spoken = page.evaluate("() => window.spoken")
    assert len(spoken) >= 2
    assert min(b - a for a, b in itertools.pairwise(spoken)) >= 950
    assert page.locator("[data-cb=metric]").get_attribute("aria-live") == "polite"
    assert page.locator("[data-cb=metric]").get_attribute("aria-busy") == "false"
