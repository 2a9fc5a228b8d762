"""Promise 20, the first half: whatever arrives is a request or a `ProtocolError`.

That the board is unchanged after one is held by the tests of the widget's session.
"""

from __future__ import annotations

import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuitboard.errors import ProtocolError
from circuitboard.protocol import messages as m
from circuitboard.protocol.codec import MAX_ID, decode_request, encode, error_info, request_id
from tests.protocol.golden_messages import EXAMPLES

REQUESTS = {name: encode(message) for name, message in EXAMPLES.items() if isinstance(message, m.Request)}
KINDS = sorted({content["kind"] for content in REQUESTS.values()})
FIELDS = sorted({field for content in REQUESTS.values() for field in content})

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            *KINDS,
            "zero",
            "mean",
            "resample",
            "patch",
            "add",
            "label",
            "clean",
            "head",
            "resid_pre",
            "neuron",
            "csv",
            "9.6",
            "nan",
            "__proto__",
        ]
    )
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.sampled_from(FIELDS), inner, max_size=5)
    ),
    max_leaves=12,
)
no_json = st.binary(max_size=8) | st.just(object()) | st.tuples(st.integers()) | st.sets(st.integers(), max_size=2)


def decoded(content) -> m.Request | None:
    """The request, or None if it was refused as it should be."""
    assert len(request_id(content)) <= MAX_ID
    try:
        request = decode_request(content)
    except ProtocolError as error:
        info = error_info(error)
    else:
        info = None
    if info is not None:
        assert info.code == "bad_message"
        assert len(info.message) < 5_000
        return None
    assert isinstance(request, m.Request)
    assert len(request.id) <= MAX_ID
    return request


@given(anything | no_json)
def test_anything_is_a_request_or_refused(content):
    decoded(content)


@given(st.fixed_dictionaries({"kind": st.sampled_from(KINDS), "id": st.text(max_size=6)}, optional=dict.fromkeys([f for f in FIELDS if f not in {"kind", "id"}], anything)))  # fmt: skip
def test_known_kinds_with_any_fields_are_requests_or_refused(content):
    request = decoded(content)
    if request is not None:
        assert encode(request)["kind"] == content["kind"]
        assert decode_request(encode(request)) == request


@given(data=st.data())
def test_spoiled_requests_are_requests_or_refused(data):
    content = dict(REQUESTS[data.draw(st.sampled_from(sorted(REQUESTS)))])
    for _ in range(data.draw(st.integers(1, 3))):
        field = data.draw(st.sampled_from([*content, "extra"]))
        if data.draw(st.booleans()):
            content.pop(field, None)
        else:
            content[field] = data.draw(anything | no_json)
    decoded(content)


@given(st.binary(max_size=60) | st.text(max_size=60) | anything.map(lambda value: json.dumps(value, allow_nan=True)))
def test_text_and_bytes_are_not_requests(content):
    assert decoded(content) is None


def test_depth_is_no_way_in():
    content: object = 1
    for _ in range(100_000):
        content = [content]
    assert decoded(content) is None
    assert decoded({"kind": "click", "id": "1", "site": content}) is None
    while isinstance(content, list):  # taken apart by hand: deep lists are freed recursively
        content = content.pop()


@pytest.mark.parametrize("name", sorted(REQUESTS))
@pytest.mark.parametrize("spoiled", [None, 1, ["a"], {}, True, 1.5])
def test_the_id_has_to_be_text(name, spoiled):
    assert decoded(REQUESTS[name] | {"id": spoiled}) is None


def test_an_id_may_be_so_long_and_no_longer():
    content = next(iter(REQUESTS.values()))
    assert decode_request(content | {"id": "x" * MAX_ID}).id == "x" * MAX_ID
    assert decoded(content | {"id": "x" * (MAX_ID + 1)}) is None
    assert request_id({"id": "x" * 1_000_000}) == "x" * MAX_ID
    assert request_id({"id": 5}) == request_id([]) == request_id(None) == request_id({}) == ""


@pytest.mark.parametrize("kind", ["", "Click", "CLICK", "welcome", "__class__", "click\0", None, 3])
def test_kinds_that_views_may_not_send_are_refused(kind):
    assert decoded({"kind": kind, "id": "1"}) is None


@given(st.floats())
def test_a_number_survives_the_wire_whatever_it_is(x):
    real = msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(m.Real.of(x)), allow_nan=False)), m.Real)
    if math.isfinite(x):
        assert real == m.Real(value=x)
    else:
        assert real == m.Real(special="nan" if math.isnan(x) else "inf" if x > 0 else "-inf")


def test_errors_that_are_not_ours_keep_their_words():
    info = error_info(ZeroDivisionError("division by zero"))
    assert (info.code, info.message) == ("internal", "ZeroDivisionError: division by zero")
