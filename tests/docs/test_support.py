"""The table of what can be edited says what is so."""

from __future__ import annotations

import re
from itertools import cycle

import pytest

from circuitboard.address import HOWS
from tests.docs.support import MODELS, TABLE, lines, row_of
from tests.odd_models import IN_WORDS


# One intervention a family, another each time: tests/interventions tries them all, and so does whoever writes the table.
@pytest.mark.parametrize(("family", "how"), list(zip(MODELS, cycle(HOWS), strict=False)))
def test_each_family_has_its_row(family, how):
    text = TABLE.read_text(encoding="utf-8")
    notes = {
        reason.replace("\n   ", " "): int(number)
        for number, reason in re.findall(r"^(\d+)\. (.*(?:\n   .*)*)\.$", text, re.MULTILINE)
    }
    known = dict(notes)
    rows = lines(family, row_of(family, [how]), notes)
    assert notes == known, "a reason that the table does not have: run `python -m tests.docs.support`"
    for row in rows[family in IN_WORDS :]:
        assert row in text, "out of date: run `python -m tests.docs.support`"
