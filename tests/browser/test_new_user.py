"""A new user, from `circuitboard demo`'s first notebook alone: everything is found by what can be read on the screen.

Only visible names and roles are used, as a person or a screen reader would; the numbers are compared with Python's.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import circuitboard as cb

EXAMPLE = Path(__file__).parents[2] / "examples" / "01_first_click.ipynb"
NUMBER = re.compile(r"[+\u2212]?\d+(?:\.\d+)?")


def _number(text: str) -> float:
    """The first number in a text, with its true minus."""
    found = NUMBER.search(text)
    assert found is not None, text
    return float(found[0].replace("\u2212", "-"))


@pytest.fixture
def notebook(lab, page):
    """The example with every cell run, as `circuitboard demo` and "Run all" leave it."""
    (lab.folder / EXAMPLE.name).write_text(EXAMPLE.read_text())
    notebook = lab.open(page, EXAMPLE.name)
    notebook.run_all()
    yield notebook
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")


def _induction_heads(model) -> list[tuple[int, int]]:
    """The two heads that on repeated random tokens look most at what followed the token before.

    The prefix-matching score of Olsson et al. 2022, by plain TransformerLens hooks.
    """
    import torch

    half = torch.randint(10, model.cfg.d_vocab, (8, 12), generator=torch.Generator().manual_seed(0))
    tokens = torch.cat((half, half), -1)
    _, cache = model.run_with_cache(tokens)
    scores = {}
    for layer in range(model.cfg.n_layers):
        pattern = cache["pattern", layer]
        for head in range(model.cfg.n_heads):
            scores[layer, head] = float(pattern[:, head].diagonal(offset=-11, dim1=-2, dim2=-1)[:, 1:].mean())
    return sorted(scores, key=scores.__getitem__, reverse=True)[:2]


def test_a_new_user_finds_ablates_compares_exports_and_repeats(notebook, page):
    # The board about induction is the last one of the notebook: its own heading says so.
    page.get_by_role("heading", name="Induction").scroll_into_view_if_needed()
    board = notebook.board.last
    board.scroll_into_view_if_needed()
    start = _number(board.get_by_text("mean over prompts").locator("xpath=ancestor::header").inner_text())
    assert start == pytest.approx(notebook.python("induction.value"), abs=6e-3)

    # Find the induction heads: the panel says which head to click first, and why.
    first = board.get_by_role("listitem").filter(has_text="falls most").get_by_role("button")
    name = first.inner_text()
    model = cb.load("demo")
    wanted = {f"{layer}.{head}" for layer, head in _induction_heads(model)}
    assert name in wanted | set(notebook.python("induction.sweep('head', how='zero').top(2)['site'].tolist()"))
    first.click()
    board.get_by_role("button", name=re.compile(rf"^head {re.escape(name)}:.*edited: zero")).wait_for()

    # Look where it looks.
    board.get_by_role("heading", name=f"Head {name}").wait_for()
    board.get_by_text("Attention", exact=True).first.wait_for()

    # The metric falls; the map of what is left says what rises.
    fallen = notebook.python("induction.value")
    assert fallen < start - 0.5
    board.get_by_text("since last step").wait_for()
    header = board.get_by_role("banner").or_(board.locator("header")).first
    assert _number(header.inner_text()) == pytest.approx(fallen, abs=6e-3)
    board.get_by_text(re.compile(r"on top of 1 edit")).first.wait_for()
    rises = notebook.python(
        "(lambda s: [s.top(3)['site'].tolist(), s.top(3)['effect'].tolist()])(induction.sweep('head', how='zero'))"
    )
    cell = board.get_by_role("button", name=re.compile(rf"^head {re.escape(rises[0][0])}: effect")).first
    cell.wait_for()

    # Undo, and compare before and after: the state that was left stays in the history.
    board.get_by_role("button", name=re.compile("^Undo")).click()
    board.get_by_text("nothing edited").or_(board.get_by_text("since last step")).first.wait_for()
    page.wait_for_function(
        "([header, value]) => header.innerText.includes(value)", arg=[header.element_handle(), f"{start:+.2f}"]
    )
    board.get_by_role("button", name=re.compile("^Redo")).click()
    board.get_by_role("button", name=re.compile(r"^Compare with clean run")).click()
    compared = board.get_by_role("region", name=re.compile("side by side|[Cc]ompare"))
    compared.wait_for()
    page.wait_for_function(
        "([region, a, b]) => region.innerText.includes(a) && region.innerText.includes(b)",
        arg=[compared.element_handle(), f"{start:+.2f}", f"{fallen:+.2f}"],
        timeout=20_000,
    )

    # Export the map as a picture.
    board.get_by_role("button", name="Copy, export, save").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Export map as SVG").click()
    svg = Path(download.value.path()).read_text("utf-8")
    assert svg.lstrip().startswith(("<svg", "<?xml"))
    assert "induction" in svg.lower() or "demo" in svg
    assert name in svg

    # Copy the code, paste it into a cell, and get the same number.
    code = notebook.copied(board.get_by_role("button", name="Copy Python"))
    board.get_by_role("button", name="Copied").first.wait_for()
    notebook.run_cell(code)
    assert notebook.python("board.value") == pytest.approx(fallen, abs=1e-5)
