"""Tokenizers made on the spot, so that tasks can be tried without a real one, and tiny models that read with them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge.sources import build_bridge_from_module
from transformer_lens.model_bridge.sources.native.model import NativeModel
from transformers import PreTrainedTokenizerFast

from circuitboard.prompts import tasks

WITHOUT = ("Evan", "Simon", "conflict", "apricot", "Kabul", "Japan", "Greece")
"""Words of the tasks that the tokenizer "words" does not have as one token."""

_END = "<|end|>"
_MORE = ("So isn't he she a an person", "That", "def f(self):\n    ")
_DIGITS = {"words": r"\d{2}| ?\d{2}", "digits": r"\d"}


def _constants() -> Iterator[str]:
    """Every text in the capital-letter constants of the task modules."""
    for found in pkgutil.iter_modules(tasks.__path__):
        module = importlib.import_module(f"{tasks.__name__}.{found.name}")
        for name, value in vars(module).items():
            if name.isupper():
                yield from _texts(value)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value.replace("{", " ").replace("}", " ")
    elif isinstance(value, dict):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, Iterable):
        for one in value:
            yield from _texts(one)


@cache
def reader(kind: str):
    """A tiny model with a byte-level tokenizer: "words" and "digits" know the tasks' words, "bytes" knows none."""
    tokenizer = Tokenizer(models.BPE())
    pieces = rf"{_DIGITS.get(kind, '.')}|'t| ?[A-Za-z]+|\n+| +|[^\w\s]"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pieces), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    texts = {word for text in _constants() for word in text.split() if word.strip(".,:") not in WITHOUT}
    words = sorted(texts | {f"{text}s" for text in texts} | {f"{number:02}" for number in range(100)})
    corpus = [] if kind == "bytes" else [f"{word} {word}" for word in words] + [*_MORE, *_MORE]
    trainer = trainers.BpeTrainer(
        vocab_size=8000,
        min_frequency=1,
        special_tokens=[_END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **dict.fromkeys(("bos_token", "eos_token", "pad_token"), _END),
        name_or_path=kind,
        add_bos_token=True,
    )
    config = TransformerBridgeConfig(
        d_model=8,
        d_head=4,
        n_heads=2,
        n_layers=1,
        n_ctx=128,
        d_vocab=len(fast),
        init_weights=True,
        seed=0,
        default_prepend_bos=True,
        model_name=kind,
        attn_only=True,
    )
    return build_bridge_from_module(
        NativeModel(config), architecture="TransformerLensNative", tl_config=config, tokenizer=fast, model_name=kind
    ).eval()
