"""What people type first who know TransformerLens: it works, or the refusal holds the line to type, which runs."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

import circuitboard as cb
from circuitboard.words import FIELD, instead, nearest
from tests.tiny_models import Size, tiny, tiny_of_size


@pytest.fixture(scope="module")
def board():
    ids = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]])
    pair = cb.PromptPair(ids, ids.flip(0), answer=[1, 2], wrong=[3, 4], labels={"END": -1})
    model = tiny_of_size("gpt2", Size(layers=11, heads=8, d_head=4, d_model=32, d_mlp=16))
    made = cb.Board(model, pair)
    yield made
    made.close()


def said(call) -> str:
    with pytest.raises(cb.CircuitboardError) as refused:
        call()
    assert len(str(refused.value)) < 1200
    return refused.value.message


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("L9H6", cb.head(9, 6)),
        ("l9.h6", cb.head(9, 6)),
        ("a9.h6", cb.head(9, 6)),
        ("m3", cb.mlp_out(3)),
        ("blocks.5.hook_resid_pre", cb.resid_pre(5)),
        ("blocks.5.hook_resid_post @ END", cb.resid_post(5).at("END")),
        ("blocks.5.hook_attn_out", cb.attn_out(5)),
        ("blocks.5.hook_mlp_out", cb.mlp_out(5)),
        ("hook_embed", cb.embed()),
        ("a9.h6 -> m9", cb.edge(cb.head(9, 6), cb.mlp_out(9))),
    ],
)
def test_names_of_papers_that_mean_one_site_are_read(text, means):
    assert cb.site(text) == means
    assert cb.site(str(means)) == means


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("blocks.9.attn.hook_z", "cb.head(9, 6)"),
        ("9.attn.hook_z", "cb.head(9, 6)"),
        ("blocks.9.attn.hook_q", "cb.head(9, 6).q"),
        ("blocks.9.attn.q.hook_out", "cb.head(9, 6).q"),
        ("blocks.9.attn.hook_rot_k", "cb.head(9, 6).k"),
        ("blocks.9.attn.hook_pattern", "cb.head(9, 6).pattern"),
        ("blocks.9.attn.hook_attn_scores", "cb.head(9, 6).pattern"),
        ("blocks.9.attn.hook_result", "cb.head(9, 6).result"),
        ("blocks.9.mlp.hook_post", "cb.neuron(9, 6)"),
        ("blocks.9.mlp.hook_pre", "cb.neuron(9, 6)"),
        ("blocks.9.hook_resid_mid", "cb.resid_mid(9)"),
        ("blocks.9.hook_q_input", "cb.edge(cb.head(0, 1), cb.head(9, 6).q)"),
        ("blocks.9.ln1.hook_normalized", "cb.resid_pre(9)"),
        ("model.layers.9.self_attn.o_proj", "cb.attn_out(9)"),
        ("transformer.h.9.mlp", "cb.mlp_out(9)"),
        ("hook_pos_embed", "cb.resid_pre(0)"),
        ("resid_prE 9x", "Did you mean 'resid_pre 9'?"),
    ],
)
def test_other_hook_names_are_refused_with_the_line(text, line):
    assert line in said(lambda: cb.site(text))


@pytest.mark.parametrize(
    ("over", "line"),
    [
        ("z", "board.sweep('head')"),
        ("blocks.9.attn.hook_z", "board.sweep('head', layers=[9])"),
        ("q", "board.sweep('head.q')"),
        ("pattern", "board.sweep('head.pattern')"),
        ("mlp", "board.sweep('mlp_out')"),
        ("neurons", "board.sweep('neuron', layers=[9])"),
        ("residual", "board.sweep('resid_pre', by='pos')"),
        ("resid_prr", "Did you mean 'resid_pre'?"),
    ],
)
def test_what_a_sweep_may_be_meant_to_go_over(board, over, line):
    assert line in said(lambda: board.sweep(over))


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"how": "ablate"}, "how='zero'"),
        ({"how": "mean_ablation"}, "how='mean'"),
        ({"how": "activation_patching"}, "how='patch'"),
        ({"how": "attribution"}, "approximate='atp'"),
        ({"how": "zeros"}, "Did you mean 'zero'?"),
        ({"by": "position"}, "by='pos'"),
        ({"by": "head"}, "by='all'"),
        ({"approximate": "eap"}, "approximate='atp'"),
        ({"approximate": True}, "'atp'"),
    ],
)
def test_how_and_by(board, options, line):
    assert line in said(lambda: board.sweep("head", **options))


@pytest.mark.parametrize(
    ("metric", "line"),
    [
        ("kl_div", "metric='kl'"),
        ("accuracy", "metric='rank'"),
        ("logit_difference", "metric='logit_diff'"),
        ("cross_entropy", "metric='loss'"),
        ("logprobs", "metric='log_prob'"),
        ("log_porb", "Did you mean 'log_prob'?"),
    ],
)
def test_metrics(board, metric, line):
    assert line in said(lambda: cb.Board(board.model, board.pair, metric=metric))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("ablate", "board.edit(cb.head(9, 6).zero())"),
        ("patch", "board.edit(cb.head(9, 6).patch())"),
        ("run_with_cache", "board.model.run_with_cache(board.prompts.clean_tokens)"),
        ("run_with_hooks", "board.edit("),
        ("reset_hooks", "board.clear()"),
        ("logit_diff", "board.value"),
        ("sweeep", "Did you mean 'sweep'?"),
        ("zzzzzz", "edits"),
    ],
)
def test_attributes_of_a_board(board, name, line):
    assert line in said(lambda: getattr(board, name))


def test_attributes_of_the_package_a_pair_a_site_and_an_edge(board):
    assert "cb.head(9, 6).zero()" in said(lambda: cb.ablate)
    assert "cb.load('demo')" in said(lambda: cb.HookedTransformer)
    assert "Did you mean 'resid_pre'?" in said(lambda: cb.resid_per)
    assert "pair.corrupted" in said(lambda: board.pair.corrupt)
    assert "pair.wrong" in said(lambda: board.pair.incorrect)
    assert "cb.head(9, 6).zero()" in said(lambda: cb.head(1, 2).ablate)
    assert "a head is its z" in said(lambda: cb.head(1, 2).z)
    assert "Did you mean 'patch'?" in said(lambda: cb.edge(cb.head(0, 1), cb.head(1, 2)).pathc)


def test_attributes_of_what_a_board_returns(board):
    sweep, outcome = board.sweep("head", how="zero", layers=[0]), board.preview(cb.head(0, 0).zero())
    assert "sweep.to_dataframe()" in said(lambda: sweep.df)
    assert "sweep.plot()" in said(lambda: sweep.heatmap)
    assert "outcome.change" in said(lambda: outcome.delta)
    assert "Did you mean 'receipts'?" in said(lambda: outcome.receipt)


def test_an_attribute_that_is_not_there_is_an_attribute_error_to_python(board):
    assert not hasattr(board, "ablate")
    assert getattr(board.pair, "corrupt", None) is None
    assert not hasattr(cb, "ablate")
    assert not hasattr(cb.head(1, 2), "_repr_html_")
    with pytest.raises(ImportError, match="ablate"):
        exec("from circuitboard import ablate", {})  # noqa: S102


def test_the_attribute_error_of_a_property_is_its_own():
    from circuitboard.words import Told

    class Thing(Told):
        _told_as = "Board"

        @property
        def broken(self):
            return None.nowhere

    with pytest.raises(AttributeError, match="nowhere"):
        _ = Thing().broken


def test_tasks_are_proposed(board):
    assert "Did you mean 'induction'?" in said(lambda: cb.tasks.inductoin)
    assert "cb.tasks.from_table(" in said(lambda: cb.tasks.from_csv)
    assert "Did you mean 'induction'?" in said(lambda: cb.tasks.make("inductoin", 2, model=board.model))
    assert "Did you mean 'no_repeat'?" in said(lambda: cb.tasks.induction(2, model=board.model, corruption="norepeat"))


def test_a_list_of_edits_is_several(board):
    one, other = cb.head(0, 1).zero(), cb.head(1, 2).zero()
    assert board.preview([one, other]).value == board.preview(one, other).value
    refused = said(lambda: board.edit([one, [other]]))
    assert len(refused) < 200


@pytest.mark.parametrize("word", [None, 3, "", "x" * 5000, "(" * 70, "\ud800", "{0}"], ids=lambda word: repr(word)[:20])
def test_anything_may_be_asked_for(word):
    for meant in {entry.where for entry in FIELD}:
        assert isinstance(instead(meant, word, ("head",)), str)
    assert nearest(word, ("head",)) is None or word == "("


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa", "gemma2"])
def test_every_hook_of_a_model_is_a_site_or_has_a_line(family):
    bare = []
    for name in tiny(family).hook_dict:
        try:
            cb.site(name)
        except cb.AddressError as error:
            bare += [] if " Write cb." in error.message else [name]
    assert not bare


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("blocks.9.hook_in", "cb.resid_pre(9)"),
        ("blocks.9.hook_out", "cb.resid_post(9)"),
        ("blocks.9.attn.hook_out", "cb.attn_out(9)"),
        ("blocks.9.mlp.out.hook_out", "cb.mlp_out(9)"),
        ("blocks.9.ln2.hook_normalized", "cb.resid_mid(9)"),
        ("Layer9Head6", "cb.head(9, 6)"),
        ("head 9.6", "cb.head(9, 6)"),
        ("cb.head(9, 6)", "cb.head(9, 6)"),
        ("(9, 6)", "cb.head(9, 6)"),
        ("9.6.z", "cb.head(9, 6)"),
        ("pattern 9.6", "cb.head(9, 6).pattern"),
        ("L9N6", "cb.neuron(9, 6)"),
        ("MLP 9", "cb.mlp_out(9)"),
        ("attn9", "cb.attn_out(9)"),
        ("layer 9", "cb.resid_post(9)"),
        ((9, 6), "cb.head(9, 6)"),
        (np.array([9, 6]), "cb.head(9, 6)"),
    ],
)
def test_names_of_papers_are_answered_with_the_line(text, line):
    assert f"Write {line}" in said(lambda: cb.site(text))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda b: cb.head((9, 6)), "Write cb.head(9, 6)"),
        (lambda b: b.attention(cb.head(1, 2)), "Write board.attention(9, 6)"),
        (lambda b: b.sweep(cb.mlp_out(1)), "Write board.sweep('mlp_out')"),
        (lambda b: b.sweep(np.array(["head", "mlp_out"])), "Expected one of head"),
        (lambda b: b.sweep("head", how=["zero"]), "zero"),
        (lambda b: b.sweep("blocks.1.mlp.hook_post"), "board.sweep('neuron', layers=[1])"),
        (lambda b: b.sweep("blocks.1.hook_resid_mid"), "board.sweep('resid_mid', by='pos', layers=[1])"),
        (lambda b: b.edit("1.2"), "cb.site('1.2')"),
        (lambda b: b.edit(cb.head(1, 2).zero), "Call the method: .zero()"),
        (lambda b: b.edit(lambda z, hook: z * 0), "Functions of activations are no edits here"),
        (lambda b: b.edit(cb.head(1, 2).zero() for _ in range(2)), "board.edit(*edits)"),
        (lambda b: b.set_base("denoising"), "Write base='corrupted'"),
        (lambda b: cb.Board(b.model, b.pair, base="noising"), "Write base='clean'"),
        (lambda b: cb.Board(b.model, b.pair, engine="hooks"), "Write engine='hooked'"),
        (lambda b: cb.Board(b.model, b.pair, autosave="no"), "autosave is True, False or None"),
        (lambda b: setattr(b, "metric", "kl"), "cb.Board(board.model, board.pair, metric='kl')"),
        (lambda b: setattr(b, "base", "corrupted"), "board.set_base('corrupted')"),
        (lambda b: setattr(b, "value", 3), "board.edit(cb.head(9, 6).zero())"),
        (lambda b: setattr(b, "mine", 3), "a variable of your own"),
        (lambda b: b.desk.restore("the first"), "other.history.nodes[1:]"),
        (lambda b: b.desk.resume([]), "other.history"),
        (lambda b: cb.tasks.ioi(2, model="demo"), "model = cb.load('demo')"),
        (lambda b: cb.tasks.ioi(2, model=None), "TransformerBridge is needed"),
        (lambda b: b.pair.bind("demo"), "model = cb.load('demo')"),
        (lambda b: cb.PromptPair(torch.empty(1, 3, dtype=torch.int64, device="meta"), answer=1), "holds numbers"),
        (lambda b: cb.PromptPair(torch.tensor([[1, 2]]).to_sparse(), answer=1), ".to_dense()"),
        (lambda b: cb.head(1, 2).at(torch.tensor(1, device="meta")), "expected an int, a slice, a label"),
    ],
)
def test_what_is_near_to_a_call_is_answered_with_the_line(board, call, words):
    assert words in said(lambda: call(board))


def test_an_edit_of_one_board_is_told_from_what_it_does(board):
    board.edit(cb.head(1, 2).zero())
    assert ".intervention" in said(lambda: board.preview(board.edits[0]))
    board.undo()


def _example(spelt: str) -> list[str]:
    """Groups that the pattern of an entry may have caught: a layer, or the letter of a query."""
    return [
        ("q" if "[qk" in group else "mid" if "mid" in group else "9")
        for group in re.findall(r"\((?!\?)[^()]*\)", spelt)
    ]


@pytest.mark.parametrize(
    "word", [entry for entry in FIELD if entry.where != "argument"], ids=lambda entry: entry.spelt[:40]
)
def test_every_line_of_the_table_runs(word, board, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = word.line.format(*_example(word.spelt))
    given = {
        "cb": cb, "board": board, "model": board.model, "pair": board.pair, "vector": [1.0], "values": [1.0], "token": 3,
        "sweep": board.sweep("head", how="zero", layers=[0]), "prompts": board.pair.clean, "clean": board.pair.clean, "corrupted": board.pair.corrupted,
    }  # fmt: skip
    if line.startswith(("how=", "approximate=", "by=")):
        line = f"board.sweep('head', layers=[0], {line})"
    elif line.startswith(("metric=", "base=", "engine=")):
        line = f"cb.Board(model, pair, {line}).value"
    elif "cb.PromptPair" in line:
        given["model"] = cb.load("demo")
        given |= {"clean": "When Mary", "corrupted": "When John"}
    elif "from_table" in line:
        (tmp_path / "mine.csv").write_text("clean,answer\nWhen Mary, John\n")
        given["model"] = cb.load("demo")
    elif "cb.tasks.ioi" in line:
        given["model"] = cb.load("demo")
    elif "cb.Board.load" in line:
        board.save("mine.board.json")
    try:
        eval(line, given)  # noqa: S307  the table's own lines
    finally:
        if board.edits:
            board.clear()


def test_every_argument_of_the_table_is_one_of_a_public_call():
    import inspect

    calls = [cb.load, cb.PromptPair, cb.Board, cb.Run, cb.head, cb.neuron, *vars(cb.Board).values(), cb.tasks.ioi]
    calls += [cb.Board.sweep, cb.Board.attention, cb.Board.neurons, cb.Board.logit_lens, cb.Site.scale, cb.Site.add]
    known = {name for call in calls if callable(call) for name in inspect.signature(call).parameters}
    assert {entry.line for entry in FIELD if entry.where == "argument"} <= known


@pytest.mark.parametrize("entry", [entry for entry in FIELD if entry.where == "argument"], ids=lambda entry: entry.line)
def test_only_an_argument_that_the_call_has_is_proposed(entry):
    words = [word for word in entry.pattern.pattern.split("|") if word.isidentifier() and entry.pattern.fullmatch(word)]
    assert words
    for word in words:
        assert instead("argument", word, ["zzz", entry.line]) == f" Here it is called {entry.line}=…."
        others = {other.line for other in FIELD if other.where == "argument"} - {entry.line, word}
        assert f"called {entry.line}=" not in instead("argument", word, others)
        assert instead("argument", word, ["zzz"]) == ""


def test_what_is_called_otherwise_here_is_said_by_the_call(board):
    with pytest.raises(cb.CallError, match=r"Here it is called how=…"):
        board.sweep("head", ablation="zero")
    with pytest.raises(cb.CallError) as refusal:
        cb.head(0, 1, ablation="zero")
    assert "how=" not in refusal.value.message
