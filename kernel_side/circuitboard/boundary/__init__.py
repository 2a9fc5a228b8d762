"""The boundary between the user's code and ours, in both directions.

Inwards, `public` marks what users call: whatever leaves it is a result or a `CircuitboardError`. Outwards, `hand_over`
calls a user's function with things that are theirs. Both are told apart by looking at the stack, so that there is no
state that an interrupt could leave behind.
"""

from circuitboard.boundary.function import require_function
from circuitboard.boundary.memory import another_name_for_memory, out_of_memory, own_words, ran_out_of_memory
from circuitboard.boundary.public import is_public, public
from circuitboard.boundary.stack import hand_over, handed_over, inside, tell
from circuitboard.boundary.text import own_text
from circuitboard.boundary.typed import typed

__all__ = [
    "another_name_for_memory",
    "hand_over",
    "handed_over",
    "inside",
    "is_public",
    "out_of_memory",
    "own_text",
    "own_words",
    "public",
    "ran_out_of_memory",
    "require_function",
    "tell",
    "typed",
]
