"""What a board offers: a list that is read before it grows, each name told and typed; what moved away warns."""

from __future__ import annotations

import inspect

import pytest

import circuitboard as cb
from circuitboard.board.board import _ON_THE_DESK

FACE = set(
    """
    model pair prompts reference base engine autosave desk change history
    value values normalized baselines metrics spread notes edits
    edit remove toggle replace set_strength move group rename note clear set_base undo redo go_to
    sweep sweep_async compare compare_states
    logits top_tokens preview logit_lens direct_logit_attribution self_repair attention show_attention show_tokens
    neurons max_activating per_prompt
    verify self_test refresh as_run subscribe
    to_python save load last_saved export_svg export_html widget close
    """.split()
)


def test_the_face_is_these_names():
    assert {name for name in dir(cb.Board) if not name.startswith("_")} == FACE


@pytest.mark.parametrize("name", sorted(FACE))
def test_each_is_told_and_typed(name):
    member = inspect.getattr_static(cb.Board, name)
    call = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    assert call.__doc__
    signature = inspect.signature(call)
    assert signature.return_annotation is not signature.empty
    for parameter in list(signature.parameters.values())[not isinstance(member, staticmethod) :]:
        assert parameter.annotation not in (parameter.empty, "object", "Any", "str"), parameter


def test_it_is_one_class():
    ours = [kind for kind in cb.Board.__mro__ if kind.__module__.startswith("circuitboard.board")]
    assert ours == [cb.Board]


@pytest.mark.parametrize("name", sorted(_ON_THE_DESK))
def test_what_lies_on_the_desk_is_found_where_it_was_and_warns(board, name):
    with pytest.warns(DeprecationWarning, match=r"board\.desk\."):
        assert callable(getattr(board, name)) or getattr(board, name) is not None or name == "reference_prompts"
