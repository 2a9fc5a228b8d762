from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import circuitboard as cb
from circuitboard.address import INDEXED, KINDS, Site, describe, parse_positions, positions_of, resolve

entries = (
    st.integers(-99, 99)
    | st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(lambda label: label != "all")
    | st.builds(slice, st.none() | st.integers(-9, 9), st.none() | st.integers(-9, 9), st.none() | st.integers(1, 3))
)
places = st.none() | entries | st.lists(entries, min_size=1, max_size=4)


def component(kind, layer, index):
    return Site(kind, 0 if kind == "embed" else layer, index if kind in INDEXED else None)


components = st.builds(component, st.sampled_from(KINDS), st.integers(0, 999), st.integers(0, 9999))
sites = st.builds(
    lambda site, where, sources: site.at(where, sources if site.kind == "head.pattern" else None),
    components,
    places,
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
    assert str(cb.head(9, 6).q) == "9.6.q"
    assert str(cb.head(9, 6).pattern.at("END", ["S1", 2])) == "9.6.pattern @ END <- S1, 2"
    assert str(cb.head(9, 6).pattern.at(None, 0)) == "9.6.pattern @ all <- 0"
    assert str(cb.neuron(31, 892)) == "neuron 31.892"
    assert str(cb.embed()) == "embed"
    assert str(cb.resid_pre(5).at(12)) == "resid_pre 5 @ 12"
    assert str(cb.head(9, 6).at(["S2", -1]).scale(0.5)) == "scale 9.6 @ S2, -1 ×0.5"


@given(components, st.none() | places)
def test_a_component_is_the_site_without_positions(site, where):
    assert site.at(where).component == site
    assert cb.site(site.at(where).name) == site


def test_positions_count_in_the_tokens_of_padded_prompts():
    labels = {"S2": (3, 1)}
    padded = {"labels": labels, "n_positions": 7, "n_prompts": 2, "lengths": (7, 4)}
    assert resolve(None, **padded) == ((0, 1, 2, 3, 4, 5, 6), (3, 4, 5, 6))
    assert resolve(positions_of([0, "S2", -1]), **padded) == ((0, 3, 6), (3, 4, 6))
    assert resolve(positions_of(slice(-6, -3)), **padded) == ((1, 2, 3), (3,))
    assert resolve(positions_of(slice(-7, -4)), **padded) == ((0, 1, 2), ()), "a slice may miss a prompt"
    for beyond in (4, -5):
        with pytest.raises(cb.AddressError, match="prompt 1, which has 4 tokens") as caught:
            resolve(positions_of(beyond), **padded)
        assert caught.value.code == "position_out_of_range"
    with pytest.raises(cb.AddressError, match="none of the 7"):
        resolve(positions_of(slice(7, 9)), **padded)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.data())
def test_padding_moves_positions_and_does_nothing_else(lengths, data):
    where = positions_of(data.draw(st.none() | st.integers(-min(lengths), min(lengths) - 1) | st.just(slice(0, 3))))
    width = max(lengths)
    found = resolve(where, width, {}, len(lengths), lengths)
    for row, length in zip(found, lengths, strict=True):
        (alone,) = resolve(where, length, {}, 1)
        assert row == tuple(position + width - length for position in alone)


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
