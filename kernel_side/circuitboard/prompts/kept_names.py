"""Names of some tokens, for prompts that travel without their tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from circuitboard.errors import PromptError


@dataclass(frozen=True)
class KeptNames:
    """The names of some token ids."""

    names: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, show: Callable[[int], str], ids: Iterable[int]) -> Callable[[int], str]:
        """The names of these ids by `show`, which may hold a tokenizer."""
        return (
            show
            if show is str or isinstance(show, KeptNames)
            else cls(tuple((token, show(token)) for token in sorted(set(ids))))
        )

    def __call__(self, token: int) -> str:
        found = dict(self.names).get(token)
        if found is None:
            raise PromptError(
                f"These prompts were copied or read from a pickle, with the names of their own tokens; that of id {token} is not among them. Bind the pair to its model again: pair.bind(model).",
                code="not_bound",
            )
        return found
