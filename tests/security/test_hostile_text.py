"""Whatever holds text of a user's or a model's holds a hostile one here, each its own: every export shows it as text.

Labels have letters that nobody can abuse; one list says where else text may stand on a board, and one board has them all; each export is read as a browser would, and
has to show those that belong there, so that none is escaped only because it is missing.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from circuitboard.widget import mimebundle
from tests.security.hostile import NAMED, TOKENS
from tests.widget.view import View


class Page(HTMLParser):
    """What a browser makes of it: no element and no attribute of those that the texts would like to be."""

    def __init__(self, html):
        super().__init__()
        self.text, self.made = "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.made += [tag for _ in range(tag == "i")] + [name for name, _ in attrs if name.startswith("on")]
        self.text += " ".join(value or "" for _, value in attrs)

    def handle_data(self, data):
        self.text += data


def html_page(board, folder):
    board.export_html(folder / "board.html")
    return (folder / "board.html").read_text("utf-8")


def svg_map(board, folder):
    board.export_svg(folder / "map.svg", board.sweep("resid_pre", by="pos"))
    text = (folder / "map.svg").read_text("utf-8")
    ET.fromstring(text)  # noqa: S314  our own
    return text


def of_the_panel(what):
    def exported(board, _folder):
        view = View(board)
        view.hello()
        view.ask("set_view", map="resid_pre")
        view.wait(lambda: view.maps and view.maps[-1][0].status == "done" and view.maps[-1][0].over == "resid_pre")
        text = view.ask("export", what=what).text
        view.session.close()
        return text

    return exported


def still(board, _folder):
    return mimebundle(board)[0]["text/html"]


EXPORTS = {
    "the page": (html_page, {*NAMED, 11, 12, 13, 14, 15, 32}),
    "the map by position": (svg_map, {"model", "metric"}),
    "the panel's page": (of_the_panel("html"), {*NAMED, 11, 12, 13, 14, 15, 32}),
    "the panel's drawing": (of_the_panel("svg"), {"metric", 13}),
    "the notebook's picture": (still, {"model", "metric", "other metric", 13, 14}),
}


@pytest.mark.parametrize("export", EXPORTS)
def test_every_text_is_text(board, tmp_path, export):
    make, there = EXPORTS[export]
    html = make(board, tmp_path)
    page = Page(html)
    assert "<i onx" not in html
    assert page.made == []
    seen = {int(number) for number in re.findall(r"H(\d+)H", page.text)}
    assert {TOKENS + what if isinstance(what, int) else NAMED.index(what) for what in there} <= seen
