"""All that travels as JSON schema, from which the front ends' TypeScript types are generated, and what is drawn beside it.

Run `python -m circuitboard.protocol.schema` for the schema on standard output; `npm run codegen`
feeds it to json-schema-to-typescript.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any, get_args

import msgspec

from circuitboard.protocol import entries, messages
from circuitboard.protocol.boards import BOARDS_PATH, Boards
from circuitboard.protocol.bridge import BRIDGE, Ask, Told
from circuitboard.protocol.form import Checked, Form, FormOptions, FormText, FormView
from circuitboard.protocol.output import BOARD_OUTPUT, DISPLAY_PREFIX, SAVED_NAME, WIDGET_VIEW, BoardOutput, Offer
from circuitboard.protocol.vocabulary import vocabulary

_UNIONS = {
    "AnyRequest": messages.AnyRequest,
    "AnyAnswer": messages.AnyAnswer,
    "AnyEvent": messages.AnyEvent,
}
_STRUCTS = (Ask, Told, Form, FormOptions, Checked, Boards, BoardOutput, Offer)
_SPARSE = {kind.__name__ for kind in (*get_args(messages.AnyRequest), Ask, Told, Form, FormText, FormView)}
"""Where a field with a default may be left out."""

_CONSTANTS = {
    "PROTOCOL_VERSION": messages.PROTOCOL_VERSION,
    "BRIDGE": BRIDGE,
    "BOARD_OUTPUT": BOARD_OUTPUT,
    "WIDGET_VIEW": WIDGET_VIEW,
    "DISPLAY_PREFIX": DISPLAY_PREFIX,
    "SAVED_NAME": SAVED_NAME,
    "BOARDS_PATH": BOARDS_PATH,
    **{name: value for name, value in vars(entries).items() if name.isupper()},
}


def wires() -> tuple[type[msgspec.Struct], ...]:
    """What travels beside the panel's own messages; what these refer to comes with them."""
    return _STRUCTS


def schema() -> dict[str, Any]:
    """The JSON schema of every message, under `$defs`, with one definition for each union.

    A view always receives every field (the encoder leaves none out), so all fields of what the
    kernel sends are required; only in requests, and in what leaves defaults out, may a field be absent.

    Returns
    -------
    dict
        A draft 2020-12 schema with the keys `title`, `constants` (by name) and `$defs`.
    """
    names = list(_UNIONS)
    kinds = [*_UNIONS.values(), *_STRUCTS]
    roots, definitions = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    for name, definition in definitions.items():
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
        if name not in _SPARSE and "properties" in definition:
            definition["required"] = list(definition["properties"])
        for field in definition.get("properties", {}).values():
            if "$ref" in field:
                field.pop("default", None)  # beside a reference it makes a second type of the same fields
            if field == {"type": "object"}:
                field["additionalProperties"] = True  # of any keys
    for name, root in zip(names, roots, strict=False):
        definitions[name] = {"anyOf": root["anyOf"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Protocol",
        "constants": _CONSTANTS,
        "$defs": definitions,
    }


def main() -> None:
    """Write the schema to standard output."""
    text = msgspec.json.format(msgspec.json.encode({**schema(), "vocabulary": vocabulary()}), indent=2)
    sys.stdout.write(text.decode() + "\n")


if __name__ == "__main__":
    main()
