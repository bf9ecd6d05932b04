"""The self-check by hand, and at a web server that does not take its answer."""

import pytest
from sqlalchemy import func, select

from config import db, runtime
from messaging.inbox.models import InboxItem
from messaging.models import Clinic
from service import health, ticker
from service.cli import opening
from tests.service.self_check.kit import WAY, check, run, set_up

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def test_by_hand_without_workers_it_is_not_seen_and_says_so(web, bell, monkeypatch):
    monkeypatch.setattr(opening, "begin", lambda: None)
    assert "no self-check is set up" in run(code=2)
    assert "end before the carrier" in run("set-up")
    assert "It did NOT come through" in run("--within", "1", code=3)
    assert "No self-check any more" in run("end")
    assert "There was none" in run("end")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(InboxItem)) == 0


def test_by_hand_with_workers_it_is_seen(pinging, bell, monkeypatch):
    monkeypatch.setattr(opening, "begin", lambda: None)
    run("set-up")
    sweeping = ticker.Ticker()
    rounds = sweeping.begin()
    try:
        assert "handed over after" in run()
    finally:
        sweeping.end()
        rounds.join()
    assert pinging.heard


def test_a_sender_that_is_a_clinic_s_own_is_refused(house, clinic, monkeypatch):
    monkeypatch.setattr(opening, "begin", lambda: None)
    words = ("set-up", "--test-number", "+13035550177", "--sender", clinic.number)
    assert "this sender is a clinic's own" in run(*words, code=1)
    assert "belong together" in run("set-up", "--test-number", "+13035550177", code=2)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.scalars(select(Clinic.id)).all() == [clinic.id]


@BOTH
def test_where_the_web_server_is_down_outside_hears_nothing_and_it_is_said_at_once(
    pinging, web, bell, pass_time, work, monkeypatch
):
    set_up()
    web.shutdown()
    web.server_close()
    work("self_check")
    assert (check().state, check().late_at is not None) == ("resting", True)
    assert health.self_check() == [
        "the web server did not take the self-check's answer: no answer (ConnectionRefusedError)"
    ]
    pass_time(2)
    work(*WAY)
    assert pinging.heard == []
    monkeypatch.setattr(opening, "begin", lambda: None)
    assert "The web server did NOT take a made-up patient's answer: no answer" in run(code=3)


def test_a_web_server_that_refuses_is_named_and_forgotten_once_it_takes_the_answer(
    pinging, bell, pass_time, work, monkeypatch
):
    set_up()
    right = runtime.settings()
    not_ours = right.model_copy(update={"self_check_door": pinging.url.removesuffix("/ping/made-up")})
    monkeypatch.setattr(runtime, "_settings", not_ours)
    work("self_check")
    assert health.self_check() == ["the web server did not take the self-check's answer: status 501"]
    monkeypatch.setattr(runtime, "_settings", right)
    pass_time(301)
    work("self_check")
    pass_time(2)
    work(*WAY)
    assert health.self_check() == []
    assert len(pinging.heard) == 1
