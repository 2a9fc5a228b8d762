"""Patches between prompts that are not as long: per label, or from positions of one's choice.

The oracle runs each prompt by itself, without padding, with TransformerLens's hooks written here.
"""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import circuitboard as cb
from circuitboard.engine import tolerance
from circuitboard.errors import CircuitboardError
from tests.oracle import NAMES
from tests.tiny_models import D_VOCAB, N_HEADS, N_LAYERS, tiny

FAMILIES = ["native", "gpt2", "llama_gqa", "attention_only"]
TIERS = ["wavefront", "replay", "hooked"]
KINDS = ["embed", "resid_pre", "head.q", "head.k", "head.v", "head", "attn_out", "mlp_out", "neuron", "resid_post"]
N_KV = {"llama_gqa": 2}


def seen(model, row, name):
    """An activation of one prompt, alone."""
    found = []
    model.run_with_hooks(
        torch.tensor([row]), fwd_hooks=[(name, lambda x, hook: found.append(x.clone()))], use_cache=False
    )
    return found[0][0]


def plain(model, row, edits):
    """The last logits of one prompt, alone; edits are (site, own position, values there), in order."""

    def put(x, hook, site, position, values):
        x = x.clone()
        x[(0, position) if site.index is None else (0, position, site.index)] = values
        return x

    hooks = [
        (NAMES[site.kind].format(site.layer), lambda x, hook, s=site, p=position, v=values: put(x, hook, s, p, v))
        for site, position, values in edits
    ]
    with torch.no_grad():
        return model.run_with_hooks(torch.tensor([row]), fwd_hooks=hooks, use_cache=False)[0, -1]


def patched(model, base, source, site, pairs):
    """One prompt with the source's activations put in: (own position, the source's) each."""
    found = seen(model, source, NAMES[site.kind].format(site.layer))
    found = found if site.index is None else found[:, site.index]
    return plain(model, base, [(site, here, found[there]) for here, there in pairs])


def logit_diffs(rows):
    return torch.stack([row[1] - row[2] for row in rows])


def tokens(draw, n):
    return [draw.randrange(3, D_VOCAB) for _ in range(n)]


def site_of(kind, layer, index, family):
    site = cb.site(kind if kind == "embed" else "0.0") if kind in ("embed", "head") else None
    if kind == "embed":
        return site
    if kind.startswith("head"):
        heads = N_KV.get(family, N_HEADS) if kind in ("head.k", "head.v") else N_HEADS
        head = cb.head(layer, index % heads)
        return head if kind == "head" else getattr(head, kind.removeprefix("head."))
    return cb.neuron(layer, index) if kind == "neuron" else getattr(cb, kind)(layer)


@st.composite
def cases(draw):
    family = draw(st.sampled_from(FAMILIES))
    n = draw(st.integers(1, 3))
    lengths = [(draw(st.integers(3, 8)), draw(st.integers(3, 8))) for _ in range(n)]
    names = ["S2", "END", "IO"][: draw(st.integers(1, 3))]
    labels = {
        name: [(draw(st.integers(-c, c - 1)), draw(st.integers(-k, k - 1))) for c, k in lengths] for name in names
    }
    kinds = [kind for kind in KINDS if family != "attention_only" or kind not in ("mlp_out", "neuron")]
    kind = draw(st.sampled_from(kinds))
    site = site_of(kind, draw(st.integers(0, N_LAYERS - 1)), draw(st.integers(0, 3)), family)
    return family, lengths, labels, site, draw(st.sampled_from(names)), draw(st.sampled_from(["clean", "corrupted"]))


@settings(max_examples=24)
@given(cases(), st.sampled_from(TIERS), st.integers(0, 99))
def test_a_patch_per_label_equals_plain_hooks_on_unpadded_prompts(case, tier, seed):
    family, lengths, labels, site, label, base = case
    model, draw = tiny(family), random.Random(seed)
    clean, corrupted = ([tokens(draw, pair[side]) for pair in lengths] for side in (0, 1))
    given_labels = {
        name: {"clean": [p[0] for p in places], "corrupted": [p[1] for p in places]} for name, places in labels.items()
    }
    pair = cb.PromptPair(
        [torch.tensor(row) for row in clean],
        [torch.tensor(row) for row in corrupted],
        answer=1,
        wrong=2,
        labels=given_labels,
    )
    board = cb.Board(model, pair, base=base, engine=tier)
    mine, theirs = (clean, corrupted) if base == "clean" else (corrupted, clean)
    here, there = (0, 1) if base == "clean" else (1, 0)
    allowed = tolerance(torch.float32, board.values)
    unedited = logit_diffs([plain(model, row, []) for row in mine])
    torch.testing.assert_close(board.values, unedited, atol=allowed, rtol=0)
    outcome = board.edit(site.at(label).patch(per="label"))
    expected = logit_diffs(
        [
            patched(model, row, other, site, [(places[here] % len(row), places[there] % len(other))])
            for row, other, places in zip(mine, theirs, labels[label], strict=True)
        ]
    )
    torch.testing.assert_close(outcome.values, expected, atol=allowed, rtol=0)
    assert outcome.receipts[0].tier == tier
    width = max(length for pair in lengths for length in pair)
    assert outcome.receipts[0].positions == tuple(
        (width - len(row) + places[here] % len(row),) for row, places in zip(mine, labels[label], strict=True)
    )
    assert board.verify().ok
    board.undo()
    chosen = [places[there] for places in labels[label]]
    if len(set(chosen)) == 1:
        again = board.edit(site.at(label).patch(from_=chosen[0]))
        torch.testing.assert_close(again.values, expected, atol=allowed, rtol=0)
    board.close()


LONG, SHORT = [7, 8, 9, 10, 11, 12, 13, 14, 15], [21, 22, 23, 24, 25, 26]
LABELS = {"S2": -5, "END": -1}


def board_of(family="native", **options):
    pair = cb.PromptPair(torch.tensor(SHORT), torch.tensor(LONG), answer=1, wrong=2, labels=LABELS)
    return cb.Board(tiny(family), pair, **options)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("family", ["gpt2", "llama_gqa"])
def test_any_position_of_any_longer_run_may_be_taken(family, tier):
    board, model, other = board_of(family, engine=tier), tiny(family), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    run, site = cb.Run(torch.tensor(other)), cb.head(1, 2)
    for positions, from_, pairs in [
        (-1, -1, [(5, 11)]),
        ([4, 1], [0, 9], [(4, 0), (1, 9)]),
        ("S2", -3, [(1, 9)]),
        (slice(0, 3), slice(7, 10), [(0, 7), (1, 8), (2, 9)]),
    ]:
        outcome = board.preview(site.at(positions).patch(run, from_=from_))
        expected = logit_diffs([patched(model, SHORT, other, site, pairs)])
        torch.testing.assert_close(outcome.values, expected, atol=tolerance(torch.float32, expected), rtol=0)
        assert board.verify(site.at(positions).patch(run, from_=from_)).ok
    named = cb.Run(torch.tensor(other), labels={"S2": 4, "END": -2})
    outcome = board.preview(site.patch(named, per="label"))
    expected = logit_diffs([patched(model, SHORT, other, site, [(1, 4), (5, 10)])])
    torch.testing.assert_close(outcome.values, expected, atol=tolerance(torch.float32, expected), rtol=0)
    again = board.preview(site.at("END").patch(named, from_="S2"))
    expected = logit_diffs([patched(model, SHORT, other, site, [(5, 4)])])
    torch.testing.assert_close(again.values, expected, atol=tolerance(torch.float32, expected), rtol=0)


@pytest.mark.parametrize("tier", TIERS)
def test_a_run_with_edits_and_other_lengths_is_a_source_too(tier):
    board, model = board_of(engine=tier), tiny("native")
    other = [3, 4, 5, 6, 7, 8, 9, 10]
    run = cb.Run(torch.tensor(other), [cb.resid_pre(1).at(-2).zero()])
    outcome = board.edit(cb.resid_post(1).at("END").patch(run, from_=-1))
    name = NAMES["resid_post"].format(1)
    held = []
    zero = torch.zeros(())
    with torch.no_grad():
        model.run_with_hooks(
            torch.tensor([other]),
            fwd_hooks=[
                (NAMES["resid_pre"].format(1), lambda x, hook: x.index_put((torch.tensor(0), torch.tensor(6)), zero)),
                (name, lambda x, hook: held.append(x.clone())),
            ],
            use_cache=False,
        )
    expected = logit_diffs([plain(model, SHORT, [(cb.resid_post(1), 5, held[0][0, -1])])])
    torch.testing.assert_close(outcome.values, expected, atol=tolerance(torch.float32, expected), rtol=0)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("base", ["clean", "corrupted"])
def test_edits_between_unequal_prompts_work_with_every_other_edit_in_force(tier, base):
    board = board_of(base=base, engine=tier)
    board.edit(
        cb.head(0, 1).at("S2").patch(per="label"),
        cb.head(1, 0).zero(),
        cb.edge(cb.head(0, 2), cb.head(2, 1).q).at("END").patch(per="label"),
        cb.mlp_out(1).at("END").scale(1.5),
        cb.edge(cb.mlp_out(0), cb.resid_post(2)).patch(per="label"),
        cb.head(2, 0).k.patch(per="label"),
        cb.neuron(2, 3).at(-1).patch(from_=-2),
    )
    assert board.verify().ok
    assert board.self_test().ok
    value = board.value
    board.set_base("corrupted" if base == "clean" else "clean")
    assert board.verify().ok
    board.set_base(base)
    assert board.value == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("tier", TIERS)
def test_an_edge_per_label_moves_the_stream_by_what_its_sender_says_differently(tier):
    board, model, site = board_of(engine=tier), tiny("native"), cb.head(0, 2)
    outcome = board.edit(cb.edge(site, cb.resid_post(2)).at("S2").patch(per="label"))
    z = seen(model, LONG, NAMES["head"].format(0))[4, 2]
    out = NAMES["attn_out"].format(0)
    put = (NAMES["head"].format(0), lambda x, hook: x.index_put((torch.tensor(0), torch.tensor(1), torch.tensor(2)), z))
    after, added = [], NAMES["resid_post"].format(2)
    with torch.no_grad():
        model.run_with_hooks(
            torch.tensor([SHORT]), fwd_hooks=[put, (out, lambda x, hook: after.append(x.clone()))], use_cache=False
        )
        change = after[0] - seen(model, SHORT, out)
        rows = model.run_with_hooks(
            torch.tensor([SHORT]), fwd_hooks=[(added, lambda x, hook: x + change)], use_cache=False
        )[0, -1]
    torch.testing.assert_close(outcome.values, logit_diffs([rows]), atol=tolerance(torch.float32, rows), rtol=0)


@pytest.mark.parametrize("tier", TIERS)
def test_entries_of_a_pattern_are_patched_label_by_label(tier):
    board, model = board_of("attention_only", engine=tier), tiny("attention_only")
    site = cb.head(1, 2).pattern
    name, theirs = NAMES["head.pattern"].format(1), None
    theirs = seen(model, LONG, name)[2, 8, 4]

    def put(x, hook):
        x = x.clone()
        x[0, 2, 5, 1] = theirs
        return x

    with torch.no_grad():
        rows = model.run_with_hooks(torch.tensor([SHORT]), fwd_hooks=[(name, put)], use_cache=False)[0, -1]
    outcome = board.edit(site.at("END", "S2").patch(per="label"))
    torch.testing.assert_close(outcome.values, logit_diffs([rows]), atol=tolerance(torch.float32, rows), rtol=0)
    assert board.verify().ok
    with pytest.raises(CircuitboardError, match="label_pattern"):
        board.edit(site.at("END").patch(per="label"))


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("over", ["resid_post", "head.k", "neuron"])
def test_a_sweep_by_label_has_each_label_alone(over, tier):
    board = board_of("llama_gqa", engine=tier)
    layers = [1] if over != "resid_post" else None
    if over == "neuron" and tier == "hooked":
        over = "head"
    sweep = board.sweep(over, by="label", layers=layers)
    assert sweep.grid.axes[:2] == ("layer", "label")
    assert sweep.grid.labels == ("S2", "END")
    frame = sweep.to_dataframe()
    assert set(frame["label"]) == {"S2", "END"}
    for index in random.Random(0).sample(range(len(frame)), 3):
        cell = sweep.grid.cells[index]
        assert cell.per == "label"
        expected = board.preview(cell).value
        assert frame["value"][index] == pytest.approx(expected, abs=1e-5)
    together = board.sweep(over, per="label", layers=layers)
    cell = together.grid.cells[-1]
    assert float(together.values.flatten()[-1]) == pytest.approx(board.preview(cell).value, abs=1e-5)
    by_position = board.sweep(over, by="pos", per="label", layers=layers)
    torch.testing.assert_close(by_position.values, sweep.values, atol=1e-5, rtol=0)
    zero = board.sweep("head", by="label", how="zero")
    assert zero.grid.cells[0].per is None


def test_a_sweep_is_estimated_per_label():
    board = board_of()
    # The last stream is read by the final norm alone: the estimate has the sign and the order of what is exact.
    estimate = board.sweep("mlp_out", by="label", approximate="atp")
    exact = board.sweep("mlp_out", by="label")
    last = (estimate.effect - exact.effect)[-1].abs().max()
    assert float(last) < 0.5 * float(exact.effect[-1].abs().max())
    assert not estimate.exact.any()
    assert board.sweep("head.q", by="label", approximate="atp*").values.isfinite().all()


def test_a_state_with_such_edits_is_saved_copied_and_undone(tmp_path):
    board = board_of()
    run = cb.Run(torch.tensor([3, 4, 5, 6, 7, 8, 9]), labels={"END": -2})
    board.edit(cb.head(0, 1).patch(per="label"), cb.head(1, 1).at(-1).patch(run, from_=[-3]))
    board.edit(cb.resid_mid(1).at("END").patch(run, per="label"))
    value = board.value
    board.save(tmp_path / "state.board.json")
    again = cb.Board.load(tmp_path / "state.board.json", board.model)
    assert again.value == pytest.approx(value, abs=1e-6)
    assert [edit.intervention for edit in again.edits] == [edit.intervention for edit in board.edits]
    assert again.prompts.of("corrupted").labels == board.prompts.of("corrupted").labels
    names: dict = {"model": board.model}
    exec(board.to_python().rsplit("board\n", 1)[0], names)  # noqa: S102
    assert names["board"].value == pytest.approx(value, abs=1e-6)
    assert names["board"].edits == board.edits
    other = board_of()
    taken = other.edit(cb.resid_post(2).at("END").patch(board.as_run(), per="label"))
    assert taken.value == pytest.approx(value, abs=1e-5)
    board.undo()
    board.redo()
    assert board.value == pytest.approx(value, abs=1e-6)


def test_pairs_of_unequal_lengths_need_labels_and_the_refusal_names_the_ways_out():
    model = tiny("native")
    with pytest.raises(CircuitboardError) as caught:
        cb.Board(model, cb.PromptPair(torch.tensor(SHORT), torch.tensor(LONG), answer=1, wrong=2))
    assert caught.value.code == "unequal_lengths"
    for way in ("labels={'END': -1}", ".patch(per='label')", ".patch(from_=-1)"):
        assert way in caught.value.message
    board = board_of()
    longer = cb.Run(torch.tensor([*LONG, 3, 4]))
    refusals = {
        "unequal_lengths": (cb.head(0, 0).patch(), "cb.site('0.0 @ S2').patch(per='label')"),
        "run_mismatch": (cb.head(0, 0).at(-1).patch(longer), "cb.site('0.0 @ -1').patch(cb.Run(…), from_=-1)"),
        "span_mismatch": (cb.head(0, 0).at([1, 2]).patch(longer, from_=3), "2 positions"),
        "label_needed": (cb.head(0, 0).at(0).patch(per="label"), "S2, END"),
        "label_unknown": (cb.head(0, 0).at("END").patch(longer, per="label"), "labels={'END': -1}"),
        "position_out_of_range": (cb.head(0, 0).at(0).patch(longer, from_=30), "30"),
        "unknown_label": (cb.head(0, 0).at("X").patch(per="label"), "'X'"),
    }
    for code, (edit, words) in refusals.items():
        before = board.value
        with pytest.raises(CircuitboardError) as caught:
            board.edit(edit)
        assert caught.value.code == code
        assert words in caught.value.message
        assert board.value == before
    # What a refusal says to type works.
    board.edit(cb.site("0.0 @ S2").patch(per="label"), cb.site("0.0 @ -1").patch(longer, from_=-1))
    with pytest.raises(CircuitboardError, match=r"by='label'"):
        board.sweep("head")
    with pytest.raises(CircuitboardError, match="pattern_from"):
        cb.head(0, 0).pattern.patch(from_=-1)
    for no_run in (-1, torch.tensor([1, 2]), "text", board):
        with pytest.raises(CircuitboardError, match=r"cb\.Run\(prompts\)"):
            cb.head(0, 0).at(-1).patch(no_run)
    with pytest.raises(CircuitboardError, match="give one of them"):
        cb.head(0, 0).at(1).patch(per="label", from_=-1)


def test_positions_without_a_label_stay_as_they_are_and_the_receipt_says_where_it_acted():
    board = board_of()
    outcome = board.edit(cb.resid_pre(1).patch(per="label"))
    assert outcome.receipts[0].positions == ((4, 8),)
    assert "labelled positions alone" in str(outcome.receipts[0])
    some = board.preview(cb.resid_pre(1).at([-1, "S2"]).patch(per="label"))
    assert some.value == pytest.approx(outcome.value, abs=1e-6)


def test_two_labels_of_one_position_are_told_apart_by_name():
    labels = {"A": {"clean": 2, "corrupted": 1}, "B": {"clean": 2, "corrupted": 5}, "END": -1}
    pair = cb.PromptPair(torch.tensor(SHORT), torch.tensor(LONG), answer=1, wrong=2, labels=labels)
    board, site = cb.Board(tiny("native"), pair), cb.resid_post(1)
    for label, there in (("A", 1), ("B", 5)):
        expected = logit_diffs([patched(tiny("native"), SHORT, LONG, site, [(2, there)])])
        found = board.preview(site.at(label).patch(per="label")).values
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    for edit in (site.patch(per="label"), site.at(2).patch(per="label"), site.at(["A", "B"]).patch(per="label")):
        with pytest.raises(CircuitboardError, match="label_ambiguous"):
            board.edit(edit)


def test_labels_may_lie_elsewhere_in_prompts_that_are_as_long():
    pair = cb.PromptPair(
        torch.tensor([SHORT]), torch.tensor([LONG[:6]]), answer=1, wrong=2, labels={"S": (1, 3), "END": -1}
    )
    board, site = cb.Board(tiny("gpt2"), pair), cb.resid_post(0)
    expected = logit_diffs([patched(tiny("gpt2"), SHORT, LONG[:6], site, [(1, 3)])])
    found = board.preview(site.at("S").patch(per="label")).values
    torch.testing.assert_close(found, expected, atol=tolerance(torch.float32, expected), rtol=0)
    same = logit_diffs([patched(tiny("gpt2"), SHORT, LONG[:6], site, [(1, 1)])])
    torch.testing.assert_close(board.preview(site.at("S").patch()).values, same, atol=1e-5, rtol=0)
    board.set_base("corrupted")
    assert board.prompts.labels == {"S": [3], "END": [5]}


@pytest.mark.parametrize("metric", ["logit_diff", "kl", "loss", "prob", "rank"])
def test_every_metric_reads_each_run_by_its_own_tokens(metric):
    board = board_of(metric=metric)
    short = cb.Board(tiny("native"), cb.PromptPair(torch.tensor(SHORT), answer=1, wrong=2), metric=metric)
    long = cb.Board(tiny("native"), cb.PromptPair(torch.tensor(LONG), answer=1, wrong=2), metric=metric)
    assert board.value == pytest.approx(short.value, abs=1e-5)
    if metric != "kl":
        assert board.baselines.corrupted == pytest.approx(long.value, abs=1e-5)
    board.edit(cb.resid_pre(1).patch(per="label"))
    assert board.verify().ok


@pytest.mark.parametrize("base", ["clean", "corrupted"])
def test_a_function_gets_the_logits_of_the_run_alone(base):
    def all_positions(logits):
        return logits.softmax(-1)[:, :, 1].mean(-1)

    board, model = board_of(metric=all_positions, base=base), tiny("native")
    clean, corrupted = (all_positions(model(torch.tensor([row]))).item() for row in (SHORT, LONG))
    assert board.value == pytest.approx(clean if base == "clean" else corrupted, abs=1e-6)
    assert board.baselines.clean == pytest.approx(clean, abs=1e-6)
    assert board.baselines.corrupted == pytest.approx(corrupted, abs=1e-6)
    board.edit(cb.resid_post(2).at("END").patch(per="label"))
    row = seen(model, LONG if base == "clean" else SHORT, NAMES["resid_post"].format(2))[-1]
    mine = SHORT if base == "clean" else LONG

    def put(x, hook):
        x = x.clone()
        x[0, -1] = row
        return x

    with torch.no_grad():
        hooks = [(NAMES["resid_post"].format(2), put)]
        logits = model.run_with_hooks(torch.tensor([mine]), fwd_hooks=hooks, use_cache=False)
    assert board.value == pytest.approx(all_positions(logits).item(), abs=1e-6)
    assert board.sweep("mlp_out", by="label", approximate="atp").values.isfinite().all()


def test_means_and_resamples_and_analyses_do_not_mind():
    reference = cb.PromptPair(
        [torch.tensor(row) for row in (SHORT, LONG, SHORT[::-1], LONG[::-1])], answer=1, labels=LABELS
    )
    board = board_of(reference=reference)
    board.edit(
        cb.head(0, 0).at("END").mean(per="label"),
        cb.head(1, 0).resample(),
        cb.head(1, 1).at("S2").patch(per="label"),
    )
    assert board.verify().ok
    assert len(board.direct_logit_attribution().to_dataframe())
    assert len(board.logit_lens().to_dataframe())
    assert len(board.neurons(1))
    assert len(board.neurons(1, how="patch"))
    assert len(board.attention(0, 0).tokens) == 6
    board.set_base("corrupted")
    assert len(board.attention(0, 0).tokens) == 9
    assert len(board.per_prompt()) == 1
    assert board.self_repair(cb.head(0, 1).patch(per="label")) is not None


def test_the_table_sets_ends_side_by_side():
    pair = cb.PromptPair(torch.tensor(SHORT), torch.tensor(LONG), answer=1, labels=LABELS)
    pair.bind(tiny("native"))
    frame = pair.table()
    assert list(frame["clean"]) == ["", "", "", *map(str, SHORT)]
    assert list(frame["corrupted"]) == list(map(str, LONG))
    assert [label for label in frame["labels"] if label] == ["S2", "END"]
    assert "6 and 9 tokens" in str(frame.attrs["checks"])
