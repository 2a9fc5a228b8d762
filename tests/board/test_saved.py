"""Saved boards hold the whole vocabulary, say what they were made with, and can be computed again."""

from __future__ import annotations

import json

import pytest
import torch

import circuitboard as cb
from circuitboard.cli import main
from circuitboard.files.storage import reopen
from circuitboard.models.account.fingerprint import fingerprint
from tests.tiny_models import FAMILIES, tiny

VECTOR = torch.linspace(-1, 1, 32)


def make(model, **options):
    clean = torch.tensor([[5, 6, 7, 8], [9, 8, 7, 6], [1, 2, 3, 4]])
    labels = {"A": [0, 1, 2], "END": -1}
    pair = cb.PromptPair(clean, clean.flip(1), answer=[{1, 2}, 3, 4], wrong=[5, {6, 7}, 8], labels=labels)
    reference = cb.PromptPair(clean.flip(0) + 10, answer=0, labels=labels)
    board = cb.Board(
        model, pair, **{"metric": {"ld": "logit_diff", "KL": "kl", "loss": "loss"}, "reference": reference, **options}
    )
    board.edit(cb.head(1, 1).mean(), cb.head(0, 1).at("A").resample(4, per="label"), cb.mlp_out(2).freeze())
    board.edit(cb.resid_pre(1).add(VECTOR, scale=0.5), cb.neuron(0, 3).set(1.5), cb.resid_post(0).set(VECTOR.double()))
    run = cb.Run(clean + 20, [cb.head(0, 0).zero(), cb.attn_out(0).add(VECTOR)])
    board.edit(cb.head(2, 2).patch(run), cb.edge(cb.head(0, 3), cb.head(2, 0).q).mean())
    board.toggle(1)
    return board


def test_everything_comes_back(tmp_path):
    model = tiny("gpt2")
    board = make(model)
    board.save(tmp_path / "a.board.json")
    loaded = cb.Board.load(tmp_path / "a.board.json", model)
    assert loaded.edits == board.edits
    assert loaded.metrics["value"].to_list() == pytest.approx(board.metrics["value"].to_list(), abs=1e-5)
    assert loaded.prompts.answers.sets == board.prompts.answers.sets
    assert loaded.history.state == board.history.state
    while loaded.history.can_undo:
        loaded.undo()
        board.undo()
        assert loaded.edits == board.edits
        assert loaded.values.tolist() == pytest.approx(board.values.tolist(), abs=1e-5)
    board.redo()
    loaded.close()
    board.close()


def test_the_manifest_says_what_it_was_made_with(tmp_path):
    model = cb.load("demo")
    board = cb.Board(model, cb.tasks.induction(4, seed=7, model=model))
    board.edit(cb.head(1, 1).resample(5))
    board.save(tmp_path / "a.board.json")
    saved = json.loads((tmp_path / "a.board.json").read_text())
    marks = fingerprint(model)
    assert saved["model"]["weights"] == marks.weights
    assert saved["model"]["tokenizer"] == marks.tokenizer
    assert saved["model"]["device"] == "cpu"
    assert saved["model"]["dtype"] == "float32"
    assert {"circuitboard", "torch", "transformer-lens", "transformers", "python"} <= saved["versions"].keys()
    assert saved["prompts"]["recipe"]["task"] == "induction"
    assert saved["prompts"]["recipe"]["arguments"]["seed"] == 7
    assert isinstance(saved["prompts"]["prepend_bos"], bool)
    assert saved["states"][-1]["edits"][0]["seed"] == 5
    board.close()


def test_fingerprints_tell_weights_apart():
    one, other = FAMILIES["gpt2"](), FAMILIES["neox"]()
    before = fingerprint(one)
    assert before == fingerprint(one)
    assert before.weights != fingerprint(other).weights
    parameter = next(iter(one.original_model.parameters()))
    with torch.no_grad():
        parameter.view(-1)[0] += 1
    assert fingerprint(one).weights != before.weights
    assert before.tokenizer is None
    assert fingerprint(cb.load("demo")).tokenizer is not None


def test_other_weights_are_told(tmp_path):
    model = FAMILIES["gpt2"]().eval()
    board = make(model)
    board.save(tmp_path / "a.board.json")
    board.close()
    with torch.no_grad():
        for parameter in model.original_model.parameters():
            parameter.mul_(1.1)
    found = reopen(cb.Board, tmp_path / "a.board.json", model)
    assert not found.ok
    assert [metric.metric for metric in found.metrics] == ["ld", "KL", "loss"]
    assert any(difference.startswith("weights was") for difference in found.differences)
    found.board.close()
    with pytest.warns(UserWarning, match="weights was"):
        cb.Board.load(tmp_path / "a.board.json", model).close()


def test_the_command_computes_a_board_again(tmp_path, capsys):
    model = cb.load("demo")
    board = cb.Board(model, cb.tasks.ioi(6, model=model), metric=["logit_diff", "prob"])
    board.edit(cb.head(3, 0).mean())
    path = tmp_path / "a.board.json"
    board.save(path)
    assert main(["run", str(path)]) == 0
    shown = capsys.readouterr().out
    assert shown.count("holds") == 2
    assert "manifest" not in shown
    saved = json.loads(path.read_text())
    saved["values"][0] += 0.5
    saved["versions"]["torch"] = "1.0"
    path.write_text(json.dumps(saved))
    assert main(["run", str(path)]) == 1
    shown = capsys.readouterr().out
    assert "DOES NOT HOLD" in shown
    assert "manifest: torch was 1.0" in shown
    assert main(["run", str(tmp_path / "none.json")]) == 2
    assert "[no_such_file]" in capsys.readouterr().err
    board.close()


@pytest.mark.parametrize(
    "change",
    [
        {"data": "!!!"},
        {"data": ""},
        {"shape": [3]},
        {"shape": [-32]},
        {"shape": [2**40, 2**40]},
        {"dtype": "float16"},
        {"data": "AADAfw=="},
    ],
)
def test_damaged_numbers_are_refused(tmp_path, change):
    board = make(tiny("gpt2"))
    board.save(tmp_path / "a.board.json")
    board.close()
    saved = json.loads((tmp_path / "a.board.json").read_text())
    values = saved["states"][2]["edits"][3]["values"]
    assert values["shape"] == [32]
    values.update(change)
    (tmp_path / "a.board.json").write_text(json.dumps(saved))
    with pytest.raises(cb.SessionFileError) as caught:
        cb.Board.load(tmp_path / "a.board.json", tiny("gpt2"))
    assert caught.value.code == "bad_session_file"
