"""Promise 17 and the rule of no pickles, read off the sources and off what is built from them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = sorted((ROOT / "kernel_side" / "circuitboard").rglob("*.py"))
BUNDLES = [
    *sorted((ROOT / "kernel_side/circuitboard/widget/static").glob("*.js")),
    *sorted((ROOT / "kernel_side/circuitboard/labextension").rglob("*.js")),
]
NOT_BUILT = "the front end is not built here: npm run build"
built = pytest.mark.skipif(not BUNDLES, reason=NOT_BUILT)

UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
UNSAFE_OF_TORCH = {"load", "save"}

FORBIDDEN = {
    "innerHTML, outerHTML": r"\b(?:inner|outer)HTML\b",
    "insertAdjacentHTML": r"insertAdjacentHTML",
    "document.write": r"document\.write",
    "eval": r"(?<![\w.$])eval\s*\(",
    "new Function": r"\bnew Function\b|(?<![\w.$])Function\s*\(",
    "fetch": r"(?<![\w$])fetch\s*\(",
    "XMLHttpRequest": r"XMLHttpRequest",
    "WebSocket, EventSource": r"\bnew (?:WebSocket|EventSource)\b",
    "sendBeacon": r"sendBeacon",
    "importScripts": r"importScripts",
    "dynamic import": r"(?<![\w.$])import\s*\(",
}
# JupyterLab's builder puts webpack's loader into every extension; it tells a worker from a page by `importScripts`
# and finds the global object with `new Function`.
LOADER = {"importScripts", "new Function"}


def dotted(node: ast.expr) -> str:
    """ "torch.load" for the expression torch.load."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def test_no_python_of_ours_runs_what_it_reads():
    assert {str(path.relative_to(ROOT)): unsafe for path in PYTHON if (unsafe := unsafe_of(path))} == {}


def unsafe_of(path: Path) -> list[str]:
    """What a module imports or calls that runs what it reads."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.split(".")[0] in UNSAFE_MODULES]
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").split(".")[0]
            found += [f"{module}.{name.name}" for name in node.names if module in UNSAFE_MODULES]
            found += [f"torch.{name.name}" for name in node.names if module == "torch" and name.name in UNSAFE_OF_TORCH]
        elif isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in UNSAFE_CALLS or name in {"torch.load", "torch.save", "os.system", "yaml.load"}:
                found.append(name)
            if any(
                keyword.arg in {"allow_pickle", "shell"} and getattr(keyword.value, "value", None)
                for keyword in node.keywords
            ):
                found.append(f"{name} with allow_pickle or shell")
    return found


def test_the_check_itself_sees_what_it_looks_for():
    assert dotted(ast.parse("torch.load(x)").body[0].value.func) == "torch.load"
    assert all(
        any(re.search(pattern, code) for pattern in FORBIDDEN.values())
        for code in (
            "a.innerHTML=b",
            "u.outerHTML",
            "eval(x)",
            "fetch (u)",
            "import('x')",
            "x=new Function(y)",
            "new XMLHttpRequest",
        )
    )
    assert len(PYTHON) > 40


@built
def test_no_bundle_makes_html_of_text_runs_text_or_calls_out():
    hits = []
    for path in BUNDLES:
        code = path.read_text(encoding="utf-8")
        for what, pattern in FORBIDDEN.items():
            if path.name.startswith("remoteEntry.") and what in LOADER:
                continue
            hits += [
                f"{path.name}: {what}: {code[max(0, hit.start() - 60) : hit.end() + 40]}"
                for hit in re.finditer(pattern, code)
            ]
    assert hits == []


@built
def test_no_bundle_holds_an_address_to_call():
    found = {
        (path.name, address)
        for path in BUNDLES
        for address in re.findall(r"(?:https?|wss?):?//[\w.:\[\]-]+", path.read_text(encoding="utf-8"))
    }
    assert {(name, address) for name, address in found if address != "http://www.w3.org"} == set()


def test_no_style_sheet_loads_anything():
    sheets = sorted((ROOT / "kernel_side/circuitboard/widget/static").glob("*.css"))
    if not sheets:
        pytest.skip(NOT_BUILT)
    for sheet in sheets:
        assert not re.search(r"@import|url\(\s*['\"]?(?!data:|#)", sheet.read_text(encoding="utf-8")), sheet.name


def test_no_typescript_of_ours_makes_html_of_text():
    sources = [path for path in (ROOT / "extension").rglob("*.ts*") if "node_modules" not in path.parts]
    assert sources
    words = re.compile(r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML)\b|(?<![\w.])eval\(")
    for source in sources:
        if not source.name.endswith((".test.ts", ".test.tsx")):
            assert not words.search(source.read_text(encoding="utf-8")), source
