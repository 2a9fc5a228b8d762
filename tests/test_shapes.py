"""The shapes that annotations promise are checked in every test, all of them, and a wrong one is told."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import circuitboard
from circuitboard.analysis.frozen_norm import FrozenNorm
from circuitboard.metrics.normaliser import Distribution
from tests import shapes

NO_NORM = SimpleNamespace(kind="none")
SOURCES = Path(circuitboard.__file__).parent
ANNOTATED = re.compile(r"\b(?:Bool|Float|Float32|Int|Int32|UInt8)\[(?:Tensor|np\.ndarray), ")


def test_every_annotation_in_the_package_is_checked() -> None:
    for module in pkgutil.walk_packages(circuitboard.__path__, "circuitboard."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    checked = [text for check in shapes.CHECKS for text in check.texts.values()]
    written = sum(len(ANNOTATED.findall(path.read_text(encoding="utf-8"))) for path in SOURCES.rglob("*.py"))
    # What is not checked is an alias of types, which stands for itself.
    assert written - sum(len(ANNOTATED.findall(text)) for text in checked) <= 3
    assert written > 400
    for check in shapes.CHECKS:
        assert set(check.hints) == set(check.texts)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: FrozenNorm.at(NO_NORM, torch.zeros(2, 3, 4)), id="an axis too many"),
        pytest.param(lambda: FrozenNorm.at(NO_NORM, torch.zeros(2, 3).long()), id="whole numbers"),
        pytest.param(lambda: FrozenNorm(NO_NORM, None), id="a field that is no tensor"),
        pytest.param(
            lambda: Distribution(torch.zeros(2, 5), torch.zeros(3, 5), torch.zeros(2, 1), torch.zeros(2, 1)),
            id="axes of one name differ",
        ),
    ],
)
def test_a_wrong_shape_is_told(call) -> None:
    with pytest.raises(shapes.ShapeError):
        call()
    assert shapes.VIOLATIONS
    shapes.VIOLATIONS.clear()


def test_a_right_shape_is_not() -> None:
    FrozenNorm.at(NO_NORM, torch.zeros(2, 3))
    Distribution(torch.zeros(2, 5), torch.zeros(2, 5), torch.zeros(2, 1), torch.zeros(2, 1))
