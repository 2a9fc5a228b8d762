"""A mutant: one small mistake, where it is made and who is to notice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = {".py": ("kernel_side/circuitboard",), ".ts": ("extension/src", "extension/vscode/src")}


@dataclass(frozen=True)
class Mutant:
    """One mistake.

    Parameters
    ----------
    room
        Whose code it is in.
    breaks
        What goes wrong.
    old, new
        The text that stands exactly once in all product code of its language, and what stands there instead. It is
        found by its words, so that a file may move.
    tests
        Names of test files, with a folder where one name is not enough and with one test's own name after "::", of which at least one test is to fail.
    also
        Whether it is about a second actor: another edit, a later step, a cancel, another board, view or thread.
    typescript
        Whether it is in the panel's language.
    """

    room: str
    breaks: str
    old: str
    new: str
    tests: tuple[str, ...]
    also: bool = False
    typescript: bool = False

    def file(self, root: Path = ROOT) -> Path:
        """The one file that holds the old text.

        Raises
        ------
        LookupError
            If none does, or more than once.
        """
        found = [path for path, text in _product(root, self.typescript).items() for _ in range(text.count(self.old))]
        if len(found) != 1:
            raise LookupError(
                f"{self.room}: {self.breaks}: its text stands {len(found)} times, write it anew: {self.old!r}"
            )
        return found[0]

    def places(self, root: Path = ROOT) -> list[str]:
        """Its tests as pytest and vitest want them named.

        Raises
        ------
        LookupError
            If a name is none, or several.
        """
        return [
            f"{_only(root, file).relative_to(root)}{mark}{test}"
            for file, mark, test in (name.partition("::") for name in self.tests)
        ]


@cache
def _product(root: Path, typescript: bool) -> dict[Path, str]:  # noqa: FBT001  a cache wants it by position
    suffix = ".ts" if typescript else ".py"
    paths = (path for folder in PRODUCT[suffix] for path in (root / folder).rglob(f"*{suffix}*"))
    return {
        path: path.read_text("utf-8")
        for path in paths
        if path.suffix in (suffix, ".tsx") and ".test." not in path.name and path.is_file()
    }


@cache
def _only(root: Path, name: str) -> Path:
    places = [path for folder in ("tests", "extension") for path in (root / folder).rglob(name.rpartition("/")[2])]
    found = [path for path in places if path.as_posix().endswith(f"/{name}")]
    if len(found) != 1:
        raise LookupError(f"there are {len(found)} test files called {name}")
    return found[0]
