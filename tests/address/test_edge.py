"""Edges: what may send, what may receive, and how they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import circuitboard as cb
from circuitboard.address.edge import RECEIVERS, SENDERS
from tests.address.test_site import component, places

edges = st.builds(
    lambda sender, receiver, layer, later, i, j, where: cb.edge(
        component(sender, layer, i), component(receiver, layer + later, j)
    ).at(where),
    st.sampled_from(SENDERS),
    st.sampled_from(RECEIVERS),
    st.integers(0, 99),
    st.integers(1, 99),
    st.integers(0, 999),
    st.integers(0, 999),
    places,
)


@given(edges)
def test_written_edges_read_back_as_themselves(edge):
    assert cb.site(str(edge)) == edge
    assert edge.at(None) == edge.component
    assert (edge.layer, edge.index) == (edge.receiver.layer, edge.receiver.index)


def test_edges_are_written_sender_first():
    edge = cb.edge(cb.head(9, 6), cb.head(10, 7).q)
    assert str(edge.at("END")) == "9.6 -> 10.7.q @ END"
    assert str(edge.patch()) == "patch 9.6 -> 10.7.q"
    assert str(cb.edge(cb.neuron(1, 2), cb.mlp_out(3)).scale(2)) == "scale neuron 1.2 -> mlp_out 3 ×2"


def test_within_a_layer_only_what_comes_before_sends():
    cb.edge(cb.head(1, 0), cb.mlp_out(1))
    cb.edge(cb.embed(), cb.head(0, 0).v)
    for sender, receiver in (
        (cb.head(1, 0), cb.head(1, 1)),
        (cb.mlp_out(1), cb.mlp_out(1)),
        (cb.head(2, 0), cb.head(1, 0).q),
        (cb.mlp_out(1), cb.resid_mid(1)),
    ):
        with pytest.raises(cb.AddressError) as caught:
            cb.edge(sender, receiver)
        assert caught.value.code == "no_such_edge"


@pytest.mark.parametrize(
    ("sender", "receiver", "code"),
    [
        (cb.resid_pre(0), cb.head(1, 0), "unknown_site"),
        (cb.head(0, 0).q, cb.head(1, 0), "unknown_site"),
        (cb.head(0, 0), cb.head(1, 0).pattern, "unknown_site"),
        (cb.head(0, 0), cb.neuron(1, 0), "unknown_site"),
        (cb.head(0, 0).at(1), cb.head(1, 0), "bad_positions"),
        (cb.head(0, 0), cb.head(1, 0).at(1), "bad_positions"),
        ("0.0", cb.head(1, 0), "unknown_site"),
    ],
)
def test_other_ends_are_refused_with_a_reason(sender, receiver, code):
    with pytest.raises(cb.AddressError) as caught:
        cb.edge(sender, receiver)
    assert caught.value.code == code


def test_an_edge_says_whose_keys_and_values_it_changes():
    """Where query heads share keys and values, an edge to a head is heard by that head alone."""
    assert repr(cb.edge(cb.head(9, 6), cb.head(10, 7))) == (
        "Edge(9.6 -> 10.7; with grouped keys the other heads of its group keep theirs)"
    )
    assert "all heads of the group read these" in repr(cb.edge(cb.head(9, 6), cb.head(10, 1).k).at(3))
    assert repr(cb.edge(cb.head(9, 6), cb.head(10, 7).q).at("END")) == "Edge(9.6 -> 10.7.q @ END)"
    assert "the group keep theirs" in " ".join(cb.address.Edge.__doc__.split())
