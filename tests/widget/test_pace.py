"""Bursts: few events, every click answered once, the newest state at the end, nothing stale on the way."""

from __future__ import annotations

import random
import threading
import time
from itertools import pairwise

import pytest

import circuitboard as cb
from circuitboard.engine import Job
from circuitboard.protocol import messages as m
from circuitboard.session import session
from circuitboard.session.busy import BLINK_S, BusyWatch
from circuitboard.session.publisher import BURST, UPDATES_PER_SECOND, Publisher
from tests.clock import StandingClock
from tests.widget.view import real


def most_in_a_second(times: list[float]) -> int:
    return max((sum(1 for other in times if 0 <= other - start < 1 - 1e-6) for start in times), default=0)


def sites(seed: int, n: int) -> list[str]:
    draw = random.Random(seed)
    return [f"{draw.randrange(3)}.{draw.randrange(4)}" for _ in range(n)]


def left_over(clicks: list[str]) -> set[str]:
    """The heads clicked an odd number of times."""
    return {site for site in clicks if clicks.count(site) % 2}


def test_a_burst_of_clicks(board, view):
    clicks = sites(0, 2000)
    requests = [view.tell("click", site=site) for site in clicks]
    answers = [view.answer(request) for request in requests]
    assert {type(answer) for answer in answers} <= {m.Done, m.Superseded}
    assert isinstance(answers[-1], m.Done)
    revision = board.desk.shown.revision
    final = view.snapshot(revision)
    assert {row.site for row in final.edits} == left_over(clicks)
    assert real(final.metric.value) == pytest.approx(board.value, abs=1e-6)
    view.map(revision)
    assert board.verify().ok


def test_clicks_from_several_threads(board, view):
    per_thread = [sites(seed, 100) for seed in range(4)]
    threads = [
        threading.Thread(target=lambda clicks=clicks: [view.tell("click", site=site) for site in clicks])
        for clicks in per_thread
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for request in view.asked:
        view.answer(request)
    assert len(set(view.asked)) == 401
    final = view.snapshot(board.desk.shown.revision)
    assert {row.site for row in final.edits} == left_over([site for clicks in per_thread for site in clicks])


def test_on_a_slow_model_the_newest_click_wins(board, view, slow, layers_of_step):
    began = slow(0.05)
    clicks = sites(1, 60)
    requests = [view.tell("click", site=site) for site in clicks]
    told = time.monotonic()
    view.answer(requests[-1])
    # Its own three, in the last of which it asks three times: the click before it had begun the layer that it was in.
    assert layers_of_step(began, told) <= 5
    answers = [view.answer(request) for request in requests]
    assert sum(isinstance(answer, m.Superseded) for answer in answers) > 30
    final = view.snapshot(board.desk.shown.revision)
    assert {row.site for row in final.edits} == left_over(clicks)
    assert real(final.metric.value) == pytest.approx(board.value, abs=1e-6)
    assert board.verify().ok


def test_a_stale_number_is_never_sent(board, view, slow):
    """Each number sent is that of the edits sent with it, and revisions only grow."""
    expected = {}
    began = slow(0.01)
    for burst in range(5):
        for site in sites(burst, 8):
            layers = len(began)
            view.tell("click", site=site)
            while len(began) == layers:  # the next click comes in the middle of a layer
                time.sleep(0.001)
        revision = view.answer(view.asked[-1]).revision
        view.snapshot(revision)
    board.clear()
    for snapshot in view.snapshots:
        edits = tuple(row.site for row in snapshot.edits)
        if edits not in expected:
            interventions = [cb.site(site).zero() for site in edits]
            expected[edits] = board.preview(*interventions).value if interventions else board.baselines.clean
        assert real(snapshot.metric.value) == pytest.approx(expected[edits], abs=1e-5)
    maps = [(event.map_id, event.done) for event, _, _ in view.maps]
    assert maps == sorted(maps)


def test_a_click_is_shown_at_once_while_a_map_fills_in(board, make_view, slow, monkeypatch):
    """Its numbers never wait for the pace of other events: they are there before its answer, however full the line is."""
    clock = StandingClock()
    monkeypatch.setattr(session, "Publisher", lambda send: Publisher(send, clock))
    view = make_view(board)
    view.hello()
    slow(0.004)
    for turn in range(12):
        clock.advance(0.08)  # people click no faster
        revision = view.ask("click", site=f"2.{turn % 4}").revision
        assert view.snapshots[-1].revision == revision


def test_a_long_step_is_announced_and_its_snapshot_comes_after(board, view, slow):
    slow(0.1)
    view.ask("click", site="0.0")
    kinds = [type(arrived.message).__name__ for arrived in view.events if not isinstance(arrived.message, m.MapEvent)]
    assert kinds[-2:] == ["BusyEvent", "SnapshotEvent"]
    assert "0.0" in next(a.message.what for a in view.events if isinstance(a.message, m.BusyEvent))


def test_a_step_is_announced_once_it_takes_longer_than_a_blink():
    told, clock = [], StandingClock()
    watch = BusyWatch(lambda job, what: told.append((job, what)), clock)
    short, long, both = (Job(lambda _cancel: None) for _ in range(3))
    for job, what in ((short, "short"), (long, "long")):
        watch.started(job, what)
    clock.advance(BLINK_S / 2)
    watch.started(both, "later")
    short.end()
    assert not told
    clock.advance(BLINK_S / 2)
    assert told == [(long, "long")]
    both.end()
    clock.advance(10 * BLINK_S)
    assert told == [(long, "long")]
    watch.started(long, "again")
    watch.close()
    clock.advance(10 * BLINK_S)
    assert len(told) == 1


def test_many_steps_do_not_make_many_threads(board, view, slow):
    slow(0.02)
    before = threading.active_count()
    for site in sites(3, 200):
        view.tell("click", site=site)
    assert threading.active_count() <= before + 2
    view.answer(view.asked[-1])


# --- the publisher alone ------------------------------------------------------------------------------


def test_the_newest_of_a_slot_is_sent_and_the_numbers_have_no_gap():
    sent, clock = [], StandingClock()
    publisher = Publisher(lambda content, _buffers: sent.append((clock.now(), content)), clock)

    def publish(slot, what):
        publisher.publish(slot, lambda seq: (m.BusyEvent(seq, what), []), urgent=slot != "map")

    for count in range(1, 1501):
        publish("map", f"map {count}")
        publish("snapshot", f"snapshot {count}")
        clock.advance(0.001)
    clock.advance(0.5)
    publisher.close()
    assert [content["seq"] for _, content in sent] == list(range(1, len(sent) + 1))
    words = [content["what"] for _, content in sent]
    assert f"snapshot {count}" in words
    assert f"map {count}" in words
    for slot in ("map", "snapshot"):
        numbers = [int(word.split()[1]) for word in words if word.startswith(slot)]
        assert all(a < b for a, b in pairwise(numbers))
    # The last instant of a second belongs to the next: sums of a thousandth are not exact.
    assert UPDATES_PER_SECOND / 2 < most_in_a_second([at for at, _ in sent]) <= UPDATES_PER_SECOND


def test_after_a_quiet_moment_events_go_out_on_the_spot():
    sent = []
    publisher = Publisher(lambda content, _buffers: sent.append(content["seq"]))
    for _ in range(BURST):
        publisher.publish("snapshot", lambda seq: (m.BusyEvent(seq, ""), []), urgent=True)
    assert sent == list(range(1, BURST + 1))
    publisher.close()


def test_a_map_leaves_room_for_what_is_urgent():
    sent = []
    publisher = Publisher(lambda content, _buffers: sent.append(content["what"]))
    for _ in range(10):
        publisher.publish("map", lambda seq: (m.BusyEvent(seq, "map"), []), urgent=False)
    publisher.publish("snapshot", lambda seq: (m.BusyEvent(seq, "snapshot"), []), urgent=True)
    assert sent[-1] == "snapshot"
    assert len(sent) < BURST
    publisher.close()
