"""Promise 19: whatever a session file holds, it is a board or one clear error, and nothing is written.

Not covered: how much memory the *model* takes for a data set as large as a file of 64 MiB can hold.
"""

from __future__ import annotations

import io
import json
import os
import pickle  # noqa: TID251  made here to be refused
import random
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import circuitboard as cb
from circuitboard.files import saved as saved_format
from circuitboard.files import storage
from tests.security.session_files import MODEL, board, board_pair, line, replaced, spots
from tests.tiny_models import D_VOCAB, tiny


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The bytes of a good file."""
    made = board()
    path = tmp_path_factory.mktemp("saved") / "good.board.json"
    made.save(path)
    made.close()
    return path.read_bytes()


@pytest.fixture(scope="module")
def document(saved):
    return json.loads(saved)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in sorted(folder.rglob("*"))}


def refused(path, *codes):
    """The error of loading a file, which must be one of ours and must leave no trace."""
    before = listing(path.parent)
    with pytest.raises(cb.SessionFileError) as caught:
        cb.Board.load(path, tiny(MODEL))
    assert listing(path.parent) == before
    assert caught.value.code in codes, caught.value
    assert len(caught.value.message) < 2_000
    return caught.value


def write(tmp_path, content) -> Path:
    path = tmp_path / "bad.board.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def test_a_good_file_is_the_board(saved, tmp_path):
    path = write(tmp_path, saved)
    expected, loaded = board(), cb.Board.load(path, tiny(MODEL))
    assert loaded.edits == expected.edits
    assert loaded.values.tolist() == pytest.approx(expected.values.tolist(), abs=1e-5)
    assert loaded.prompts.labels == {"END": [2, 2]}
    loaded.undo()
    expected.undo()
    assert loaded.edits == expected.edits
    loaded.close()
    expected.close()


class Trap:
    """Unpickled, this makes a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_never_opened(tmp_path, protocol):
    trap = tmp_path / "sprung"
    path = write(tmp_path, pickle.dumps(Trap(trap), protocol=protocol))
    # Protocols 0 and 1 have no magic number; they are no JSON either.
    refused(path, "pickle_refused" if protocol >= 2 else "bad_session_file")
    assert not trap.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_torch_file_is_never_opened(tmp_path, zipped):
    buffer = io.BytesIO()
    torch.save({"edits": torch.zeros(2)}, buffer, _use_new_zipfile_serialization=zipped)  # noqa: TID251  the thing refused
    refused(write(tmp_path, buffer.getvalue()), "pickle_refused")


def test_a_zip_is_never_opened(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../escaped", "x")
    refused(write(tmp_path, buffer.getvalue()), "pickle_refused")


def test_a_file_cut_short_is_refused_wherever_it_was_cut(saved, tmp_path):
    path = tmp_path / "cut.board.json"
    for end in [*range(0, len(saved) - 1, 7), len(saved) - 2]:
        path.write_bytes(saved[:end])
        refused(path, "bad_session_file")


def test_flipped_bytes_give_a_board_or_one_clear_error(saved, tmp_path):
    path, draw, outcomes = tmp_path / "flipped.board.json", random.Random(0), set()
    for _ in range(150):
        data = bytearray(saved)
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(data)
        outcomes.add(_load(path))
    assert "bad_session_file" in outcomes


def _load(path) -> str:
    """The code of the refusal, or "loaded"."""
    before = listing(path.parent)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # other numbers than those saved
            cb.Board.load(path, tiny(MODEL)).close()
    except cb.SessionFileError as error:
        return error.code
    finally:
        assert listing(path.parent) == before
    return "loaded"


def test_a_huge_file_is_refused_unread(saved, tmp_path, monkeypatch):
    path = write(tmp_path, saved)
    monkeypatch.setattr(storage, "MAX_BYTES", len(saved))
    cb.Board.load(path, tiny(MODEL)).close()
    monkeypatch.setattr(storage, "MAX_BYTES", len(saved) - 1)
    refused(path, "file_too_large")


def test_no_more_than_the_limit_is_read_of_a_file_without_end(tmp_path, monkeypatch):
    path = tmp_path / "sparse.board.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a terabyte that takes no room
    monkeypatch.setattr(storage, "MAX_BYTES", 1 << 20)
    refused(path, "file_too_large")


def test_a_board_too_large_to_be_read_again_is_not_written(tmp_path, monkeypatch):
    made = board()
    monkeypatch.setattr(storage, "MAX_BYTES", 100)
    with pytest.raises(cb.SessionFileError) as caught:
        made.save(tmp_path / "large.board.json")
    assert caught.value.code == "file_too_large"
    assert list(tmp_path.iterdir()) == []
    made.close()


@pytest.mark.parametrize("version", [0, 7, -1, 10**30])
def test_another_version_says_what_to_do(document, tmp_path, version):
    error = refused(write(tmp_path, document | {"version": version, "future": 1}), "wrong_version", "bad_session_file")
    assert error.code == "wrong_version" or version == 10**30
    assert "version" in error.message or version == 10**30


@pytest.mark.parametrize(
    "change",
    [
        {"format": "circuitboard.circuit"},
        {"format": 3},
        {"extra": 1},
        {"version": "1"},
        {"version": 1.5},
        {"metric": ["logit_diff"]},
        {"states": []},
        {"states": {}},
        {"values": []},
        {"values": [0.0] * 3},
        {"values": ["nan", "nan"]},
        {"versions": None},
        {"model": None},
    ],
    ids=str,
)
def test_other_shapes_are_refused(document, tmp_path, change):
    refused(write(tmp_path, document | change), "bad_session_file")


OPTIONAL = {"more_values", "reference", "device", "revision", "weights", "tokenizer", "recipe", "label", "step"}
OPTIONAL |= {"value", "ahead", "left_out"}
"""What files of earlier versions lack, or what may be unknown."""


def test_every_field_is_needed(document, tmp_path):
    for path in spots(document):
        named = path and isinstance(path[-1], str) and path[-1] not in OPTIONAL
        if named and path[-2:-1] not in {("versions",), ("labels",), ("metric",)}:
            parent = document
            for key in path[:-1]:
                parent = parent[key]
            left = {key: value for key, value in parent.items() if key != path[-1]}
            code = "wrong_version" if path == ("version",) else "bad_session_file"
            refused(write(tmp_path, replaced(document, path[:-1], left)), code)


@pytest.mark.parametrize(
    "step",
    [
        {"kind": "Toggle", "given": {"index": [0]}, "edits": {}},
        {"kind": "Toggle", "given": {"index": [9]}, "edits": {}},
        {"kind": "Toggle", "given": {"index": "0"}, "edits": {}},
        {"kind": "Toggle", "given": {}, "edits": {}},
        {"kind": "Toggle", "given": {"index": [0], "more": 1}, "edits": {}},
        {"kind": "Undo", "given": {}, "edits": {}},
        {"kind": "__class__", "given": {}, "edits": {}},
        {"kind": "Add", "given": {"interventions": [1]}, "edits": {}},
        {"kind": "Add", "given": {}, "edits": {"interventions": []}},
        {"kind": "Add", "given": {}, "edits": {"interventions": [99]}},
    ],
    ids=str,
)
def test_a_step_that_does_not_lead_from_state_to_state_is_refused(document, tmp_path, step):
    assert document["states"][1]["step"]["kind"] == "Add"
    refused(write(tmp_path, replaced(document, ("states", 1, "step"), step)), "bad_session_file", "does_not_fit")


@pytest.mark.parametrize("content", [b"", b"\0", b"\xff\xfe", b"null", b"[]", b"{}", b"true", b"1", b'""', b"{" * 100_000, b"[" * 100_000, b'{"states":' * 50_000, b'{"format":"circuitboard.board","version":1,"x":' + b"[" * 50_000])  # fmt: skip
def test_what_is_no_board_is_refused(tmp_path, content):
    refused(write(tmp_path, content), "bad_session_file", "wrong_version")


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "01", "0x10", "1_000", "'1'"])
def test_numbers_that_json_does_not_have_are_refused(document, saved, tmp_path, literal):
    marked = json.dumps(document | {"values": ["MARK", 0.0]}).replace('"MARK"', literal)
    refused(write(tmp_path, marked.encode()), "bad_session_file")


def _edit(**fields):
    return {"site": "1.2", "how": "zero", "strength": None, "enabled": True} | fields


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (_edit(site="1.2 @ 3"), "does_not_fit"),
        (_edit(site="1.2 @ IO"), "does_not_fit"),
        (_edit(site="1.2 @ 5:9"), "does_not_fit"),
        (_edit(site="1.2 @ ::0"), "does_not_fit"),
        (_edit(site="3.0"), "does_not_fit"),
        (_edit(site="0.4"), "does_not_fit"),
        (_edit(site="mlp_out 0"), "does_not_fit"),
        (_edit(site="1.2 @ " + "9" * 5000), "bad_session_file"),
        (_edit(site="1.2 @ 0:" + "9" * 5000), "bad_session_file"),
        (_edit(site="9" * 5000 + ".0"), "bad_session_file"),
        (_edit(site="1.2 @"), "bad_session_file"),
        (_edit(site="1.2 @ ,"), "bad_session_file"),
        (_edit(site="../../1.2"), "bad_session_file"),
        (_edit(site=""), "bad_session_file"),
        (_edit(site=12), "bad_session_file"),
        (_edit(how="delete"), "bad_session_file"),
        (_edit(how="scale"), "bad_session_file"),
        (_edit(strength=2.0), "bad_session_file"),
        (_edit(how="scale", strength="2"), "bad_session_file"),
        (_edit(enabled=1), "bad_session_file"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_edits_that_do_not_fit_are_refused(document, tmp_path, edit, code):
    states = [{"base": "clean", "edits": []}, {"base": "clean", "edits": [edit]}]
    refused(write(tmp_path, line(document, states)), code)


def test_an_edit_that_does_not_fit_is_refused_in_an_earlier_state_too(document, tmp_path):
    bad = {"base": "clean", "edits": [_edit(site="3.0")]}
    states = [{"base": "clean", "edits": []}, bad, {"base": "clean", "edits": []}]
    refused(write(tmp_path, line(document, states)), "does_not_fit")
    aside = line(document, [*states, {"base": "clean", "edits": []}])
    aside["states"][3]["parent"] = 0  # a branch that the board is not on
    refused(write(tmp_path, aside), "does_not_fit")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"current": None}, "bad_session_file"),
        ({"current": 9}, "bad_session_file"),
        ({"current": -1}, "bad_session_file"),
        ({"current": True}, "bad_session_file"),
        ({"ahead": [1]}, "bad_session_file"),
        ({"ahead": [9]}, "bad_session_file"),
        ({"ahead": [-1]}, "bad_session_file"),
        ({"current": 1, "ahead": [2, 3]}, "bad_session_file"),  # the next one stands last
        ({"current": 0, "ahead": [3, 2]}, "bad_session_file"),
    ],
    ids=str,
)
def test_a_place_where_no_board_stands_is_refused(document, tmp_path, change, code):
    assert [state.get("parent") for state in document["states"]] == [None, 0, 1, 2]
    assert (document["current"], document["ahead"]) == (3, [])
    refused(write(tmp_path, document | change), code)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((0, "parent"), 0),
        ((0, "parent"), 1),
        ((1, "parent"), None),
        ((1, "parent"), 1),
        ((1, "parent"), 3),
        ((2, "parent"), -1),
        ((2, "parent"), 2**70),
        ((0, "edits"), [_edit()]),
        ((1, "edits"), [0]),
        ((2, "edits"), [3]),
        ((2, "edits"), [-1]),
        ((2, "edits"), [2**70]),
        ((1, "edits"), [_edit(how="set", values=0)]),
        ((1, "edits"), [_edit(how="set", values=-1)]),
    ],
    ids=str,
)
def test_what_grows_from_nowhere_is_refused(document, tmp_path, place, value):
    states = [dict(state) for state in document["states"]]
    states[place[0]][place[1]] = value
    refused(write(tmp_path, document | {"states": states}), "bad_session_file")


def test_states_have_a_limit(document, tmp_path, monkeypatch):
    monkeypatch.setattr(saved_format, "MAX_STATES", 4)
    cb.Board.load(write(tmp_path, document), tiny(MODEL)).close()
    monkeypatch.setattr(saved_format, "MAX_STATES", 3)
    assert "4 states" in refused(write(tmp_path, document), "too_many_states").message


@pytest.mark.parametrize(
    ("prompts", "codes"),
    [
        ({"clean_tokens": [[5, 6, 7], [9, 8]]}, ["does_not_fit"]),
        ({"corrupted_tokens": [[5], [9, 8, 7]]}, ["does_not_fit"]),
        ({"clean_tokens": [[5, 6, D_VOCAB], [9, 8, 7]]}, ["does_not_fit"]),
        ({"clean_tokens": [[5, 6, -1], [9, 8, 7]]}, ["does_not_fit"]),
        ({"clean_tokens": [[5, 6, 2**63], [9, 8, 7]]}, ["bad_session_file"]),
        ({"clean_tokens": [[5, 6, 2**64], [9, 8, 7]]}, ["bad_session_file"]),
        ({"clean_tokens": [[5, 6, 1.5], [9, 8, 7]]}, ["bad_session_file"]),
        ({"clean_tokens": [[]]}, ["does_not_fit"]),
        ({"clean_tokens": []}, ["does_not_fit"]),
        ({"clean_tokens": [[5] * 33, [5] * 33]}, ["does_not_fit"]),
        ({"corrupted_tokens": [[5, 6, 7]]}, ["does_not_fit"]),
        ({"corrupted_tokens": [[5, 6], [7, 8]]}, ["does_not_fit"]),
        ({"answer_ids": [1]}, ["does_not_fit"]),
        ({"answer_ids": [1, D_VOCAB]}, ["does_not_fit"]),
        ({"answer_ids": [1, -1]}, ["does_not_fit"]),
        ({"answer_ids": [1, 2**70]}, ["does_not_fit", "bad_session_file"]),
        ({"answer_ids": [3, 2]}, ["does_not_fit"]),
        ({"wrong_ids": None}, ["does_not_fit"]),
        ({"labels": {"END": [2]}}, ["does_not_fit"]),
        ({"labels": {"END": [2, 3]}}, ["does_not_fit"]),
        ({"labels": {"END": [2, 2**70]}}, ["does_not_fit", "bad_session_file"]),
        ({"labels": {"../x": [2, 2]}}, ["does_not_fit"]),
        ({"labels": {"other": [2, 2]}}, ["does_not_fit"]),
        ({"clean_text": ["a", "b"], "corrupted_text": ["a", "b"]}, ["does_not_fit"]),
        ({"prepend_bos": "yes"}, ["bad_session_file"]),
    ],
    ids=lambda value: str(value)[:60],
)
def test_prompts_that_do_not_fit_are_refused(document, tmp_path, prompts, codes):
    refused(write(tmp_path, document | {"prompts": document["prompts"] | prompts}), *codes)


@pytest.mark.parametrize("field", ["n_layers", "n_heads", "d_model", "d_vocab"])
def test_a_file_for_a_model_of_another_shape_is_refused(document, tmp_path, field):
    model = document["model"] | {field: document["model"][field] + 1}
    refused(write(tmp_path, document | {"model": model}), "does_not_fit")


@pytest.mark.parametrize("dtype", ["float8_e5m2", "complex64", "int64", "_C", "", "../float32", "os", "float32\0"])
def test_the_dtype_is_only_a_word(document, tmp_path, dtype):
    path = write(tmp_path, document | {"model": document["model"] | {"dtype": dtype}})
    cb.Board.load(path, tiny(MODEL)).close()


def test_a_metric_that_is_not_known_is_refused(document, tmp_path):
    refused(write(tmp_path, document | {"metric": "__import__('os').system('true')"}), "does_not_fit")


def test_numbers_that_no_longer_hold_are_told(document, tmp_path):
    for values in ([1.0, 1.0], [None, None], [document["values"][0], 1e300]):
        with pytest.warns(UserWarning, match="when it was saved"):
            cb.Board.load(write(tmp_path, document | {"values": values}), tiny(MODEL)).close()


def test_a_name_that_is_a_path_or_an_address_is_only_a_name(document, tmp_path):
    for name in ("../../etc/passwd", "https://example.org/model", "demo\0", "no such model", ""):
        path = write(tmp_path, document | {"model": document["model"] | {"reload": name}})
        before = listing(tmp_path)
        with pytest.raises(cb.CircuitboardError):
            cb.Board.load(path)
        assert listing(tmp_path) == before


class TestPaths:
    def test_links_folders_and_pipes_are_refused(self, saved, tmp_path):
        write(tmp_path, saved)
        (tmp_path / "link").symlink_to("bad.board.json")
        (tmp_path / "dangling").symlink_to("nowhere")
        (tmp_path / "device").symlink_to("/dev/zero")
        os.mkfifo(tmp_path / "pipe")
        for name in ("link", "dangling", "device", "pipe", ".", "nothing"):
            refused(tmp_path / name, "no_such_file")

    @pytest.mark.parametrize("name", ["a\0b", "a" * 5000, "half \ud83c of one", "\x1b[2J"])
    def test_a_name_that_no_file_has_is_refused(self, tmp_path, name):
        for call in (lambda path: cb.Board.load(path, tiny(MODEL)), cb.Board(tiny(MODEL), board_pair()).save):
            with pytest.raises(cb.SessionFileError) as caught:
                call(tmp_path / name / "x")
            assert len(caught.value.message) < 800
            assert caught.value.message.isprintable()
            caught.value.message.encode()

    @pytest.mark.parametrize("given", [None, 3, b"a.json", "", ["a"]])
    def test_what_is_no_name_is_refused(self, given):
        for call in (lambda path: cb.Board.load(path, tiny(MODEL)), cb.Board(tiny(MODEL), board_pair()).save):
            with pytest.raises(cb.SessionFileError) as caught:
                call(given)
            assert caught.value.code == "bad_path"

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
    def test_a_file_that_may_not_be_read(self, saved, tmp_path):
        path = write(tmp_path, saved)
        path.chmod(0)
        refused(path, "cannot_read")


def test_a_long_history_is_read_in_time(document, tmp_path):
    state = {"base": "clean", "edits": []}
    path = write(tmp_path, line(document, [state] * 20_000) | {"values": [0.0, 0.0]})
    with pytest.warns(UserWarning, match="when it was saved"):
        loaded = cb.Board.load(path, tiny(MODEL))
    assert len(loaded.history.nodes) == 20_000
    loaded.close()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
likely = st.sampled_from(
    ["1.2", "0.0 @ 1", "9.9", "zero", "patch", "scale", "clean", "corrupted", "prob", "log_prob", "kl", 0, 1, -1, 3, 59]
)


@given(data=st.data())
def test_any_value_anywhere_gives_a_board_or_one_clear_error(document, tmp_path_factory, data):
    folder = _folder(tmp_path_factory)
    changed = document
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(list(spots(changed))[1:]))
        changed = replaced(changed, path, data.draw(anything | likely))
        if not isinstance(changed, dict):
            break
    assert isinstance(_load(write(folder, changed)), str)


@given(content=st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_refused(tmp_path_factory, content):
    refused(write(_folder(tmp_path_factory), content), "bad_session_file", "wrong_version", "pickle_refused")


_folders: list[Path] = []


def _folder(factory) -> Path:
    """One folder for all examples of this file."""
    if not _folders:
        _folders.append(factory.mktemp("fuzzed"))
    return _folders[0]


def test_a_file_cannot_have_pickled_weights_read(document, tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    trap = tmp_path / "sprung"
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_layer": 1, "n_head": 1, "n_embd": 8}
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 8, "n_positions": 8}))
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(trap)))
    path = write(tmp_path, document | {"model": document["model"] | {"reload": str(folder)}})
    with pytest.raises(cb.CircuitboardError) as caught:
        cb.Board.load(path)
    assert caught.value.code in {"model_not_loadable", "no_tokenizer"}
    assert not trap.exists()


@pytest.mark.parametrize("name", ["a" * 5000, "a/" * 2500, "\0", "~" * 300, "/" + "x" * 300])
def test_a_model_s_name_that_no_file_has_is_refused(document, tmp_path, name):
    path = write(tmp_path, document | {"model": document["model"] | {"reload": name}})
    with pytest.raises(cb.CircuitboardError) as caught:
        cb.Board.load(path)
    assert caught.value.code == "unknown_model"
    assert len(caught.value.message) < 1_000
