"""The shipped weights of the embedded model do what its card says."""

from __future__ import annotations

import random
from functools import cache

import pytest
import torch

from circuitboard.models import load
from circuitboard.models.embedded import demo, evaluate, grammar

ALL_HEADS = [(layer, head) for layer in range(demo.N_LAYERS) for head in range(demo.N_HEADS)]
# An induction head looks mostly at the word after the first occurrence.
INDUCTION_SCORE = 0.4


@cache
def _model():
    return load("demo", device="cpu")


@cache
def _recorded():
    tokens = evaluate.induction_tokens(128)
    names = [f"blocks.{layer}.attn.hook_{kind}" for layer in range(demo.N_LAYERS) for kind in ("pattern", "z")]
    with torch.no_grad():
        _, record = _model().run_with_cache(tokens, names_filter=names)
    patterns = torch.stack([record[f"blocks.{layer}.attn.hook_pattern"] for layer in range(demo.N_LAYERS)])
    means = [record[f"blocks.{layer}.attn.hook_z"].mean(0) for layer in range(demo.N_LAYERS)]
    return tokens, evaluate.induction_scores(patterns), means


def _induction_heads() -> list[tuple[int, int]]:
    scores = _recorded()[1]
    return [place for place in ALL_HEADS if scores[place] > INDUCTION_SCORE]


def _live_heads() -> list[tuple[int, int]]:
    """Heads that write something; ablating the dead ones would prove nothing."""
    weights = [block.attn.o.weight for block in _model().blocks]
    return [
        (layer, head) for layer, head in ALL_HEADS if weights[layer][:, head * demo.D_HEAD :][:, : demo.D_HEAD].any()
    ]


def _accuracy_without(heads: list[tuple[int, int]]) -> float:
    """Induction accuracy with the z of these heads at its mean over prompts, position by position."""
    tokens, _, means = _recorded()

    def ablate(layer: int):
        def hook(z, hook):
            z = z.clone()
            for head in (head for at, head in heads if at == layer):
                z[:, :, head] = means[layer][:, head]
            return z

        return f"blocks.{layer}.attn.hook_z", hook

    hooks = [ablate(layer) for layer in {layer for layer, _ in heads}]
    with torch.no_grad():
        return evaluate.induction_accuracy(lambda x: _model().run_with_hooks(x, fwd_hooks=hooks), tokens)


def test_stored_weights_solve_their_tasks():
    scores = evaluate.evaluate(_model(), n=256)
    assert scores.induction >= 0.99
    assert scores.ioi >= 0.99
    assert scores.ioi_logit_diff > 3
    assert scores.docstring >= 0.98


def test_mean_ablating_the_induction_heads_stops_induction():
    assert _induction_heads()
    assert _accuracy_without(_induction_heads()) < 0.05


@pytest.mark.parametrize("seed", range(10))
def test_mean_ablating_as_many_other_heads_does_not(seed):
    induction = _induction_heads()
    others = [place for place in _live_heads() if place not in induction]
    assert _accuracy_without(random.Random(seed).sample(others, len(induction))) > 0.85


def test_the_card_names_the_heads_that_are_there():
    card = (demo.folder() / "MODEL_CARD.md").read_text("utf-8")
    dead = [f"{layer}.{head}" for layer, head in ALL_HEADS if (layer, head) not in _live_heads()]
    induction = [f"{layer}.{head}" for layer, head in _induction_heads()]
    assert f"**{', '.join(induction)}: induction**" in card
    assert f"**Heads {', '.join(dead[:-1])} and {dead[-1]} are dead**" in card


def test_bridge_equals_the_module_it_was_trained_as():
    from safetensors.torch import load_file

    module = demo.build_module()
    module.load_state_dict(load_file(demo.folder() / demo.WEIGHTS))
    tokens = evaluate.induction_tokens(4)
    with torch.no_grad():
        expected = module.eval()(tokens)
        assert (expected - _model()(tokens)).abs().max() <= 1e-5 * expected.abs().max()
        double = load("demo", device="cpu", dtype=torch.float64)
        assert (module.double()(tokens) - double(tokens)).abs().max() <= 1e-12 * expected.abs().max()


def test_files_are_small_enough_to_ship():
    assert (demo.folder() / demo.WEIGHTS).stat().st_size < 1_500_000
    assert (demo.folder() / "MODEL_CARD.md").is_file()


def test_model_is_ready_to_use():
    model = _model()
    assert not model.training
    assert model.cfg.model_name == "demo"
    assert (model.cfg.n_layers, model.cfg.n_heads, model.cfg.d_model, model.cfg.d_head) == (4, 8, 128, 16)
    assert model.cfg.attn_only
    assert model.cfg.d_vocab == len(grammar.vocabulary()) == len(model.tokenizer)
    assert next(model.parameters()).dtype is torch.float32


def test_loading_leaves_the_random_generator_alone():
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    load("demo", device="cpu")
    assert torch.equal(torch.rand(3), expected)


TEXTS = [
    "When Mary and John went to the store, John gave a drink to",
    "When John and Mary went to the shops, Mary gave the bag to",
    " clock river table clock river",
    'def file(self, path, size):\n    """ copy table\n\n    :param path: red line\n    :param',
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("prepend_bos", [True, False])
def test_decoding_gives_the_text_back(text, prepend_bos):
    tokens = _model().to_tokens(text, prepend_bos=prepend_bos)
    assert (tokens[0, 0] == _model().tokenizer.bos_token_id) == prepend_bos
    assert _model().to_string(tokens[0, int(prepend_bos) :]) == text
    assert _model().tokenizer.unk_token_id not in tokens[0]


def test_tokens_are_whole_words():
    pieces = _model().to_str_tokens(TEXTS[0], prepend_bos=False)
    assert pieces == [
        "When",
        " Mary",
        " and",
        " John",
        " went",
        " to",
        " the",
        " store",
        ",",
        " John",
        " gave",
        " a",
        " drink",
        " to",
    ]


def test_generated_text_stays_in_the_vocabulary():
    rng = random.Random(0)
    documents = [grammar.ioi_sentence(rng).pieces, grammar.docstring(rng, 3).pieces, grammar.repeated_words(rng, 5)]
    for pieces in documents:
        assert _model().to_str_tokens("".join(pieces), prepend_bos=False) == list(pieces)


def test_shipped_tokenizer_is_the_grammars():
    assert json_of(demo.folder() / demo.TOKENIZER) == json_of_text(demo.build_tokenizer().backend_tokenizer.to_str())


def json_of(path):
    return json_of_text(path.read_text("utf-8"))


def json_of_text(text):
    import json

    return json.loads(text)


def test_training_runs_and_stores_what_can_be_loaded(tmp_path):
    from circuitboard.models.embedded.training import __main__ as training

    module = training.train(2, seed=0)
    demo.store(module, tmp_path)
    stored = demo.load_demo(tmp_path)
    rounded = {name: value.half().float() for name, value in module.state_dict().items()}
    module.load_state_dict(rounded)
    tokens = evaluate.induction_tokens(2)
    with torch.no_grad():
        assert torch.allclose(stored(tokens), module(tokens), atol=1e-5)
