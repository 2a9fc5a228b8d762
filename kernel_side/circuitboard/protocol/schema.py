"""The protocol as JSON schema, from which the panel's TypeScript types are generated.

Run `python -m circuitboard.protocol.schema` for the schema on standard output; `npm run codegen`
feeds it to json-schema-to-typescript.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any, get_args

import msgspec

from circuitboard.protocol import messages

_UNIONS = {
    "AnyRequest": messages.AnyRequest,
    "AnyAnswer": messages.AnyAnswer,
    "AnyEvent": messages.AnyEvent,
}


def schema() -> dict[str, Any]:
    """The JSON schema of every message, under `$defs`, with one definition for each union.

    A view always receives every field (the encoder leaves none out), so all fields of what the
    kernel sends are required; only in requests may a field with a default be absent.

    Returns
    -------
    dict
        A draft 2020-12 schema with the keys `title`, `protocol` (the version) and `$defs`.
    """
    names = list(_UNIONS)
    roots, definitions = msgspec.json.schema_components(list(_UNIONS.values()), ref_template="#/$defs/{name}")
    requests = {kind.__name__ for kind in get_args(messages.AnyRequest)}
    for name, definition in definitions.items():
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
        if name not in requests and "properties" in definition:
            definition["required"] = list(definition["properties"])
    for name, root in zip(names, roots, strict=True):
        definitions[name] = {"anyOf": root["anyOf"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Protocol",
        "protocol": messages.PROTOCOL_VERSION,
        "$defs": definitions,
    }


def main() -> None:
    """Write the schema to standard output."""
    text = msgspec.json.format(msgspec.json.encode(schema()), indent=2)
    sys.stdout.write(text.decode() + "\n")


if __name__ == "__main__":
    main()
