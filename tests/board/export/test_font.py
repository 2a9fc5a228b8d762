"""The font of drawings is measured from any thread: a board is displayed, exported and kept on several."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from fontTools.ttLib import TTFont

from circuitboard.pictures import font

TEXT = "logit difference \u2212 \u03b1 \u4e2d"


@pytest.fixture
def eager_threads():
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_threads")
def test_threads_that_measure_at_once_agree():
    n = 4
    truth = [font.width_of(TEXT, 11), font.lacking(TEXT)]
    with ThreadPoolExecutor(n) as threads:
        for _ in range(6):
            font._measures.cache_clear()
            start = Barrier(n)

            def measure(start=start):
                start.wait()
                return [font.width_of(TEXT, 11), font.lacking(TEXT)]

            assert [job.result() for job in [threads.submit(measure) for _ in range(n)]] == [truth] * n


def test_widths_are_those_of_the_font():
    with (font.files(font.__package__) / "fonts" / "DejaVuSans.ttf").open("rb") as file:
        shapes = TTFont(file)
        names, widths, em = shapes.getBestCmap(), shapes["hmtx"].metrics, shapes["head"].unitsPerEm
        units = sum(widths[names[ord(letter)]][0] if ord(letter) in names else em for letter in TEXT)
    assert font.width_of(TEXT, 11) == pytest.approx(units * 11 / em)
    assert font.lacking(TEXT) == "\u4e2d"
