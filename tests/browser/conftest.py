"""Of each process that runs browser tests: one JupyterLab server and one Chromium. Each test has a fresh page."""

import shutil

import pytest
import torch
from playwright.sync_api import expect

import circuitboard as cb
from tests.browser.fake_page import COUNTING, FakePage, bundled, serve
from tests.browser.lab import CHROMIUM_ARGUMENTS, SHUT_DOWN, Lab, page_of
from tests.browser.panel_page import STATIC, Panel
from tests.tiny_models import D_VOCAB, tiny

# Only what hangs is stopped by it: how long a page takes is the machine's business.
expect.set_options(timeout=60_000)


FAILED = pytest.StashKey()
STARTING = {"lab", "notebook7", "marimo", "host_of"}
"""Fixtures that start a Jupyter server, a kernel or another host: what takes one is marked `lab`."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser/" not in item.path.as_posix():
            continue
        item.add_marker(pytest.mark.browser)
        if STARTING.intersection(item.fixturenames):
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    # Boards are kept on disk as for a user, but not among the user's own.
    environment = {"CIRCUITBOARD_AUTOSAVE": "1", "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state"))}
    with Lab(tmp_path_factory.mktemp("notebooks"), environment=environment) as server:
        yield server


@pytest.fixture(scope="session")
def chromium():
    """The system's Chromium, or the one that `playwright install chromium` brought."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    """A page of its own, which fails the test if a script of the page fails."""
    errors = []
    page = page_of(chromium, errors)
    yield page
    page.context.close()
    assert errors == []


@pytest.fixture
def board():
    clean = torch.randint(1, D_VOCAB, (3, 8), generator=torch.Generator().manual_seed(1))
    corrupted = clean.clone()
    corrupted[:, 3] = (corrupted[:, 3] + 7) % D_VOCAB
    board = cb.Board(tiny("gpt2"), cb.PromptPair(clean=clean, corrupted=corrupted, answer=[5, 6, 7], wrong=[8, 9, 10]))
    yield board
    board.close()


@pytest.fixture
def panel(page, board):
    """The built bundle in a page, on `board`."""
    if not (STATIC / "widget.js").exists():
        pytest.skip("the bundle is not built: npm run build:widget")
    panel = Panel(page, board)
    yield panel
    panel.session.close()


@pytest.fixture(scope="session")
def fake_bundle(tmp_path_factory):
    """The page on the fake kernel, bundled once."""
    return bundled(tmp_path_factory.mktemp("page"))


@pytest.fixture
def fake_page(page, fake_bundle):
    """The panel on a fake kernel, in a page of its own."""
    page.add_init_script(COUNTING)
    return FakePage(page, serve(page.context, fake_bundle))


class OneNotebook:
    """A notebook that a module's tests use one after the other: JupyterLab is loaded and the kernel started once."""

    def __init__(self, lab, chromium, name):
        self._lab, self._chromium, self._name = lab, chromium, name
        self._notebook = None
        self.errors = []

    def start_over(self, *cells):
        """Run these cells, with nothing left of those before."""
        if self._notebook is None:
            page = page_of(self._chromium, self.errors)
            self._notebook = self._lab.open(page, self._lab.write_notebook(self._name, [""]))
        self._notebook.start_over(cells)
        return self._notebook

    def close(self):
        if self._notebook is not None:
            self._notebook.page.evaluate(SHUT_DOWN)
            self._notebook.page.context.close()
            self._notebook = None


@pytest.fixture(scope="module")
def one_notebook(lab, chromium, request):
    one = OneNotebook(lab, chromium, f"{request.path.stem}.ipynb")
    yield one
    one.close()


@pytest.fixture
def run_cells(one_notebook, request):
    """Run code cells in the module's notebook, which then has no others; a new one after a failure."""
    yield one_notebook.start_over
    if request.node.stash.get(FAILED, False):
        one_notebook.close()
    errors, one_notebook.errors[:] = list(one_notebook.errors), []
    assert errors == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def open_notebook(lab, page, request):
    """Write a notebook of code cells, open it, and shut its kernel down afterwards."""
    opened = []

    def write_and_open(*cells):
        notebook = lab.open(page, lab.write_notebook(f"{request.node.name}-{len(opened)}.ipynb", cells))
        opened.append(notebook)
        return notebook

    yield write_and_open
    for notebook in opened:
        notebook.page.evaluate(SHUT_DOWN)
