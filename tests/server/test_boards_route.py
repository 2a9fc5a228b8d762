"""Promise 23: the list of boards needs a log-in and a permission, only reads, and refuses foreign pages."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import jsonschema
import msgspec
import pytest

from circuitboard.protocol.boards import Boards
from tests.server.conftest import BOARDS, ROOT

OPENAPI = json.loads((ROOT / "kernel_side/circuitboard/server/openapi.json").read_text())
VERBS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
WRITES = ["POST", "PUT", "PATCH", "DELETE"]


def holds(answer, *, status: int) -> None:
    """The answer is what the documentation says of this status."""
    described = OPENAPI["paths"][BOARDS]["get"]["responses"][str(status)]
    schema = described["content"]["application/json"]["schema"] | {"components": OPENAPI["components"]}
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"].startswith("application/json")
    jsonschema.Draft202012Validator(schema).validate(answer.json)


def says_nothing(answer) -> None:
    assert b'"kernels"' not in answer.body
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_right_token_lists_the_boards(server):
    answer = server.ask("GET", BOARDS, server.with_token)
    holds(answer, status=200)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    holds(server.ask("GET", f"{BOARDS}?token={server.token}"), status=200)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "token wrong"}, {"Authorization": "Basic eDp4"}])
def test_without_the_right_token_nothing_is_told(server, headers):
    answer = server.ask("GET", BOARDS, headers)
    holds(answer, status=403)
    says_nothing(answer)
    assert server.ask("GET", f"{BOARDS}?token=wrong").status == 403


def test_a_user_who_may_not_read_kernels_is_refused(server):
    answer = server.ask("GET", f"{BOARDS}?as=guest", server.with_token)
    holds(answer, status=403)
    assert "not authorized to read on resource: kernels" in answer.json["message"]
    says_nothing(answer)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "GET"])
@pytest.mark.parametrize("who", ["anonymous", "wrong token", "right token", "cookie"])
def test_no_other_verb_does_anything(server, verb, who):
    headers = {
        "anonymous": dict,
        "wrong token": lambda: {"Authorization": "token wrong"},
        "right token": lambda: server.with_token,
        "cookie": server.log_in,
    }[who]()
    answer = server.ask(verb, BOARDS, headers)
    # OPTIONS is Jupyter's own: a page of another origin asks it before it may ask anything, and it tells no content.
    expected = {204, 200} if verb == "OPTIONS" else {403, 405, 501}
    assert answer.status in expected
    if who == "right token" and verb != "OPTIONS":
        assert answer.status in (405, 501)
    if who == "cookie" and verb in WRITES:
        assert answer.status == 403  # XSRF comes first
    if verb in ("OPTIONS", "HEAD"):
        assert answer.body == b""
    if who == "right token":
        assert b"boards" not in answer.body
    else:
        says_nothing(answer)


@pytest.mark.parametrize("verb", WRITES)
def test_with_cookie_and_xsrf_token_a_write_is_still_none(server, verb):
    page = server.ask("GET", "/login")  # its form makes the XSRF cookie
    (xsrf,) = [
        line.split("=", 1)[1].split(";")[0]
        for line in page.headers["Set-Cookie"].splitlines()
        if line.startswith("_xsrf=")
    ]
    headers = {"Cookie": f"{server.log_in()['Cookie']}; _xsrf={xsrf}"}
    assert server.ask(verb, BOARDS, headers).status == 403
    assert server.ask(verb, BOARDS, headers | {"X-XSRFToken": xsrf}).status == 405
    foreign = {"X-XSRFToken": xsrf, "Origin": "http://evil.example"}
    assert server.ask(verb, BOARDS, headers | foreign).status == 404


def test_a_logged_in_browser_lists_them_from_its_own_origin(server):
    holds(server.ask("GET", BOARDS, server.log_in() | {"Origin": server.origin}), status=200)
    holds(server.ask("GET", BOARDS, server.log_in()), status=200)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_page_is_refused(server, origin):
    answer = server.ask("GET", BOARDS, server.log_in() | {"Origin": origin})
    holds(answer, status=404)
    says_nothing(answer)


def test_a_foreign_page_that_has_the_token_is_a_program_like_any_other(server):
    """Jupyter's own rule: no browser sends the token by itself, so who sends it was given it."""
    origin = "http://evil.example"
    assert server.ask("GET", BOARDS, server.with_token | {"Origin": origin}).status == 200
    assert server.ask("GET", BOARDS, {"Authorization": "token wrong", "Origin": origin}).status in (403, 404)


def test_a_foreign_host_name_is_refused(server):
    answer = server.ask("GET", BOARDS, server.with_token | {"Host": "evil.example"})
    assert answer.status == 403
    says_nothing(answer)


def test_below_the_route_is_nothing(server):
    for path in (BOARDS + "/1", BOARDS + "/../../etc", "/circuitboard/api", "/circuitboard/api/openapi.json"):
        assert server.ask("GET", path, server.with_token).status == 404


def _undented(found):
    """The same without the indentation of docstrings, which some releases of msgspec keep and others do not."""
    if isinstance(found, dict):
        return {key: _undented(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_undented(value) for value in found]
    return inspect.cleandoc(found) if isinstance(found, str) else found


def test_the_documentation_is_what_the_handler_sends():
    _, parts = msgspec.json.schema_components([Boards], ref_template="#/components/schemas/{name}")
    documented = dict(OPENAPI["components"]["schemas"])
    assert documented.pop("Error")["required"] == ["message"]
    assert _undented(documented) == _undented(parts)
    assert list(OPENAPI["paths"]) == [BOARDS]
    assert list(OPENAPI["paths"][BOARDS]) == ["get"]
    for schema in OPENAPI["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_server_loads_neither_torch_nor_the_widget():
    code = (
        "import sys, circuitboard.server, circuitboard.server.handler; "
        "print(sorted({'torch', 'transformer_lens', 'anywidget', 'circuitboard.board'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"
