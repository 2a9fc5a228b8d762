"""The panel's line where the host has no comm: same session, same messages, nothing kept for ever."""

import base64
import json
import threading
import time

import pytest

import circuitboard as cb
from circuitboard.protocol.schema import schema
from circuitboard.widget import bridge, line, widget_of


def ask(what, **fields):
    return bridge.answer(json.dumps({"what": what, **fields}))


@pytest.fixture
def attached(board):
    widget_of(board)
    from circuitboard.board.display import made

    made(board)
    told = ask("attach")
    assert told.state == "open"
    yield told.line
    ask("detach", line=told.line)


def talk(line, *requests, since=0):
    """Exchange until each of the requests has its answer; what came meanwhile, as one."""
    told = ask("exchange", line=line, since=since, wait_s=1, requests=requests)
    wanted = {request["id"] for request in requests}
    deadline = time.monotonic() + 30
    while not wanted <= {sent.content.get("id") for sent in told.messages}:
        assert time.monotonic() < deadline
        time.sleep(0.01)
        told = ask("exchange", line=line, since=since)
    return told


def click(number, site="0.1"):
    return {"kind": "click", "id": f"r{number}", "site": site}


def answers(told, request):
    return [sent.content for sent in told.messages if sent.content.get("id") == request]


def test_a_request_gets_its_one_answer_and_the_events_come_along(board, attached):
    first = talk(attached, {"kind": "hello", "id": "r0"})
    (welcome,) = answers(first, "r0")
    assert welcome["kind"] == "welcome"
    since = first.messages[-1].number
    second = talk(attached, click(1), since=since)
    assert [answer["kind"] for answer in answers(second, "r1")] == ["done"]
    assert [str(edit.intervention.site) for edit in board.edits] == ["0.1"]
    assert "snapshot" in {sent.content["kind"] for sent in second.messages}
    assert [sent.number for sent in second.messages] == list(range(since + 1, since + 1 + len(second.messages)))


def test_what_was_not_fetched_comes_again_and_what_was_does_not(attached):
    first = talk(attached, {"kind": "hello", "id": "r0"})
    again = ask("exchange", line=attached, since=0)
    assert [sent.number for sent in again.messages][: len(first.messages)] == [sent.number for sent in first.messages]
    last = again.messages[-1].number
    later = ask("exchange", line=attached, since=last)
    assert all(sent.number > last for sent in later.messages)


def test_buffers_arrive_as_they_were_sent(board, attached):
    sent_by_comm = []
    widget_of(board).listen(lambda content, buffers: sent_by_comm.append((content, buffers)))
    talk(attached, {"kind": "hello", "id": "r0"})
    for _ in range(200):
        told = ask("exchange", line=attached, since=0, wait_s=0.05)
        maps = [sent for sent in told.messages if sent.content["kind"] == "map"]
        if maps:
            break
        threading.Event().wait(0.02)
    content, buffers = next((content, buffers) for content, buffers in sent_by_comm if content["kind"] == "map")
    assert [base64.b64decode(text) for text in maps[0].buffers] == buffers
    assert maps[0].content == content


def test_two_lines_and_a_comm_hear_the_same(board, attached):
    other = ask("attach").line
    seen = []
    widget_of(board).listen(lambda content, _buffers: seen.append(content))
    mine = talk(attached, {"kind": "hello", "id": "r0"})
    theirs = ask("exchange", line=other)
    assert answers(theirs, "r0") == answers(mine, "r0") == [content for content in seen if content.get("id") == "r0"]
    ask("detach", line=other)


@pytest.mark.parametrize("request_", [{"kind": "no_such", "id": "x"}, {"kind": "click", "id": "x", "site": 3}])
def test_a_request_that_is_not_understood_is_answered_with_an_error(attached, request_):
    told = talk(attached, request_)
    (failed,) = answers(told, "x")
    assert (failed["kind"], failed["error"]["code"]) == ("failed", "bad_message")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"what": "run"}', '{"what": "attach", "code": "1"}', "[" * 5000])
def test_a_question_of_another_form_is_refused_and_changes_nothing(board, attached, text):
    before = board.edits
    with pytest.raises(cb.ProtocolError) as refused:
        bridge.answer(text)
    assert refused.value.code == "bad_message"
    assert board.edits == before


def test_without_a_board_there_is_nothing_to_attach_to(monkeypatch):
    monkeypatch.setattr(bridge, "newest", lambda: None)
    assert ask("attach").state == "no_board"


def test_an_unknown_line_and_one_whose_board_was_closed_are_gone(board, attached):
    assert ask("exchange", line="of another process").state == "gone"
    board.close()
    assert ask("exchange", line=attached).state == "gone"
    assert attached not in bridge._lines


def test_a_view_that_stays_away_is_cut_off_and_may_attach_again(board, attached, monkeypatch):
    monkeypatch.setattr(line, "MOST_MESSAGES", 3)
    for number in range(5):
        widget_of(board).session.receive({"kind": "hello", "id": f"h{number}"})
    assert ask("exchange", line=attached).state == "gone"
    assert attached not in bridge._lines
    again = ask("attach").line
    assert ask("exchange", line=again).state == "open"
    ask("detach", line=again)


def test_lines_that_nobody_closes_do_not_add_up(board, attached):
    before = len(widget_of(board)._listeners)
    names = [ask("attach").line for _ in range(3 * bridge.MOST_LINES)]
    assert len(bridge._lines) == bridge.MOST_LINES
    assert len(widget_of(board)._listeners) <= before + bridge.MOST_LINES
    for name in names:
        ask("detach", line=name)


def test_an_exchange_waits_no_longer_than_it_may(attached, monkeypatch):
    monkeypatch.setattr(bridge, "LONGEST_WAIT_S", 0.01)
    waited = []
    monkeypatch.setattr(line.Line, "exchange", lambda _self, _requests, _since, wait_s: waited.append(wait_s) or [])
    ask("exchange", line=attached, wait_s=1e9)
    ask("exchange", line=attached, wait_s=-1)
    assert waited == [0.01, 0.0]


def test_a_line_knows_when_there_is_a_newer_board(board, attached, make_board):
    assert ask("exchange", line=attached).newest
    from circuitboard.board.display import made

    made(make_board())
    assert not ask("exchange", line=attached).newest


def test_a_board_that_is_kept_names_its_file_and_can_be_loaded_again(attached, monkeypatch, tmp_path):
    assert ask("exchange", line=attached).saved == ""
    monkeypatch.setattr(bridge, "file_of", lambda _board: tmp_path / "a-1.board.json")
    assert ask("exchange", line=attached).saved == "a-1.board.json"
    told = ask("reload", saved="a-1.board.json")
    assert (told.state, told.possible, told.code) == ("reload", False, "")
    assert "No state of this board is kept" in told.words


def test_the_bundle_is_this_packages_own():
    folder = bridge.STATIC
    if not (folder / "widget.js").is_file():
        pytest.skip("the bundle is not built: npm run build:widget")
    told = ask("bundle")
    assert told.script == (folder / "widget.js").read_text("utf-8")
    assert told.style == (folder / "widget.css").read_text("utf-8")


def test_an_installation_without_its_bundle_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(bridge, "STATIC", tmp_path)
    with pytest.raises(cb.ProtocolError, match="circuitboard doctor"):
        ask("bundle")


def test_the_bridge_adds_no_message_to_the_protocol():
    unions = [schema()["$defs"][name]["anyOf"] for name in ("AnyRequest", "AnyAnswer", "AnyEvent")]
    assert not {f"#/$defs/{name}" for name in ("Ask", "Told", "Sent")} & {
        one["$ref"] for union in unions for one in union
    }
