"""Between messages and what a notebook's wire carries: JSON objects and binary buffers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from circuitboard.boundary import another_name_for_memory, out_of_memory, own_words, ran_out_of_memory
from circuitboard.errors import CircuitboardError, ProtocolError
from circuitboard.protocol.messages import AnyMessage, AnyRequest, ErrorInfo

MAX_ID = 128
"""Characters of a request id; views make ids of about 20."""


def decode_request(content: object) -> AnyRequest:
    """Read a request.

    Raises
    ------
    ProtocolError
        `bad_message` if it is of no known kind or ill-typed.
    """
    try:
        request: AnyRequest = msgspec.convert(content, type=AnyRequest)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ProtocolError(
            f"The message was not understood: {error}. The board is unchanged.", code="bad_message"
        ) from error
    if len(request.id) > MAX_ID:
        raise ProtocolError(f"The request id has {len(request.id)} characters, more than {MAX_ID}.", code="bad_message")
    return request


def request_id(content: object) -> str:
    """The id of a message that could not be read, as far as it has one, so that it can be answered."""
    found = content.get("id") if isinstance(content, Mapping) else None
    return found[:MAX_ID] if isinstance(found, str) else ""


def encode(message: AnyMessage) -> dict[str, Any]:
    """A message as the JSON object that is sent."""
    encoded: dict[str, Any] = msgspec.to_builtins(message)
    return encoded


def error_info(error: BaseException) -> ErrorInfo:
    """An error as views show it; errors that are not ours keep their own words."""
    if isinstance(error, CircuitboardError) and not another_name_for_memory(error):
        return ErrorInfo(error.code, error.message, error.where)
    if ran_out_of_memory(error):
        return error_info(own_words(error) or out_of_memory("what the panel asked for"))
    return ErrorInfo("internal", f"{type(error).__name__}: {error}")
