"""CircuitsVis's pictures in a real page: hostile tokens are text, and nothing is asked of a network."""

import pytest

from tests.analysis.test_static_view import needs_circuitsvis, views


@needs_circuitsvis
@pytest.mark.parametrize(
    ("which", "drawn"),
    [(0, "canvas"), (1, ".colored-tokens span span")],
    ids=["attention", "tokens"],
)
def test_a_browser_shows_hostile_tokens_as_text(page, which, drawn):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(f"<html><body>{views()[which]._repr_html_()}</body></html>")
    page.wait_for_function("document.querySelector('iframe') !== null")
    frame = page.frames[-1]
    frame.wait_for_selector(f"#view {drawn}")
    assert frame.evaluate("[window.bad, document.images.length, document.scripts.length]") == [None, 0, 2]
    assert page.evaluate("window.bad") is None
    if which == 1:
        shown = frame.evaluate("document.getElementById('view').textContent")
        assert "<img\u00a0src=x" in shown
        assert "</script><script>" in shown
    assert asked == []
