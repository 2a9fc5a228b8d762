"""An exported map says what the panel says, to the letter: one session, one map, drawn in the page and as a file."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

import circuitboard as cb
from tests.browser.panel_page import head

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def board():
    model = cb.load("demo")
    board = cb.Board(model, cb.tasks.ioi(2, seed=1, model=model))
    yield board
    board.close()


def tell(panel, kind, **fields):
    """Send a request of our own beside those of the page, and hand over its answer."""
    panel.session.receive({"kind": kind, "id": f"mine-{kind}", **fields})
    others = []
    while True:
        content, buffers = panel.sent.get(timeout=60)
        others.append((content, buffers))
        if content.get("id") == f"mine-{kind}":
            break
    for other in others:
        panel.sent.put(other)
    panel.settle()
    return content


def read(panel, selector):
    return [text.strip() for text in panel.page.locator(f".cb-map {selector}").all_text_contents() if text.strip()]


def drawn(panel, look=None):
    """The lines of the drawing that the session writes, in their order."""
    given = {} if look is None else {"look": look}
    root = ET.fromstring(tell(panel, "export", what="svg", **given)["text"])  # noqa: S314  our own
    return [element.text for element in root.iter(f"{SVG}text") if element.text]


def both(panel, look=None):
    """Sentences and labels of the panel and of the drawing."""
    sentences = [*read(panel, ".cb-caption"), *read(panel, "[data-cb=map-look]")]
    sentences += [
        *read(panel, ".cb-axis-name-side"),
        *read(panel, ".cb-axis-name-top"),
        *read(panel, ".cb-legend + .cb-note"),
    ]
    labels = [*read(panel, ".cb-layers .cb-axis"), *read(panel, ".cb-axis-row .cb-axis"), *read(panel, ".cb-cell")]
    labels += [*read(panel, ".cb-ramp-text"), *read(panel, ".cb-key")]
    # A narrow cell leaves out the zero of its number.
    lines = [line.replace("\u2212.", "\u22120.").replace("+.", "+0.") for line in drawn(panel, look)]
    for label in labels:
        assert label in lines, (label, lines)
        lines.remove(label)
    told = " ".join(" ".join(lines).split())
    expected = " ".join(" ".join(sentences).split())
    assert told[: len(expected)] == expected, told


def test_heads_patched_at_a_position_on_an_edit(panel, board):
    tell(panel, "set_view", mode="patch", positions=[board.prompts.labels["S2"][0]])
    both(panel)
    assert "Effect of patching each head from corrupted at S2, on the clean run" in read(panel, ".cb-caption")
    panel.click(head(1, 2))
    assert "on top of 1 edit" in read(panel, ".cb-caption")[0]
    assert "edited" in read(panel, ".cb-key")
    both(panel)


@pytest.mark.parametrize("over", ["resid_pre", "attn_out", "head_pos"])
def test_positions_are_named_by_the_prompts_own_tokens(panel, over):
    panel.click(f"[role=tab][data-value={over}]")
    assert "S2" in read(panel, ".cb-axis-row .cb-axis")
    both(panel)


def test_a_map_that_is_looked_at_as_a_share_with_small_effects_hidden(panel, board):
    panel.page.click("[data-cb=view-menu]")
    panel.page.select_option("[data-cb=view-unit]", "share")
    panel.page.select_option("[data-cb=view-show]", "exact")
    panel.settle()
    both(panel, {"unit": "share", "show": "exact"})
