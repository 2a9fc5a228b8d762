"""Prompts, tokens, labels and names are data: in a real browser they make no element, run nothing and ask for nothing.

Twice: a real board in the bundle as VS Code loads it, under a strict content security policy; and the fake kernel, which
can put hostile text where no tokenizer or model of ours would.
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import pytest
import torch

import circuitboard as cb
from tests.browser.fake_page import ADDRESS as FAKE_ADDRESS
from tests.browser.panel_page import ADDRESS
from tests.tiny_models import D_VOCAB, tiny

CORPUS = Path(__file__).parents[2] / "extension/dev/hostile.json"
HOSTILE = [*json.loads(CORPUS.read_text("utf-8")), "x" * 1_000_000]

# All that is wrong with the board as it is drawn: elements and attributes that text has made, and text that turns.
# `data-` hooks are exempt from the second: they hold tokens as they are, for scripts.
WRONG = """(board) => {
    const wrong = [];
    const turns = /[\\u202a-\\u202e\\u2066-\\u2069\\u0000]/u;
    for (const element of board.querySelectorAll("*")) {
        const name = element.localName;
        if (["script", "img", "iframe", "object", "embed", "link", "meta", "base", "style", "a", "title"].includes(name))
            wrong.push(`<${name}>`);
        for (const { name: attribute, value } of element.attributes) {
            if (attribute.startsWith("on")) wrong.push(`${name} ${attribute}`);
            if (["src", "href", "srcdoc"].includes(attribute) && !value.startsWith("#")) wrong.push(`${name} ${attribute}`);
            if (!attribute.startsWith("data-") && turns.test(value)) wrong.push(`${name} ${attribute} turns`);
            if (!attribute.startsWith("data-") && value.length > 5000) wrong.push(`${name} ${attribute} is long`);
        }
    }
    for (const svg of board.querySelectorAll("svg"))
        if (!svg.hasAttribute("aria-hidden") && svg.getAttribute("role") !== "img") wrong.push("<svg>");
    if (turns.test(board.textContent)) wrong.push("text turns");
    if (board.textContent.length > 60000) wrong.push(`text of ${board.textContent.length}`);
    if (window.hacked !== undefined) wrong.push("a script ran");
    return wrong;
}"""
STATES = ("edited", "strengths", "running", "cancelled", "error", "detail", "disconnected", "positions", "nan")
MAPS = ("head", "head_pos", "resid_pre", "attn_out", "mlp_out", "neuron")


class _Evil(cb.PromptPair):
    """Prompts whose tokens, labels and answers are hostile text."""

    def bind(self, model):
        bound = super().bind(model)
        return dataclasses.replace(
            bound,
            token_str=lambda i: HOSTILE[i % len(HOSTILE)],
            answer_str=[HOSTILE[0]] * bound.n,
            wrong_str=[HOSTILE[1]] * bound.n,
        )


@pytest.fixture
def board():
    clean = torch.randint(1, D_VOCAB, (3, 12), generator=torch.Generator().manual_seed(1))
    corrupted = clean.clone()
    corrupted[:, 3] = (corrupted[:, 3] + 7) % D_VOCAB
    pair = _Evil(clean=clean, corrupted=corrupted, answer=[5, 6, 7], wrong=[8, 9, 10])
    board = cb.Board(tiny("gpt2"), pair, metric={HOSTILE[2]: "logit_diff", HOSTILE[3]: "prob", HOSTILE[4]: "kl"})
    yield board
    board.close()


def _wrong(page):
    return page.evaluate_handle("() => document.querySelector('[data-cb=board]')").evaluate(WRONG)


def _visit(page, settle):
    """Show each panel, card, menu and dialog that the board has, and look at each."""
    assert _wrong(page) == []
    for over in MAPS:
        tab = page.locator(f"[role=tab][data-value={over}]")
        if tab.count() == 0 or tab.is_disabled():
            continue
        tab.click()
        settle()
        cell = page.locator(".cb-map [role=gridcell] button").first
        cell.hover()
        page.wait_for_selector(".cb-tip", timeout=5000)
        assert _wrong(page) == [], over
        cell.click(button="right")
        page.wait_for_selector("[data-cb=cell-menu]")
        assert _wrong(page) == [], over
        page.keyboard.press("Escape")
        cell.click()
        settle()
        end = time.monotonic() + 60
        while not page.locator("[data-cb=detail][data-status=shown]").count():
            # The detail is asked for a moment later, and its messages too have to be carried.
            assert time.monotonic() < end, f"no detail on the map of {over}"
            page.wait_for_timeout(10)
            settle()
        assert _wrong(page) == [], over
    page.locator("[data-cb=token]").first.click()
    settle()
    page.keyboard.press("/")
    page.keyboard.type("<img src=x onerror=window.hacked=1>")
    page.keyboard.press("Enter")
    assert _wrong(page) == []
    page.keyboard.press("Escape")


def test_a_real_board_of_hostile_text_is_text(panel, board):
    page = panel.page
    _visit(page, panel.settle)
    board.edit(cb.head(0, 1).zero())
    panel.settle()
    panel.click("[data-cb=undo]")
    assert _wrong(page) == []
    # The code to copy by hand: this page has no clipboard to write to.
    panel.click("[data-cb=copy-code]")
    page.wait_for_selector("[data-cb=code] textarea")
    assert _wrong(page) == []
    assert page.evaluate("violations") == []
    assert [url for url in panel.asked if not url.startswith("blob:")] == [ADDRESS]


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_hostile_text_is_text(fake_page, state):
    for width in (1168, 480):
        fake_page.show(state, model="hostile", width=width)
        assert _wrong(fake_page.page) == [], width
    assert {url.partition("?")[0] for url in fake_page.asked} == {
        FAKE_ADDRESS, f"{FAKE_ADDRESS}built/page.js", f"{FAKE_ADDRESS}built/widget.css",
    }  # fmt: skip


def test_tokens_are_isolated_from_the_text_around_them(fake_page):
    fake_page.show("edited", model="hostile")
    tokens = fake_page.page.locator("[data-cb=token] .cb-token, [data-cb=top-token] .cb-token")
    assert tokens.count() > 10
    styles = tokens.evaluate_all("all => all.map(token => getComputedStyle(token).unicodeBidi)")
    assert set(styles) == {"isolate"}
