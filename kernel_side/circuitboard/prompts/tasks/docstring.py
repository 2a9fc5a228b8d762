"""Docstring: which argument is documented next.

Heimersheim and Janiak 2023, "A circuit for Python docstrings in a 4-layer attention-only transformer"
(alignmentforum.org/posts/u6KXXmKFbXfWzoAXn); its corruptions are also those of Conmy et al. 2023 (ACDC,
arXiv:2304.14997).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from circuitboard.models.embedded import grammar
from circuitboard.prompts.tasks.draft import Draft
from circuitboard.prompts.tasks.sentence import Drawn, Sentence
from circuitboard.prompts.tasks.task import task

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.prompts.pair import PromptPair

TEMPLATE = (
    "def{name}(self,{A_def},{B_def},{C_def},{D_def}):\n"
    '    """{w1}{w2}{w3}\n'
    "\n"
    "    :param{A_doc}:{w4}{w5}\n"
    "    :param{B_doc}:{w6}{w7}\n"
    "    :param"
)
ARGUMENTS = (
    "load size files last first path name value key state order mode text line page count index level width height color "
    "table group user token limit offset start end data source target result model image date time code type field "
    "shape weight rate step depth range filter parent child root node port host url file query"
).split()
WORDS = (
    "oil column piece crime population unit dark river stone garden window summer winter music paper silver yellow bread "
    "machine mountain ocean teacher doctor village forest island bridge castle market kitchen morning evening weather animal"
).split()

_DEF = ("A_def", "B_def", "C_def", "D_def")
_DOC = ("A_doc", "B_doc")
_FILL = ("w1", "w2", "w3", "w4", "w5", "w6", "w7")


@task(
    asks="def port(self, load, size, files, last): … :param load: … :param size: … :param → files",
    source="Heimersheim and Janiak 2023, A circuit for Python docstrings in a 4-layer attention-only transformer",
    corruptions={
        "random_answer": "the answer has another name in the signature",
        "random_doc": "the arguments already documented have other names in the docstring",
        "random_def": "the arguments have other names in the signature, all of them",
        "random_both": "signature and docstring both have other names, different ones (ACDC's random_random)",
    },
)
def docstring(
    n: int,
    *,
    seed: int = 0,
    model: TransformerBridge,
    corruption: str = "random_answer",
    prepend_bos: bool | None = None,
) -> PromptPair:
    """A function with four arguments, two of them documented: the third one comes next.

    The answer is the third argument (C), the wrong answers are the other arguments of the signature. Labels: A_def,
    B_def, C_def, D_def in the signature, A_doc and B_doc in the docstring, END. For the model "demo", its own words.
    """
    draft = Draft("docstring", n, seed=seed, model=model, corruption=corruption, prepend_bos=prepend_bos)
    if draft.embedded:
        arguments = fillers = list(grammar.words())
    else:
        arguments, fillers = (
            [f" {word}" for word in draft.single_tokens(kind, words, fewest=fewest)]
            for kind, words, fewest in (("argument names", ARGUMENTS, 12), ("plain words", WORDS, 10))
        )

    def draw(rng: random.Random) -> Drawn:
        named = rng.sample(arguments, 5)
        words = dict(zip(("name", *_DEF), named, strict=True))
        words |= {"A_doc": words["A_def"], "B_doc": words["B_def"]}
        free = [word for word in fillers if word not in named]
        words |= dict(zip(_FILL, rng.sample(free, len(_FILL)), strict=True))
        return Drawn(
            Sentence(TEMPLATE, words),
            answer=words["C_def"],
            wrong=(words["A_def"], words["B_def"], words["D_def"]),
            labels={place: place for place in (*_DEF, *_DOC)},
        )

    def corrupt(drawn: Drawn, rng: random.Random) -> Sentence:
        said = set(drawn.clean.words.values())
        new = rng.sample([word for word in arguments if word not in said], len(_DEF) + len(_DOC))
        places = {"random_answer": ("C_def",), "random_doc": _DOC, "random_def": _DEF, "random_both": _DEF + _DOC}
        return drawn.clean.replace(**dict(zip(places[corruption], new, strict=False)))

    return draft.build(draw, corrupt)
