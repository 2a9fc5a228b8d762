"""What numbers and lists are read as, whoever made them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch

from circuitboard.address import entries, head, plain, positions_of, real, single, truth, whole
from circuitboard.errors import CircuitboardError

TWOS = [
    2, np.int64(2), np.uint8(2), np.array(2), np.array([2]), np.array([[2]]), torch.tensor(2), torch.tensor([2]),
    torch.tensor(2, dtype=torch.int32), pd.Series([2], index=[7]), pd.Series([2], dtype="Int64"), pd.Index([2]),
]  # fmt: skip
HALVES = [
    0.5, np.float32(0.5), np.float64(0.5), np.float16(0.5), np.array(0.5), np.array([0.5]), torch.tensor(0.5),
    torch.tensor([0.5], dtype=torch.bfloat16), torch.tensor(0.5, requires_grad=True), pd.Series([0.5]),
]  # fmt: skip
BOOLS = [True, np.True_, np.array(True), torch.tensor(True), pd.Series([True])]
NO_NUMBER = ["2", None, [2], (2,), {2}, np.array([1, 2]), torch.empty(0), 2j, torch.tensor(2, device="meta"), int]


@pytest.mark.parametrize("given", TWOS, ids=repr)
def test_a_whole_number_is_one(given):
    assert whole(given) == 2
    assert type(whole(given)) is int
    assert real(given) == 2.0


@pytest.mark.parametrize("given", HALVES, ids=repr)
def test_a_real_number_is_one_and_no_whole_one(given):
    assert real(given) == 0.5
    assert type(real(given)) is float
    assert whole(given) is None


@pytest.mark.parametrize("given", BOOLS, ids=repr)
def test_a_bool_is_no_number(given):
    assert truth(given) is True
    assert whole(given) is None
    assert real(given) is None


@pytest.mark.parametrize("given", NO_NUMBER, ids=repr)
def test_nothing_else_is_a_number(given):
    assert whole(given) is None
    assert real(given) is None
    assert truth(given) is None


@pytest.mark.parametrize("given", [2.0, np.float64(2), torch.tensor(2.0), np.array([2.0])], ids=repr)
def test_a_float_is_no_whole_number_even_if_it_is_integral(given):
    assert whole(given) is None


def test_numbers_beyond_floats_are_infinite():
    assert real(-(10**400)) == -math.inf


@pytest.mark.parametrize(
    "given",
    [[1, 2], (1, 2), range(1, 3), np.array([1, 2]), torch.tensor([1, 2]), pd.Series([1, 2], index=[5, 3]), {1: 0, 2: 0}.keys(), pd.Index([1, 2]), [np.int64(1), torch.tensor(2)]],
    ids=repr,
)  # fmt: skip
def test_a_list_has_entries(given):
    assert entries(given) == [1, 2]


@pytest.mark.parametrize("given", ["12", b"12", {1: 2}, 12, np.array(12), None, pd.DataFrame({"a": [1]})], ids=repr)
def test_text_a_mapping_and_a_number_are_no_lists(given):
    assert entries(given) is None


def test_what_is_no_array_stays_as_it_is():
    thing = object()
    assert plain(thing) is thing
    assert single(thing) is thing
    assert single([2]) == [2]


@pytest.mark.parametrize("given", [g for g in TWOS if np.ndim(g) == 0], ids=repr)
def test_positions_are_plain_whoever_made_them(given):
    assert head(1, 2).at(given) == head(1, 2).at(2)
    assert repr(head(1, given).at(given)) == repr(head(1, 2).at(2))
    assert head(1, 2).at(slice(given, None)) == head(1, 2).at(slice(2, None))


@pytest.mark.parametrize("given", [np.array([1, 2]), torch.tensor([1, 2]), pd.Series([1, 2]), (np.int64(1), torch.tensor(2))], ids=repr)  # fmt: skip
def test_lists_of_positions_are_plain_whoever_made_them(given):
    assert repr(head(1, 2).at(given)) == repr(head(1, 2).at([1, 2]))


def test_labels_of_positions_in_an_array_are_labels():
    assert head(1, 2).at(np.array(["S2", "END"])) == head(1, 2).at(["S2", "END"])


@pytest.mark.parametrize("given", [True, np.True_, 2.0, np.array([1.0]), np.array([True, False]), torch.tensor([[1, 2]]), {1: 2}, slice(0.5, None), slice(True, None), np.array([])], ids=repr)  # fmt: skip
def test_what_is_no_position_is_refused(given):
    with pytest.raises(CircuitboardError) as refused:
        positions_of(given)
    assert refused.value.code == "bad_positions"
