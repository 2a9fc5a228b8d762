"""`to_python`: what it writes, run as it stands, makes the same board."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb

CLEAN = ["When Laura and Simon went to the school, Simon gave the bag to", "When Tom and Paul went to the school, Paul gave a bag to"]  # fmt: skip
CORRUPTED = ["When Laura and Simon went to the school, Laura gave the bag to", "When Tom and Paul went to the school, Tom gave a bag to"]  # fmt: skip
TOKENS = torch.tensor([[0, 15, 36, 17, 39], [0, 15, 33, 17, 31]])


@pytest.fixture(scope="module")
def demo():
    return cb.load("demo")


def text(**options):
    return cb.PromptPair(CLEAN, CORRUPTED, answer=[" Laura", " Tom"], wrong=[" Simon", " Paul"], **options)


def tokens(**options):
    return cb.PromptPair(TOKENS, TOKENS.flip(1), answer=[36, 31], wrong=[39, 33], **options)


def again(board, **names):
    """The board that the code makes."""
    scope = dict(names)
    exec(board.to_python(), scope)  # noqa: S102  that is the point
    made = scope["board"]
    assert made is not board
    assert made.base == board.base
    assert made.edits == board.edits
    assert made.values.tolist() == pytest.approx(board.values.tolist(), abs=1e-5)
    assert made.baselines.clean == pytest.approx(board.baselines.clean, abs=1e-5)
    assert made.prompts.clean_tokens.tolist() == board.prompts.clean_tokens.tolist()
    assert made.to_python() == board.to_python()
    made.close()
    return made


EDITS = [
    [],
    [cb.head(3, 1).zero()],
    [cb.head(3, 1).at(-1).patch(), cb.attn_out(0).at([0, 2]).scale(-0.5), cb.resid_pre(2).at(slice(1, None, 2)).patch()],
    [cb.resid_pre(1).at(["S2", -1, slice(None, 2)]).patch(), cb.head(0, 0).at("END").scale(1e-30)],
    [
        cb.embed().at(1).scale(2),
        cb.head(1, 0).q.zero(),
        cb.head(1, 0).k.at([0, "S2"]).patch(),
        cb.head(1, 1).v.scale(-1),
        cb.head(2, 1).pattern.at("END", [0, "S2"]).zero(),
        cb.head(2, 2).pattern.at(None, slice(1, None)).zero(),
        cb.head(2, 3).result.patch(),
        cb.resid_post(0).at(-2).patch(),
        cb.edge(cb.head(0, 1), cb.head(2, 0).k).patch(),
        cb.edge(cb.embed(), cb.resid_pre(1)).at(["END", 1]).zero(),
    ],
]  # fmt: skip


@pytest.mark.parametrize("edits", EDITS, ids=len)
@pytest.mark.parametrize("base", ["clean", "corrupted"])
@pytest.mark.parametrize("make", [text, tokens])
def test_the_code_and_the_file_make_the_same_board(demo, make, base, edits, tmp_path):
    board = cb.Board(demo, make(labels={"S2": [2, 3], "END": -1}), base=base)
    if edits:
        board.edit(*edits)
        board.toggle(len(edits) - 1)
    again(board)
    board.save(tmp_path / "same.board.json")
    loaded = cb.Board.load(tmp_path / "same.board.json", demo)
    assert loaded.edits == board.edits
    assert loaded.values.tolist() == pytest.approx(board.values.tolist(), abs=1e-5)
    loaded.close()
    board.close()


def test_one_prompt_with_its_bos_left_out(demo):
    pair = cb.PromptPair(CLEAN[0], CORRUPTED[0], answer=" Laura", wrong=" Simon", prepend_bos=False)
    board = cb.Board(demo, pair)
    board.edit(cb.head(3, 1).patch())
    code = board.to_python()
    assert "prepend_bos=False" in code
    assert "# ' Laura'" in code
    again(board)
    board.close()


@pytest.mark.parametrize("prepend_bos", [False, True, None])
def test_a_bos_written_in_the_text_is_not_doubled(demo, prepend_bos, tmp_path):
    pair = cb.PromptPair("<bos> the a", "<bos> a the", answer=" the", wrong=" a", prepend_bos=prepend_bos)
    board = cb.Board(demo, pair)
    assert board.prompts.n_positions == (4 if prepend_bos else 3)
    again(board)
    board.save(tmp_path / "bos.board.json")
    loaded = cb.Board.load(tmp_path / "bos.board.json", demo)
    assert loaded.prompts.clean_tokens.tolist() == board.prompts.clean_tokens.tolist()
    loaded.close()
    board.close()


def test_no_corrupted_prompts_and_another_metric(demo):
    board = cb.Board(demo, cb.PromptPair(CLEAN, answer=[" Laura", " Tom"]), metric="log_prob")
    board.edit(cb.head(3, 1).zero())
    assert "metric='log_prob'" in board.to_python()
    again(board)
    board.close()


def test_text_with_quotes_and_line_breaks_stays_data(demo):
    board = cb.Board(demo, cb.PromptPair(' the\n"""', ' a\n"""', answer=1, wrong=2))
    again(board)
    board.close()


def test_a_model_in_double_precision_is_loaded_as_one():
    board = cb.Board(cb.load("demo", dtype=torch.float64), tokens())
    board.edit(cb.head(1, 1).zero())
    assert "dtype=torch.float64" in board.to_python()
    again(board)
    board.close()


def test_a_model_passed_as_an_object_has_to_be_there():
    from tests.tiny_models import tiny

    board = cb.Board(tiny("gpt2"), tokens())
    board.edit(cb.mlp_out(0).zero(), cb.neuron(1, 5).at(-1).scale(3), cb.resid_mid(1).at(0).patch())
    assert "`model` must hold" in board.to_python()
    again(board, model=board.model)
    board.close()


def first_logit(logits):
    return logits[:, -1, 0]


def test_a_metric_of_your_own_is_named_or_has_to_be_there(demo):
    board = cb.Board(demo, tokens(), metric=first_logit)
    again(board, first_logit=first_logit)
    board.close()
    board = cb.Board(demo, tokens(), metric=lambda logits: logits[:, -1, 0])
    assert "`metric` must hold" in board.to_python()
    again(board, metric=lambda logits: logits[:, -1, 0])
    board.close()


# --- the whole vocabulary ---------------------------------------------------------------------------

VECTOR = torch.randn(128, generator=torch.Generator().manual_seed(0))
WHOLE = [
    [cb.head(1, 1).mean(), cb.head(2, 2).at("S2").mean(per="label"), cb.attn_out(1).freeze()],
    [cb.head(1, 1).resample(3), cb.head(2, 0).at("END").resample(per="label"), cb.embed().resample()],
    [cb.resid_pre(1).at(-1).add(VECTOR, scale=0.3), cb.head(0, 0).add([0.5] * 16), cb.head(0, 1).q.add(0.25)],
    [cb.resid_post(0).at("S2").set(VECTOR.double()), cb.head(1, 3).pattern.at(-1).set(0.1), cb.head(1, 0).v.set(0)],
    [cb.head(1, 1).patch(cb.Run(CORRUPTED)), cb.attn_out(2).patch(cb.Run(CLEAN[0], [cb.head(0, 0).zero()]))],
    [cb.edge(cb.head(0, 1), cb.head(2, 0).k).mean(), cb.edge(cb.embed(), cb.resid_pre(1)).add(VECTOR)],
]


@pytest.mark.parametrize("edits", WHOLE, ids=range(len(WHOLE)))
@pytest.mark.parametrize("reference", [None, "pair", "run", "task"])
def test_every_kind_of_edit_and_reference(demo, edits, reference):
    others = {
        None: lambda: None,
        "pair": lambda: cb.PromptPair(CORRUPTED, answer=" Tom", labels={"S2": 9, "END": -1}),
        "run": lambda: cb.Run(CORRUPTED),
        "task": lambda: cb.tasks.ioi(6, seed=3, model=demo),
    }
    if reference == "run" and any(edit.per == "label" for edit in edits):
        pytest.skip("a run has no labels")
    board = cb.Board(demo, text(labels={"S2": [10, 9], "END": -1}), reference=others[reference]())
    board.edit(*edits)
    again(board)
    board.close()


def test_tasks_metrics_and_sweeps(demo):
    pair = cb.tasks.docstring(6, seed=2, model=demo)
    board = cb.Board(demo, pair, metric={"difference": "logit_diff", "KL": "kl", "rank": "rank"}, base="corrupted")
    board.edit(cb.head(1, 1).scale(0.5))
    sweeps = [
        board.sweep("head"),
        board.sweep("resid_pre", by="pos", how="zero", layers=[1, 3], positions=slice(-4, None), on="KL"),
        board.sweep("head.v", how="mean", positions="END", approximate="atp"),
    ]
    code = board.to_python(*sweeps)
    assert "cb.tasks.docstring(6, seed=2, model=model" in code
    scope: dict = {}
    exec(code, scope)  # noqa: S102  that is the point
    for name, sweep in zip(("sweep", "sweep2", "sweep3"), sweeps, strict=True):
        torch.testing.assert_close(scope[name].per_prompt, sweep.per_prompt, rtol=0, atol=1e-5)
        assert scope[name].grid == sweep.grid
        assert (scope[name].metric, scope[name].method) == (sweep.metric, sweep.method)
    assert scope["board"].metrics["value"].to_list() == pytest.approx(board.metrics["value"].to_list(), abs=1e-5)
    scope["board"].close()
    board.close()


def test_sets_of_answers_and_several_functions(demo):
    pair = cb.PromptPair(CLEAN, CORRUPTED, answer=[{" Laura", " Tom"}, " Tom"], wrong=[" Simon", {" Paul", " Mark"}])

    def first(logits):
        return logits[:, -1, 3]

    board = cb.Board(demo, pair, metric={"logit_diff": "logit_diff", "first": first})
    made = again(board, first=first)
    assert made.prompts.answers.sets == board.prompts.answers.sets
    board.close()
