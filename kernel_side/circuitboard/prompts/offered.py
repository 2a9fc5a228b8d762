"""What people give as prompts and is none yet, with the line that makes prompts of it."""

from __future__ import annotations

from collections.abc import Mapping


def instead_of(given: object) -> str:  # noqa: PLR0911  a line a kind
    """A sentence to put after a refusal, with a space in front; empty if there is nothing to say."""
    first = given[0] if isinstance(given, (list, tuple)) and given else given
    if isinstance(first, Mapping) and "role" in first:
        return " Chat messages become text first: model.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)."
    if isinstance(first, Mapping) and "input_ids" in first:
        return " Give the ids of what a tokenizer returned: batch['input_ids']; where some are padded, a list of tensors without the padding."
    if hasattr(given, "columns") and hasattr(given, "itertuples"):
        return " A table is read by cb.tasks.from_table(frame, model=model)."
    if isinstance(given, bytes):
        return " Bytes become text by given.decode()."
    if type(given).__name__ in {"PromptPair", "Prompts"}:
        return " That is a pair already; its clean prompts are pair.clean."
    if isinstance(given, Mapping):
        return " Write cb.PromptPair(clean, corrupted, answer=' Mary', wrong=' John')."
    return ""
