"""CONTRIBUTING.md and ARCHITECTURE.md: every command is one that there is, and every file, folder and name exists."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "kernel_side/circuitboard"
GUIDES = {name: (ROOT / name).read_text("utf-8") for name in ("CONTRIBUTING.md", "ARCHITECTURE.md")}
SCRIPTS = json.loads((ROOT / "package.json").read_text("utf-8"))["scripts"]
LAYERS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]["layers"]

MADE = set((ROOT / ".gitignore").read_text("utf-8").splitlines())

COMMAND = re.compile(r"(?:[A-Z_]+=\S+ )*(?:make|npm|\.venv/bin/\S+) .+")
PATH = re.compile(r"[\w.*-]+/|(?:[\w.*-]+/)*[\w.*-]+\.(?:py|md|toml|txt|json|tsx?|css)|(?:[\w.*-]+/)+[\w.*-]+/?")
NOT_OURS = {"import circuitboard", "with", "Condition", "torch", "torch.load", "utils"}
TO_COME = {"circuits"}
"""A layer that the linter has already."""


def spans(text: str) -> list[str]:
    """What is written in backticks, the blocks apart."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def commands(text: str) -> list[str]:
    """The lines of blocks, and what is a command in a sentence."""
    blocks = re.findall(r"```\n(.*?)```", text, flags=re.DOTALL)
    return [*(line for block in blocks for line in block.splitlines()), *filter(COMMAND.fullmatch, spans(text))]


def there(path: str) -> bool:
    """Whether there is such a file, or a folder where one is meant, or will be once it is made."""
    if path in MADE:
        return True
    found = [one for top in (ROOT, PACKAGE) for one in top.glob(path.rstrip("/"))]
    return any(one.is_dir() for one in found) if path.endswith("/") else bool(found)


@cache
def names() -> frozenset[str]:
    """What the package defines: its rooms, modules, classes, functions and constants, members after their class."""
    found = {path.stem for path in PACKAGE.rglob("*")}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            found |= defined(node)
            if isinstance(node, ast.ClassDef):
                found |= {f"{node.name}.{name}" for inner in node.body for name in defined(inner)}
                own = (
                    one for one in ast.walk(node) if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store)
                )
                found |= {f"{node.name}.{one.attr}" for one in own if isinstance(one.value, ast.Name)}
                found |= {name for inner in node.body for name in defined(inner)}
    return frozenset(found)


def defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def is_ours(name: str) -> bool:
    """Whether it names something: of a board or of the package as users see it, or anything that is defined."""
    import circuitboard as cb

    for face, held in (("board.", cb.Board), ("cb.", cb)):
        if name.startswith(face):
            first, *rest = name.removeprefix(face).split(".")
            # `board.engine.why`: what comes after a property is a name of some class.
            return hasattr(held, first) and (
                hasattr(getattr(held, first), rest[0]) or rest[0] in names() if rest else True
            )
    return name.removeprefix("@") in names()


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_is_one(guide):
    for line in commands(GUIDES[guide]):
        words = shlex.split(line)
        given = {}
        while "=" in words[0]:
            name, _, given[name] = words.pop(0).partition("=")
        for name in given:
            assert any(f'"{name}"' in path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py")), line
        program, *arguments = words
        if program == "make":
            done = subprocess.run(
                ["make", "--dry-run", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{line}: {done.stderr}"
            arguments = [word for one in arguments if one.startswith("ARGS=") for word in one[5:].split()]
            of = ROOT / "tests" / words[1] / "__main__.py"
            source = {"bench": ROOT / "tests/benchmarks/__main__.py"}.get(words[1], of)
            told = source.read_text("utf-8") if source.exists() else ""
            assert all(f'"{word}"' in told for word in arguments if word.startswith("--")), line
        elif program == "npm":
            script = arguments[1] if arguments[0] == "run" else arguments[0]
            assert script in SCRIPTS, line
            assert all((ROOT / "extension" / word).exists() for word in arguments if "/" in word), line
        else:
            assert program in {".venv/bin/python", ".venv/bin/pre-commit"}, line
            if arguments[0] == "-m" and arguments[1] != "pytest":
                module = Path(*arguments[1].split("."))
                tops = (ROOT, ROOT / "kernel_side")
                assert any((top / one).exists() for top in tops for one in (f"{module}.py", module / "__main__.py")), (
                    line
                )
        for word in arguments:
            if word.startswith("tests/"):
                assert there(word), line
        if "-k" in arguments:
            (file,) = (word for word in arguments if word.endswith(".py"))
            assert re.search(
                rf"def test_\w*{arguments[arguments.index('-k') + 1]}", (ROOT / file).read_text("utf-8")
            ), line


@pytest.mark.parametrize("guide", GUIDES)
def test_everything_that_is_named_exists(guide):
    text = GUIDES[guide]
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (ROOT / target).exists(), target
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
    options = re.findall(r'"(--\w+)"', (ROOT / "tests/benchmarks/__main__.py").read_text("utf-8"))
    verbs = re.findall(r'add_parser\(\s*"(\w+)"', (PACKAGE / "cli.py").read_text("utf-8"))
    other = {*NOT_OURS, *TO_COME, *targets, *options, *verbs, *(f"circuitboard {verb}" for verb in verbs)}
    unknown = [
        one
        for one in spans(text)
        if not (COMMAND.fullmatch(one) or one in other or (PATH.fullmatch(one) and there(one)) or is_ours(one))
    ]
    assert unknown == []


def test_the_layers_are_those_that_lint_holds():
    text = GUIDES["ARCHITECTURE.md"]
    table = re.findall(r"^\| (`[^|]+) \| ", text.partition("| layer |")[2].partition("\n\n")[0], flags=re.MULTILINE)
    assert [re.findall(r"`(\w+)`", row) for row in table] == [re.findall(r"\w+", layer) for layer in LAYERS]


def test_each_guide_is_found_and_says_what_the_other_does_not():
    readme = (ROOT / "README.md").read_text("utf-8")
    pages = {"README.md": readme, **GUIDES}
    for name, text in GUIDES.items():
        assert f"]({name})" in readme
        assert all(f"]({other})" in text for other in GUIDES if other != name)
    lines = [line for text in pages.values() for line in set(text.splitlines()) if len(line) > 60]
    assert [line for line in lines if lines.count(line) > 1] == []
