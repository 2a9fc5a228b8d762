"""Shapes are checked: jaxtyping's annotations, `Float[Tensor, "batch pos"]`, hold in every call that a test makes.

The package itself never imports jaxtyping: its annotations are text. What pytest imports of `circuitboard` is compiled
here with a decorator on whatever an annotation gives a shape: functions (what they take and return, a generator's end
among it) and dataclasses (their fields, once made). The text is evaluated at the first call, when what the module
imports `if TYPE_CHECKING` can be imported without a circle. Beartype then compares, jaxtyping holds the names' lengths.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import typing
from collections.abc import Callable, Generator
from importlib.machinery import PathFinder, SourceFileLoader
from types import CodeType
from typing import Any

import jaxtyping
from beartype import BeartypeConf
from beartype.door import is_bearable
from jaxtyping import jaxtyped

_PACKAGE = "circuitboard"
_KINDS = frozenset(name for name in dir(jaxtyping) if isinstance(getattr(jaxtyping, name), type))
_DECORATOR = "__check_shapes__"
_RETURN = "return"
_LOOKED_INTO, _LEFT_OUT = object(), object()
_NUMBERS = BeartypeConf(is_pep484_tower=True)  # an int is a float, as everywhere in Python

CHECKS: list[Check] = []
"""One for each annotated function and dataclass that was imported."""
VIOLATIONS: list[str] = []
"""What was broken since the list was last emptied; kept because a caller may catch what is raised."""


class ShapeError(TypeError):
    """A value has another shape or type of number than its annotation says."""


class Check:
    """The shapes that one function or dataclass promises."""

    def __init__(self, owner: Callable[..., Any] | type, texts: dict[str, str]) -> None:
        self.module, self.name = owner.__module__, owner.__qualname__
        self.texts = texts
        self.generates = inspect.isgeneratorfunction(owner) and texts.get(_RETURN, "").startswith("Generator")
        self._hints: dict[str, Any] | None = None
        self._seen: set[tuple[Any, ...]] = set()
        CHECKS.append(self)

    @property
    def hints(self) -> dict[str, Any]:
        """The annotations, evaluated. NameError or ImportError while the modules are still being imported."""
        if self._hints is None:
            names = _names_of(self.module)
            hints = {name: eval(text, names) for name, text in self.texts.items()}  # noqa: S307  the package's own annotations
            if self.generates:
                # What a generator promises is what it ends with.
                hints[_RETURN] = typing.get_args(hints[_RETURN])[-1]
            self._hints = hints
        return self._hints

    def holds(self, values: dict[str, Any]) -> None:
        """Raise if `values`, by name, do not agree with the annotations and with each other."""
        try:
            hints = self.hints
        except (ImportError, KeyError, NameError):
            if _importing():
                return
            raise
        kinds = tuple(_kind_of(values.get(name, _LEFT_OUT)) for name in hints)
        if kinds in self._seen:
            return
        with jaxtyped("context"):
            for name, hint in hints.items():
                if name in values and not is_bearable(values[name], hint, conf=_NUMBERS):
                    what = f"{self.module}.{self.name}: {name} is {_said(values[name])}, not {self.texts[name]}"
                    others = ", ".join(f"{n} {_said(v)}" for n, v in values.items() if n in hints and n != name)
                    VIOLATIONS.append(what)
                    raise ShapeError(f"{what}; beside {others or 'nothing'}")
        if _LOOKED_INTO not in kinds:
            self._seen.add(kinds)


def install() -> None:
    """Check the shapes in every module of the package that is imported from now on."""
    early = [name for name in sys.modules if _is_ours(name)]
    if early:
        raise RuntimeError(f"imported before its shapes could be checked: {early}")
    sys.meta_path.insert(0, _Finder())


def check_shapes(owner: Any) -> Any:
    """Decorate a function or a dataclass whose annotations speak of shapes."""
    texts = {name: text for name, text in owner.__annotations__.items() if _speaks_of_shapes(text)}
    check = Check(owner, texts)
    if isinstance(owner, type):
        owner.__init__ = _checked_init(owner.__init__, check)  # type: ignore[misc]
        return owner
    return _checked_generator(owner, check) if inspect.isgeneratorfunction(owner) else _checked(owner, check)


def _checked(function: Callable[..., Any], check: Check) -> Callable[..., Any]:
    places = _places_of(function, check)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        check.holds(_values_of(places, args, kwargs) | {_RETURN: result})
        return result

    return call


def _checked_generator(function: Callable[..., Any], check: Check) -> Callable[..., Any]:
    places = _places_of(function, check)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        check.holds(_values_of(places, args, kwargs))
        result = yield from function(*args, **kwargs)
        check.holds(_values_of(places, args, kwargs) | ({_RETURN: result} if check.generates else {}))
        return result

    return call


def _checked_init(init: Callable[..., None], check: Check) -> Callable[..., None]:
    @functools.wraps(init)
    def call(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        check.holds({name: getattr(self, name) for name in check.texts})

    return call


def _places_of(function: Callable[..., Any], check: Check) -> dict[str, int]:
    return {name: n for n, name in enumerate(inspect.signature(function).parameters) if name in check.texts}


def _values_of(places: dict[str, int], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    return {
        name: args[n] if n < len(args) else kwargs[name]
        for name, n in places.items()
        if n < len(args) or name in kwargs
    }


def _kind_of(value: Any) -> Any:
    """All that an annotation asks of a tensor; what held once for the same kinds need not be compared again."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return type(value), value.dtype, tuple(value.shape)
    return value if value is None or value is _LEFT_OUT else _LOOKED_INTO


def _said(value: Any) -> str:
    return f"{value.dtype} {tuple(value.shape)}" if hasattr(value, "shape") else f"a {type(value).__name__}"


# --- where the annotations are found ---------------------------------------------------------------


class _Finder:
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if not _is_ours(name):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType | None:
        source = self.get_source(fullname) or ""
        if "jaxtyping" not in source:
            return super().get_code(fullname)
        tree = _Decorated().visit(ast.parse(source))
        return compile(ast.fix_missing_locations(tree), self.path, "exec", dont_inherit=True)

    def exec_module(self, module: Any) -> None:
        module.__dict__[_DECORATOR] = check_shapes
        super().exec_module(module)


class _Decorated(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
        if any(_shaped(a) for a in [*(argument.annotation for argument in arguments), node.returns]):
            # Innermost: a property, a class method, a context manager is made of what is checked.
            node.decorator_list.append(_decorator_at(node))
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        fields = [statement.annotation for statement in node.body if isinstance(statement, ast.AnnAssign)]
        if node.decorator_list and any(_shaped(field) for field in fields):
            # Outermost: after `dataclass` wrote the `__init__`.
            node.decorator_list.insert(0, _decorator_at(node))
        return node


def _decorator_at(node: ast.FunctionDef | ast.ClassDef) -> ast.expr:
    return ast.copy_location(ast.Name(_DECORATOR, ast.Load()), node)


def _shaped(annotation: ast.expr | None) -> bool:
    return annotation is not None and any(isinstance(n, ast.Name) and n.id in _KINDS for n in ast.walk(annotation))


def _speaks_of_shapes(text: str) -> bool:
    return _shaped(ast.parse(text, mode="eval").body)


_names: dict[str, dict[str, Any]] = {}


def _names_of(module: str) -> dict[str, Any]:
    """The names of a module, with those that it imports or makes `if TYPE_CHECKING`."""
    if module in _names:
        return _names[module]
    found = sys.modules[module]
    names = dict(vars(found))
    for node in ast.parse(inspect.getsource(found)).body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for statement in node.body:
                _do(statement, names)
    if not _importing():
        _names[module] = names
    return names


def _do(statement: ast.stmt, names: dict[str, Any]) -> None:
    try:
        exec(compile(ast.Module([statement], []), "<types>", "exec", dont_inherit=True), names)  # noqa: S102  its own imports
    except ImportError:
        if not isinstance(statement, ast.ImportFrom):
            raise
        # An alias of types, which the other module too has only while types are checked.
        others = _names_of(str(statement.module))
        names.update({name.asname or name.name: others[name.name] for name in statement.names})


def _importing() -> bool:
    """Whether a module of the package is in the middle of being imported."""
    ours = [module for name, module in list(sys.modules.items()) if _is_ours(name)]
    return any(getattr(getattr(module, "__spec__", None), "_initializing", False) for module in ours)


def _is_ours(name: str) -> bool:
    return name == _PACKAGE or name.startswith(f"{_PACKAGE}.")
