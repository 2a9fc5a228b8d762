"""A board as one page: its numbers, its code, its manifest; inert, and whole without a script."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
import torch

import circuitboard as cb
from circuitboard.files.saving import versions
from circuitboard.models.account.fingerprint import fingerprint
from circuitboard.pictures import Shows, page_of
from tests.board.export.test_svg import HOSTILE
from tests.tiny_models import tiny


class Seen(HTMLParser):
    """Elements, attributes, texts and rows of tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.code = ""
        self._in: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += attrs
        self._in.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        while self._in and self._in.pop() != tag:
            pass

    def handle_data(self, data):
        if "style" in self._in:
            return
        self.text += data
        if "pre" in self._in:
            self.code += data
        if "td" in self._in or "th" in self._in:
            self.rows[-1][-1] += data


ELEMENTS = set(
    "html head meta title style body main h1 h2 p b span ol li small mark bdi div table caption thead tbody tr th td "
    "figure figcaption svg rect path text details summary pre code".split()
)


@pytest.fixture(scope="module")
def board():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = cb.load("demo")
    board = cb.Board(model, cb.tasks.ioi(24, seed=2, model=model), metric=["logit_diff", "kl"])
    board.edit(cb.head(3, 0).mean(), cb.head(2, 1).at("END").zero(), cb.resid_pre(1).at("S2").patch())
    board.toggle(1)
    board.rename(0, "a <b>mover</b>")
    yield board
    board.close()
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def html(board, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "board.html"
    board.export_html(path, board.sweep("head", how="zero"), board.sweep("resid_pre", by="pos"))
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Seen(html)


def signed(x: float, digits: int = 4) -> str:
    text = f"{x:+.{digits}f}".replace("-", "\u2212")
    return text[1:] if float(text.replace("\u2212", "-")) == 0 and x == 0 else text


def test_the_numbers_are_the_boards(board, page):
    assert signed(board.value, 2) in page.text
    assert signed(board.normalized, 2) in page.text
    for name, row in board.metrics.iterrows():
        shown = {"logit_diff": "logit difference", "kl": "KL divergence"}[name]
        (found,) = [cells for cells in page.rows if cells[0] == shown]
        assert found[2] == signed(row["value"])
        assert found[3] == f"{row['stderr']:.4f}"


def test_the_tables_are_the_sweeps(board, page):
    for sweep in (board.sweep("head", how="zero"), board.sweep("resid_pre", by="pos")):
        for row in sweep.to_dataframe().to_dict("records"):
            (found,) = [cells for cells in page.rows if cells[0] == row["site"] and len(cells) == 4]
            assert float(found[1].replace("\u2212", "-")) == pytest.approx(row["effect"], abs=6e-5)
            assert float(found[2].replace("\u2212", "-")) == pytest.approx(row["stderr"], abs=6e-5)
            assert found[3] == "exact"
    assert page.elements.count("svg") == 2


def test_every_edit_says_what_it_does(board, page):
    rows = [cells for cells in page.rows if len(cells) == 4 and cells[1] in ("in force", "switched off")]
    assert [row[0].split(" (")[0] for row in rows] == [str(edit.intervention) for edit in board.edits]
    assert rows[0][0].endswith("(a <b>mover</b>)")
    assert rows[1][1:3] == ["switched off", ""]
    without = cb.Board(board.model, board.pair)
    without.edit(board.edits[2].intervention)
    assert rows[0][2] == signed(board.value - without.value)
    without.close()


def test_every_prompt_is_there_with_what_differs(board, page, html):
    frame = board.per_prompt()
    rows = [cells for cells in page.rows if len(cells) == 6 and cells[0].isdigit() and "\u00b7" in cells[5]]
    assert [int(row[0]) - 1 for row in rows] == frame["prompt"].to_list()
    assert [row[1] for row in rows] == frame["text"].to_list()
    assert [row[2] for row in rows] == [signed(value) for value in frame["value"]]
    differing = int((board.prompts.clean_tokens != board.prompts.corrupted_tokens).sum())
    assert html.count('<mark class="first">') == html.count('<mark class="second">') == differing


def test_top_tokens_and_history(board, page):
    for row in board.top_tokens(5).to_dict("records"):
        token = row["token"].replace(" ", "\u00b7", 1) if row["token"].startswith(" ") else row["token"]
        assert any(cells[0] == token and cells[-1] == signed(row["change"], 3) for cells in page.rows)
    steps = [cells for cells in page.rows if len(cells) == 5 and cells[0].isdigit() and "%" not in cells[1]]
    assert [int(cells[0]) for cells in steps] == list(range(len(board.history.nodes)))
    assert steps[board.history.current][3] == signed(board.value)
    assert steps[0][3] == signed(board.baselines.clean)


def test_the_code_makes_the_board_again(board, page):
    assert page.code == board.to_python()
    scope: dict = {}
    exec(page.code, scope)  # noqa: S102  what a reader pastes
    assert scope["board"].value == pytest.approx(board.value, abs=1e-5)
    assert scope["board"].edits == board.edits
    scope["board"].close()


def test_the_manifest_names_what_made_the_numbers(board, page):
    marks = fingerprint(board.model)
    for told in (marks.weights, marks.tokenizer, "float32, cpu", board.engine.tier, *versions().values()):
        assert told in page.text


def test_it_may_do_nothing_but_be_read(html, page):
    assert set(page.elements) <= ELEMENTS
    names = {name for name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on") or name in ("style", "src", "href", "srcset")}
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)[1]
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; form-action 'none'"
    )
    assert html.index("Content-Security-Policy") < html.index("<style>")
    outside = re.findall(r"https?:[^\s\"'<]*", html)
    assert set(outside) == {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("text", HOSTILE[:-1], ids=["script", "img", "style", "bidi", "entity", "surrogate", "long"])
def test_hostile_names_and_tokens_are_only_text(text, monkeypatch):
    tokens = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]])
    board = cb.Board(tiny("native"), cb.PromptPair(tokens, tokens.flip(1), answer=[1, 2], wrong=[3, 4]))
    try:
        board.edit(cb.head(1, 2).zero())
        monkeypatch.setattr(board.desk.lab.adapter, "name", text)
        object.__setattr__(board.prompts, "token_str", lambda _token: text)
        object.__setattr__(board.prompts, "labels", {text: [1, 1]})
        html = page_of(board.desk, board.desk.shown, Shows())
    finally:
        board.close()
    page = Seen(html)
    assert set(page.elements) <= ELEMENTS
    assert not {name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "style")}
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html)
    # The code alone says it in full.
    assert len(html) - len(page.code) < 400_000


def test_without_a_second_run_a_name_or_several_prompts(tmp_path):
    tokens = torch.tensor([[5, 6, 7, 8, 9]])
    board = cb.Board(tiny("native"), cb.PromptPair(tokens, answer=1), metric="log_prob")
    try:
        board.export_html(tmp_path / "one.html")
    finally:
        board.close()
    page = Seen((tmp_path / "one.html").read_text("utf-8"))
    assert "Nothing is edited" in page.text
    assert "corrupted run" not in page.text.split("Metrics")[0]
    assert "\u00b1" not in page.text.split("Prompts")[0]
    assert page.elements.count("svg") == 1


def test_a_page_is_of_one_state(board):
    before = board.desk.shown
    board.edit(cb.head(0, 0).zero())
    with pytest.raises(cb.InterventionError) as refused:
        page_of(board.desk, before, Shows())
    board.undo()
    assert refused.value.code == "moved_on"
