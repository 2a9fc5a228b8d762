"""Every intervention at every site of every family equals hooks written by hand, alone and on top of others."""

from __future__ import annotations

import functools
import random

import pytest
import torch

import circuitboard as cb
from circuitboard.address import HOWS, KINDS, Edge, Intervention, Site, Values
from circuitboard.errors import InterventionError, PromptError
from tests.oracle import hooked_logits
from tests.tiny_models import D_VOCAB, FAMILIES, tiny

LABELS = {"A": [0, 1, 2, 1], "END": [-1, -1, -1, -1]}
LENGTHS = {False: [6, 6, 6, 6], True: [6, 4, 6, 4]}
REFERENCE = [6, 4, 6, 4, 5, 6]


@functools.cache
def prompts(lengths, seed):
    draw = random.Random(seed)
    return [torch.tensor([draw.randrange(1, D_VOCAB) for _ in range(length)]) for length in lengths]


def a_board(family, *, mixed=False, reference=False, engine="auto"):
    pair = cb.PromptPair(
        prompts(tuple(LENGTHS[mixed]), 1), prompts(tuple(LENGTHS[mixed]), 2), answer=1, wrong=2, labels=LABELS
    )
    labels = {"A": [0, 1, 2, 3, 1, 0], "END": -1}
    other = cb.PromptPair(prompts(tuple(REFERENCE), 3), answer=1, labels=labels) if reference else None
    return cb.Board(tiny(family), pair, reference=other, engine=engine)


def at_a_place(draw, board, kind):
    layers = [
        layer
        for layer in range(board.desk.lab.adapter.shape.n_layers if kind != "embed" else 1)
        if board.desk.lab.adapter.refusal(kind, layer) is None
    ]
    if not layers:
        return None
    size = board.desk.lab.adapter.shape.n_of(kind)
    site = Site(kind, draw.choice(layers), None if size is None else draw.randrange(size))
    positions = draw.choice([None, -1, [0, 2], slice(1, 3), "A", ["A", "END"]])
    return site.at(positions, draw.choice([None, [-1, -2]])) if kind == "head.pattern" else site.at(positions)


def intervention(draw, board, site, how, kind=None):
    shape, kind = board.desk.lab.adapter.shape, kind or site.kind
    width = 1 if kind == "head.pattern" else shape.width_of(kind, board.prompts.n_positions)
    vector = torch.randn(width, generator=torch.Generator().manual_seed(draw.randrange(99)))
    options = {
        "scale": {"strength": draw.uniform(-2, 2)},
        "add": {"strength": draw.uniform(-2, 2), "values": Values.of(vector, "test")},
        "set": {"values": Values.of(draw.choice([vector, 0.5]), "test")},
        "mean": {"per": "position"},
        "resample": {"per": "position", "seed": draw.randrange(5)},
    }.get(how, {})
    labelled = site.positions is not None and all(isinstance(entry, str) for entry in site.positions)
    if how in ("mean", "resample") and labelled and kind != "head.pattern":
        options["per"] = draw.choice(["position", "label"])
    return Intervention(site, how, **options)


def expected(board, edits):
    bound, reference = board.prompts, board.desk.lab.reference
    base, source = (bound.clean_tokens, bound.corrupted_tokens)[:: 1 if board.base == "clean" else -1]
    options = {}
    if reference is not None:
        rows, real = reference.run.tokens, reference.run.real
        options = {"reference": [row[keep] for row, keep in zip(rows, real, strict=True)]}
        options["reference_labels"] = reference.labels
    logits = hooked_logits(board.model, base, source, edits, bound.real, labels=bound.labels, **options)
    return logits[:, -1]


def check(board, edits):
    wanted = expected(board, edits)
    scale = max(1.0, float(wanted.abs().max()), float(board.desk.lab.clean.logits.abs().max()))
    torch.testing.assert_close(board.logits(), wanted, rtol=0, atol=1e-5 * scale)


def kinds_with(family, how):
    """A third of a family's kinds: each kind with each `how` in some family, and in each family with some `how`.

    A kind goes from family to family and from `how` to `how`; what three or fewer families have goes through all of them.
    """
    for kind in kinds_of(family):
        families = [name for name in FAMILIES if kind in kinds_of(name)]
        turns = min(3, len(families))
        if (families.index(family) + HOWS.index(how) + KINDS.index(kind)) % turns == 0:
            yield kind


@functools.cache
def kinds_of(family):
    board = a_board(family)
    found = [kind for kind in KINDS if at_a_place(random.Random(0), board, kind) is not None]
    board.close()
    return found


def test_every_kind_is_edited_in_every_way_and_in_every_family():
    done = {(family, how, kind) for family in FAMILIES for how in HOWS for kind in kinds_with(family, how)}
    there = {(family, kind) for family in FAMILIES for kind in kinds_of(family)}
    assert {(family, kind) for family, _, kind in done} == there
    assert {(how, kind) for _, how, kind in done} == {(how, kind) for how in HOWS for _, kind in there}
    assert {(family, how) for family, how, _ in done} == {(family, how) for family in FAMILIES for how in HOWS}


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("family", FAMILIES)
def test_it_equals_hooks_written_by_hand(family, how):
    draw = random.Random(f"{family} {how}")
    board = a_board(family, mixed=draw.random() < 0.5, reference=draw.random() < 0.5)
    for kind in kinds_with(family, how):
        site = at_a_place(draw, board, kind)
        edit = intervention(draw, board, site, how)
        below = intervention(draw, board, at_a_place(draw, board, "head"), draw.choice(HOWS))
        board.edit(below, edit)
        check(board, [below, edit])
        board.clear()
    edge = cb.edge(cb.head(0, 1), cb.resid_post(board.desk.lab.adapter.shape.n_layers - 1))
    sent = intervention(draw, board, Edge(edge.sender, edge.receiver).at(-1), how, "head")
    board.edit(sent)
    check(board, [sent])
    board.close()


@pytest.mark.parametrize("tier", ["hooked", "replay"])
@pytest.mark.parametrize("how", HOWS)
def test_other_tiers_equal_hooks_written_by_hand(tier, how):
    draw = random.Random(f"{tier} {how}")
    board = a_board("llama_gqa", mixed=True, reference=True, engine=tier)
    edits = [intervention(draw, board, at_a_place(draw, board, kind), how) for kind in ("head", "neuron", "resid_mid")]
    board.edit(*edits)
    check(board, edits)
    board.close()


@pytest.mark.parametrize("how", ["mean", "resample"])
@pytest.mark.parametrize("over", ["head", "head.k", "mlp_out", "neuron", "resid_mid", "head.pattern"])
def test_sweeps_by_mean_and_resample_equal_one_edit_at_a_time(over, how):
    board = a_board("gpt2", mixed=True, reference=True)
    board.edit(cb.head(1, 0).at("A").scale(2))
    options = {"layers": [0, 2]} | ({"positions": "END"} if over == "neuron" else {"by": "pos"})
    sweep = board.sweep(over, how=how, **options)
    draw = random.Random(over)
    for index in draw.sample(range(len(sweep.grid.cells)), 6):
        logits = expected(board, [board.edits[0].intervention, sweep.grid.cells[index]])
        found = sweep.per_prompt.flatten(0, -2)[index]
        torch.testing.assert_close(found, logits[:, 1] - logits[:, 2], rtol=0, atol=1e-5)
    board.close()


def test_patching_from_any_run():
    board = a_board("neox")
    (other,), edited = prompts((6,), 9), cb.head(0, 1).zero()
    plain, changed = cb.Run(other), cb.Run(other, [edited])
    assert plain == cb.Run(other.clone())
    assert plain != changed
    for run in (plain, changed):
        edits = [cb.head(1, 2).patch(run), cb.mlp_out(2).at(-1).patch(run)]
        board.edit(*edits)
        check(board, edits)
        board.clear()


def test_the_current_run_can_be_kept_and_patched_from():
    board = a_board("llama_gqa", mixed=True)
    board.edit(cb.head(0, 1).patch(), cb.neuron(1, 3).mean())
    logits, run = board.logits(), board.as_run()
    board.clear()
    last = board.desk.lab.adapter.shape.n_layers - 1
    board.edit(cb.resid_post(last).patch(run))
    torch.testing.assert_close(board.logits(), logits, rtol=0, atol=1e-5)
    assert board.as_run() == cb.Run(
        [row[-length:] for row, length in zip(board.prompts.clean_tokens, board.prompts.lengths, strict=True)],
        [cb.resid_post(last).patch(run)],
    )


def test_runs_that_look_alike_have_their_own_reference_prompts():
    """Each run's mean is over its own prompts, also where one is patched from within another."""
    board = a_board("gpt2")
    ours, theirs = prompts((6, 6, 6, 6), 7), prompts((6, 6, 6, 6), 8)
    inner = cb.Run(theirs, [cb.head(0, 1).mean()])
    outer = cb.Run(ours, [cb.head(0, 1).mean(), cb.head(1, 0).patch(inner)])
    assert str(inner)[:12] == str(outer)[:12]
    for run in (inner, outer):
        edits = [cb.resid_post(1).patch(run)]
        board.edit(*edits)
        check(board, edits)
        board.clear()


def test_what_is_kept_of_runs_and_draws_is_bounded():
    board = a_board("gpt2")
    first = [board.preview(cb.head(0, 0).resample(seed)).value for seed in range(24)]
    assert [board.preview(cb.head(0, 0).resample(seed)).value for seed in range(24)] == first
    runs = [cb.Run(prompts((6,), seed)) for seed in range(100, 124)]
    first = [board.preview(cb.head(0, 0).patch(run)).value for run in runs]
    assert [board.preview(cb.head(0, 0).patch(run)).value for run in runs] == first
    assert len(list(board.desk.lab.tensors())) <= 2 + 1 + 16


def test_frozen_heads_leave_the_direct_effect_alone():
    """With everything after it frozen, zeroing a head changes the last stream by what it wrote, and no more."""
    board = a_board("gpt2")
    shape = board.desk.lab.adapter.shape
    later = [cb.head(layer, head) for layer in (1, 2) for head in range(shape.n_heads)]
    frozen = [*(head.freeze() for head in later), *(cb.mlp_out(layer).freeze() for layer in range(3))]
    board.edit(cb.head(0, 1).zero(), *frozen)
    direct = board.logits()
    board.clear()
    board.edit(cb.edge(cb.head(0, 1), cb.resid_post(2)).zero())
    torch.testing.assert_close(board.logits(), direct, rtol=0, atol=1e-5)


def test_resampling_is_seeded_and_the_same_for_all_components():
    board = a_board("gpt2")
    last = board.desk.lab.adapter.shape.n_layers - 1
    values = {}
    for seed in range(6):
        values[seed] = board.preview(cb.resid_post(last).resample(seed)).values
        assert torch.equal(values[seed], board.preview(cb.resid_post(last).resample(seed)).values)
        everything = board.preview(cb.embed().resample(seed), *(cb.head(0, h).resample(seed) for h in range(4))).values
        torch.testing.assert_close(everything, values[seed], rtol=0, atol=1e-5)
        # Each prompt says what some other prompt says.
        clean = board.desk.lab.unedited("clean").clean
        for prompt, value in enumerate(values[seed]):
            others = [i for i in range(4) if i != prompt]
            assert min(float((clean[i] - value).abs()) for i in others) < 1e-5
    assert len({tuple(found.tolist()) for found in values.values()}) > 1


# --- what is refused ------------------------------------------------------------------------------------


def one_prompt(**options):
    return cb.Board(tiny("gpt2"), cb.PromptPair([prompts((6,), 1)[0]], answer=1, wrong=2), **options)


@pytest.mark.parametrize("how", ["mean", "resample"])
def test_other_prompts_are_needed(how):
    board = one_prompt()
    with pytest.raises(InterventionError, match="would change nothing") as caught:
        board.edit(getattr(cb.head(0, 0), how)())
    assert caught.value.code == "no_other_prompts"
    assert "reference=" in caught.value.message
    assert board.edits == ()
    several = one_prompt(reference=cb.Run(prompts((6, 6), 4)))
    assert several.edit(getattr(cb.head(0, 0), how)()).receipts[0].norm_change > 0
    longer = one_prompt(reference=cb.Run(prompts((5, 7), 4)))
    with pytest.raises(InterventionError, match="no other prompt of its 6 tokens"):
        longer.edit(getattr(cb.head(0, 0), how)())


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda: cb.head(0, 0).mean(per="label"), "label_needed"),
        (lambda: cb.head(0, 0).at([1, "A"]).mean(per="label"), "label_needed"),
        (lambda: cb.head(0, 0).pattern.at("A").mean(per="label"), "label_pattern"),
        (lambda: cb.head(0, 0).mean(per="token"), "unknown_intervention"),
        (lambda: cb.head(0, 0).resample(-1), "unknown_intervention"),
        (lambda: cb.head(0, 0).resample(1.5), "unknown_intervention"),
        (lambda: cb.head(0, 0).add([1.0, 2.0]), "wrong_shape"),
        (lambda: cb.head(0, 0).add(torch.zeros(9, 9, 9, 9)), "wrong_shape"),
        (lambda: cb.head(0, 0).add("steer"), "bad_values"),
        (lambda: cb.head(0, 0).add([]), "bad_values"),
        (lambda: cb.head(0, 0).add(torch.ones(8, dtype=torch.complex64)), "bad_values"),
        (lambda: cb.head(0, 0).add(1.0, scale="much"), "bad_strength"),
        (lambda: cb.head(0, 0).add(1.0, scale=float("inf")), "non_finite_value"),
        (lambda: cb.head(0, 0).set(float("nan")), "non_finite_value"),
        (lambda: cb.head(0, 0).patch(cb.Run(torch.tensor([1, 2, 3]))), "run_mismatch"),
        (lambda: cb.head(0, 0).patch(cb.Run([torch.tensor([1] * 6)] * 3)), "run_mismatch"),
        (lambda: cb.Run(torch.tensor([1, 2]), [cb.head(0, 0).patch()]), "no_source_run"),
        (lambda: cb.Run(torch.tensor([1, 2]), ["9.6"]), "unknown_intervention"),
        (lambda: cb.Run([]), "empty_prompts"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(edit, code):
    board = a_board("gpt2")
    before = board.edit(cb.head(1, 1).zero()).value
    with pytest.raises((InterventionError, PromptError)) as caught:
        board.edit(edit())
    assert caught.value.code == code
    assert board.value == before
    assert len(board.edits) == 1


def test_numbers_by_position_are_refused_where_prompts_differ_in_length():
    board = a_board("gpt2", mixed=True)
    with pytest.raises(InterventionError, match="differ in length"):
        board.edit(cb.neuron(0, 0).set(torch.ones(6, 1)))
    board.edit(cb.neuron(0, 0).set(1.0))


def test_a_reference_that_is_none_is_refused():
    with pytest.raises(PromptError, match="reference is a PromptPair or a Run"):
        one_prompt(reference=["a text"])


def test_labels_that_the_reference_lacks_are_named():
    board = cb.Board(
        tiny("gpt2"),
        cb.PromptPair(prompts((6, 6), 1), answer=1, wrong=2, labels={"A": 1}),
        reference=cb.Run(prompts((6, 6), 3)),
    )
    with pytest.raises(InterventionError, match="have no label 'A'; they have: none"):
        board.edit(cb.head(0, 0).at("A").mean(per="label"))
