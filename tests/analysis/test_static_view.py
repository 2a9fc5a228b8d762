"""CircuitsVis's pictures: no network, no markup from tokens, a clear error without the package."""

from __future__ import annotations

import html
import importlib.util
import json
import re

import pytest
import torch

import circuitboard as cb
from circuitboard.analysis import attention_view, static_view, tokens_view
from circuitboard.analysis.attention import AttentionPattern
from circuitboard.errors import AddressError, CircuitboardError, InterventionError

HOSTILE = (
    "</script><script>window.bad = 1</script>",
    "<img src=x onerror='window.bad = 1'>",
    "<!--",
    "&lt;",
    "\u2028",
    "ab\n",
)

needs_circuitsvis = pytest.mark.skipif(
    importlib.util.find_spec("circuitsvis") is None, reason="circuitsvis is not installed: pip install circuitsvis"
)


def pattern_of(tokens):
    n = len(tokens)
    now = torch.rand(n, n, generator=torch.Generator().manual_seed(0)).tril()
    return AttentionPattern(9, 6, 0, tuple(tokens), now, now.roll(1, 0).tril())


def views():
    return [attention_view(pattern_of(HOSTILE)), tokens_view(HOSTILE, torch.linspace(-1, 1, len(HOSTILE)))]


def props_of(view):
    """What the page gives to CircuitsVis."""
    call = view.page.rpartition("CircuitsVis.render(")[2]
    return json.loads(re.fullmatch(r'"view", CircuitsVis\.\w+, (.*)\);</script></body></html>', call, re.DOTALL)[1])


@needs_circuitsvis
def test_the_pictures_hold_the_numbers(board):
    board.edit(cb.head(0, 1).zero())
    pattern = board.attention(1, 2, prompt=1)
    props = props_of(board.show_attention(1, 2, prompt=1))
    assert props["tokens"] == list(pattern.tokens)
    assert torch.equal(torch.tensor(props["attention"]), torch.stack([pattern.pattern, pattern.base]))
    assert props["attentionHeadNames"] == ["1.2 now", "1.2 without edits"]
    props = props_of(board.show_tokens([1, -4, 0.5, 2, 3], prompt=2))
    assert props == {
        "tokens": ["11", "12", "13", "14", "15"], "values": [1, -4, 0.5, 2, 3], "minValue": -4, "maxValue": 4,
    }  # fmt: skip


@needs_circuitsvis
def test_without_edits_there_is_one_pattern(board):
    props = props_of(board.show_attention(1, 2))
    assert len(props["attention"]) == 1


@needs_circuitsvis
def test_a_page_asks_for_nothing():
    for view in views():
        page = view.page
        assert "default-src 'none'" in page
        assert not re.search(r"<(script|link|img|iframe)[^>]*\s(src|href)", page, re.IGNORECASE)
        assert "sourceMappingURL" not in page
        assert not re.search(r"\bimport\s*[({\"']", page)
        assert "unpkg" not in page
        assert 'sandbox="allow-scripts"' in view._repr_html_()


@needs_circuitsvis
def test_tokens_are_data_in_the_page():
    for view in views():
        props = props_of(view)
        assert props["tokens"] == list(HOSTILE)
        assert not any(token in view.page for token in HOSTILE[:2])
        assert len(re.findall("</script", view.page, re.IGNORECASE)) == 2
        frame = view._repr_html_()
        assert frame.count("<") == 2  # the iframe alone
        assert html.unescape(re.search(r'srcdoc="([^"]*)"', frame)[1]) == view.page


@needs_circuitsvis
def test_a_page_can_be_saved(tmp_path):
    view = tokens_view(["a"], [1.0])
    view.save(tmp_path / "view.html")
    assert (tmp_path / "view.html").read_text(encoding="utf-8") == view.page
    assert repr(view) == "StaticView(Tokens by value)"


@needs_circuitsvis
def test_values_that_do_not_fit_are_refused(board):
    for values in ([1.0, 2.0], [1.0, float("nan"), 0, 0, 0], torch.zeros(5, 2)):
        with pytest.raises(InterventionError) as refusal:
            board.show_tokens(values)
        assert refusal.value.code == "bad_values"
    with pytest.raises(AddressError) as refusal:
        board.show_tokens([0] * 5, prompt=3)
    assert refusal.value.code == "no_such_prompt"
    with pytest.raises(AddressError):
        board.show_attention(0, 9)


def test_without_circuitsvis_the_error_says_what_to_install(board, monkeypatch):
    static_view._script.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CircuitboardError, match=r"circuitboard\[vis\]") as refusal:
        board.show_attention(0, 0)
    assert refusal.value.code == "needs_circuitsvis"
    static_view._script.cache_clear()
