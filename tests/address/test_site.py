from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import circuitboard as cb
from circuitboard.address import KINDS, Site, describe, parse_positions, positions_of, resolve

entries = (
    st.integers(-99, 99)
    | st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(lambda label: label != "all")
    | st.builds(slice, st.none() | st.integers(-9, 9), st.none() | st.integers(-9, 9), st.none() | st.integers(1, 3))
)
places = st.none() | entries | st.lists(entries, min_size=1, max_size=4)
sites = st.builds(
    lambda kind, layer, head, where: Site(kind, layer, head if kind == "head" else None).at(where),
    st.sampled_from(KINDS),
    st.integers(0, 999),
    st.integers(0, 999),
    places,
)


@given(sites)
def test_written_sites_read_back_as_themselves(site):
    assert cb.site(str(site)) == site


@given(places)
def test_written_positions_read_back_as_themselves(where):
    positions = positions_of(where)
    assert parse_positions(describe(positions)) == positions


def test_sites_are_written_as_the_field_writes_them():
    assert str(cb.head(9, 6)) == "9.6"
    assert str(cb.resid_pre(5).at(12)) == "resid_pre 5 @ 12"
    assert str(cb.head(9, 6).at(["S2", -1]).scale(0.5)) == "scale 9.6 @ S2, -1 ×0.5"


def test_positions_resolve_per_prompt():
    labels = {"S2": (3, 1)}
    assert resolve(positions_of(["S2", -1]), 5, labels, 2) == ((3, 4), (1, 4))
    assert resolve(positions_of(slice(1, 3)), 5, {}, 1) == ((1, 2),)
    assert resolve(None, 3, {}, 1) == ((0, 1, 2),)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: cb.site("9.6.q.r"), "unknown_site"),
        (lambda: cb.site("resid 5"), "unknown_site"),
        (lambda: cb.site(9.6), "unknown_site"),
        (lambda: cb.head(-1, 0), "unknown_site"),
        (lambda: cb.head(1.5, 0), "unknown_site"),
        (lambda: cb.head(0, True), "unknown_site"),
        (lambda: cb.head(0, 0).at([]), "bad_positions"),
        (lambda: cb.head(0, 0).at(1.5), "bad_positions"),
        (lambda: cb.head(0, 0).at("two words"), "bad_positions"),
        (lambda: cb.head(0, 0).scale(float("nan")), "non_finite_value"),
        (lambda: cb.head(0, 0).scale(float("inf")), "non_finite_value"),
        (lambda: cb.head(0, 0).scale("2"), "bad_strength"),
        (lambda: resolve(positions_of(5), 5, {}, 1), "position_out_of_range"),
        (lambda: resolve(positions_of(slice(9, 12)), 5, {}, 1), "position_out_of_range"),
        (lambda: resolve(positions_of("END"), 5, {}, 1), "unknown_label"),
    ],
)
def test_bad_addresses_are_refused_with_a_code(make, code):
    with pytest.raises(cb.CircuitboardError) as caught:
        make()
    assert caught.value.code == code
    assert len(caught.value.message) > 20
