"""The self-check: a made-up answer goes the whole way, silence is heard outside, and nothing of it counts anywhere."""

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from caseload.figures import keeping
from caseload.figures.models import FigureDay
from config import clock, db, runtime
from intake_links import alert_audit
from messaging.models import Attempt, Message
from service import app as application
from service import health, tables
from service.cli import people
from service.self_check import made_up
from tests.phones import Network
from tests.service.self_check.kit import WAY, check, set_up
from webhooks import missed_texts

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def rows(clinic_id) -> dict[str, int]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        counted = {
            table.name: session.scalar(select(func.count()).where(table.c.clinic_id == clinic_id))
            for table in tables.METADATA.sorted_tables
            if "clinic_id" in table.c
        }
    return {name: count for name, count in counted.items() if count}


@BOTH
def test_an_answer_comes_through_and_outside_hears_of_it(pinging, bell, pass_time, work):
    set_up()
    work("self_check")
    assert (check().state, pinging.heard) == ("running", [])
    pass_time(2)
    work(*WAY)
    assert check().state == "resting"
    assert check().seen_at is not None
    assert check().took_ms < 60_000
    assert [(path, body) for path, _, body in pinging.heard] == [("/ping/made-up", b"")]
    assert check().pinged_at is not None
    pass_time(10)
    work(*WAY)
    assert len(pinging.heard) == 1, "the next is due after five minutes"
    pass_time(300)
    work("self_check")
    pass_time(2)
    work(*WAY)
    assert len(pinging.heard) == 2


@BOTH
@pytest.mark.parametrize("worked", [(), ("timers",), ("deliver_urgent",)])
def test_where_a_lane_stands_still_outside_hears_nothing(pinging, bell, pass_time, work, worked):
    set_up()
    work("self_check", *worked)
    pass_time(61)
    work("self_check")
    assert check().late_at is not None
    assert check().seen_at is None
    assert pinging.heard == []
    assert health.self_check() == [], "one may fail; the switch outside has its own patience"
    pass_time(11 * 60)
    (said,) = health.self_check()
    assert said.startswith("no self-check has come through for")


def test_what_came_through_too_late_is_not_said_to_have_come(pinging, bell, pass_time, work):
    set_up()
    work("self_check")
    pass_time(90)
    work(*WAY)
    assert check().seen_at is None
    assert pinging.heard == []
    pass_time(300)  # and what is left of it is not in the way of the next
    work("self_check")
    pass_time(2)
    work(*WAY)
    assert len(pinging.heard) == 1


def test_who_looks_late_still_reads_when_the_text_left(pinging, bell, pass_time, work):
    set_up()
    work("self_check", "timers", "deliver_urgent")
    pass_time(200)
    work("self_check")
    assert check().seen_at is not None
    assert len(pinging.heard) == 1


@BOTH
def test_nothing_of_it_is_left_or_counted(web, bell, clinic, pass_time, work):
    set_up()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        made = made_up.find(session)
    assert made is not None
    sizes = []
    for _ in range(4):
        work("self_check")
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            assert health.unanswered(session, clock.now()).overdue == 0
            assert health.unanswered(session, clock.now()).seconds == 0
            assert health.oldest_unsent_alert(session) is None
            assert list(alert_audit.rows(session)) == []
        pass_time(2)
        work(*WAY)
        pass_time(300)
        sizes.append({name: count for name, count in rows(made.id).items() if not name.startswith("audit")})
    assert sizes[0] == sizes[-1]
    gone = {"inbox_item", "screen", "intake_link", "link_session", "message", "attempt", "timer", "told", "item_event"}
    assert not gone & set(sizes[-1])
    keeping.drain()
    missed_texts._begin()
    assert not {"figure_day", "inbound_check"} & set(rows(made.id))
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(FigureDay).where(FigureDay.clinic_id == clinic.id))
        assert people.the_clinic(session, None).id == clinic.id


def test_no_carrier_hears_of_it_unless_a_test_number_is_given(network: Network, web, bell, pass_time, work):
    set_up()
    work("self_check")
    pass_time(2)
    work(*WAY)
    assert check().seen_at is not None
    assert network.accepted() == []
    set_up(test_number="+13035550177", sender="+13035550176")
    work("self_check")
    pass_time(2)
    work(*WAY)
    (sent,) = network.accepted()
    assert (sent["to"], sent["from"]) == ("+13035550177", "+13035550176")


def test_a_clinic_of_people_still_texts_by_the_carrier(network: Network, bell, clinic, new_staff, work):
    from messaging import outbox

    set_up()
    staff = new_staff("Rosa")
    with db.unit_of_work(db.EVERY) as session:
        outbox.text_staff(session, session.merge(clinic), staff, body="An item waits.", dedupe="one")
    work("deliver_urgent")
    assert len(network.accepted()) == 1


def test_what_is_swept_away_while_it_is_with_the_carrier_takes_no_other_along(
    network: Network, bell, clinic, new_staff, monkeypatch
):
    from messaging import outbox
    from messaging.delivery import deliver, send_one

    set_up(test_number="+13035550177", sender="+13035550176")
    staff = new_staff("Rosa")
    with db.unit_of_work(db.EVERY) as session:
        made = made_up.find(session)
        assert made is not None
        outbox.text_staff(session, made, made_up.colleague(session, made), body="A test.", dedupe="theirs")
        outbox.text_staff(session, session.merge(clinic), staff, body="An item waits.", dedupe="one")
    send, gone = send_one.send, []

    def send_and_sweep(intent, stopped):
        outcome = send(intent, stopped)
        if intent.clinic_id == made.id and not gone:
            gone.append(intent)
            with db.unit_of_work(db.EVERY) as session:
                session.query(Attempt).filter(Attempt.clinic_id == made.id).delete()
                session.query(Message).filter(Message.clinic_id == made.id).delete()
        return outcome

    monkeypatch.setattr(send_one, "send", send_and_sweep)
    deliver.deliver("urgent")
    assert gone
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.scalars(select(Message.state)).all() == ["sent"]


def test_a_clock_that_is_set_back_silences_nothing(pinging, bell, pass_time, work):
    set_up()
    pass_time(24 * 3600)
    work("self_check")
    pass_time(2)
    work(*WAY)
    pass_time(-24 * 3600)
    work("self_check")
    pass_time(2)
    work(*WAY)
    assert len(pinging.heard) == 2


def test_a_ping_that_is_not_taken_is_said(pinging, bell, pass_time, work):
    pinging.answers = 410
    set_up()
    work("self_check")
    pass_time(2)
    work(*WAY)
    assert health.self_check() == ["the self-check's ping was not taken: 410"]
    assert pinging.url not in str(health.self_check())
    pinging.answers = 200
    pass_time(300)
    work("self_check")
    pass_time(2)
    work(*WAY)
    assert health.self_check() == []


def test_no_ping_leads_into_a_network(web, bell, monkeypatch, pass_time, work):
    inside = runtime.settings().model_copy(update={"self_check_url": SecretStr("https://10.0.0.7/ping")})
    monkeypatch.setattr(runtime, "_settings", inside)
    set_up()
    work("self_check")
    pass_time(2)
    work(*WAY)
    assert health.self_check() == ["the self-check's ping was not taken: refused_inside"]


def test_its_age_is_a_figure_where_it_is_set_up(house, bell, pass_time, work):
    client = application.create_app().test_client()
    assert "\nwarmthread_self_check_age_seconds" not in client.get("/metrics").text
    set_up()
    pass_time(700)
    assert "\nwarmthread_self_check_age_seconds 70" in client.get("/metrics").text
    said = client.get("/readyz").json
    assert any(line.startswith("no self-check has come through") for line in said["problems"])
