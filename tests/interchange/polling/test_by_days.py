"""An EHR that is polled: what is booked, moved and cancelled there comes by itself, and what it refuses is told."""

from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from config import clock, db
from interchange import attention, connections, jobs
from interchange.models import Feed, FeedConnection, FeedMessage, FeedSeen
from interchange.polling import asking, poller, turns
from messaging.models import Clinic
from tests.interchange.polling.asked_ehrs import (
    ACTOR,
    START,
    Asked,
    patients,
    planned,
    rows,
    visits,
)

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@both
def test_what_is_booked_moved_and_cancelled_there_comes_by_itself(epic: Asked) -> None:
    epic.book()
    epic.now()
    (visit,) = visits()
    assert (visit.starts_at, visit.state, visit.source) == (START, "booked", "ehr.epic")
    assert [patient.first_name for patient in patients()] == ["Ana"]
    assert planned()
    epic.visit(start=START + timedelta(hours=3))
    epic.now()
    assert [visit.starts_at for visit in visits()] == [START + timedelta(hours=3)]
    epic.visit(status="cancelled")
    epic.now()
    assert [visit.state for visit in visits()] == ["cancelled"]
    assert planned() == []
    assert epic.row.refused is None
    assert epic.row.heard_at is not None


def test_what_stands_as_it_stood_is_told_once_and_asks_for_no_patient_again(epic: Asked) -> None:
    epic.book()
    epic.now()
    before = len([path for path in epic.paths() if "/Patient/" in path])
    epic.now()
    assert len(epic.messages()) == 1
    assert len([path for path in epic.paths() if "/Patient/" in path]) == before == 1


def test_a_visit_that_is_as_it_was_before_is_told_anew_though_nobody_says_when_it_changed(epic: Asked) -> None:
    epic.book(says_when_changed=False)
    epic.now()
    epic.visit(status="cancelled")
    epic.now()
    epic.visit(status="booked")
    epic.now()
    assert [visit.state for visit in visits()] == ["booked"]
    assert epic.states() == ["done"] * 3


def test_a_visit_that_leaves_the_days_that_are_asked_for_is_asked_for_by_itself(epic: Asked) -> None:
    epic.book()
    epic.now()
    epic.visit(start=START + timedelta(days=200))
    epic.now()
    assert [visit.starts_at for visit in visits()] == [START + timedelta(days=200)]


def test_a_visit_that_is_not_there_any_more_waits_for_a_person(epic: Asked) -> None:
    epic.book()
    epic.now()
    epic.ask("DELETE", "visits/12")
    epic.now()
    epic.now()
    assert epic.states() == ["done", "held"]
    assert "visit_vanished" in epic.problems()
    assert [visit.state for visit in visits()] == ["booked"]


def test_more_than_a_hundred_of_a_day_are_read_in_smaller_slices(epic: Asked) -> None:
    for place in range(120):
        epic.book(f"V{place}", start=START + timedelta(minutes=place))
    epic.now()
    while epic.row.try_after <= clock.now():
        epic.work()
    assert len(visits()) == 120
    assert len({visit.external_id for visit in visits()}) == 120
    assert "4127" not in epic.row.notes


def test_a_restricted_patient_is_said_to_be_so_and_never_asked_for_again_by_itself(epic: Asked) -> None:
    epic.patient(restricted="4134")
    epic.book()
    epic.now()
    epic.now()
    assert epic.states() == ["held"]
    assert "restricted" in epic.problems()
    assert len([path for path in epic.paths(403) if "/Patient/7" in path]) == 1
    epic.patient()
    with db.unit_of_work(epic.clinic.id) as session:
        feed = session.get_one(Feed, epic.feed_id)
        row = connections.of(session, feed, locked=True)
        assert row is not None
        connections.read_anew(session, row, feed, ACTOR)
    epic.work()
    assert [visit.state for visit in visits()] == ["booked"]


def test_a_merged_patient_is_followed_once_to_the_record_that_stays(epic: Asked) -> None:
    epic.patient("8", first="Old", merged_into="7")
    epic.book(patient="8")
    epic.now()
    (patient,) = patients()
    assert (patient.first_name, patient.record) == ("Ana", "M7")
    assert len(visits()) == 1


def test_a_patient_s_new_number_comes_by_itself_within_a_day(epic: Asked) -> None:
    epic.book()
    epic.now()
    epic.patient(phone="+13035550122")
    epic.now()
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(FeedSeen).values(seen_at=clock.now() - timedelta(hours=25)))
    epic.now()
    with db.unit_of_work(epic.clinic.id) as session:
        patient = session.merge(patients()[0])
        db.load_keys(session, [patient.key_id])
        assert "+13035550122" in [number.number for number in patient.numbers]


@pytest.mark.parametrize(
    ("fault", "why", "least"),
    [
        ({"path": "Appointment", "status": 429, "retry_after": 120}, "busy", 115),
        ({"path": "Appointment", "status": 503}, "failing", 3),
        ({"path": "token", "status": 500}, "failing", 3),
        ({"path": "Appointment", "status": 401}, "unauthorised", 3),
        ({"path": "Appointment", "code": "4118"}, "not_authorised", 500),
        ({"path": "token", "status": 400}, "token_refused", 500),
        ({"path": "smart-configuration", "status": 404}, "configuration", 500),
    ],
)
def test_what_it_refuses_is_told_and_it_is_left_alone(epic: Asked, fault: Any, why: str, least: int) -> None:
    epic.book()
    epic.faults(fault)
    epic.now()
    row = epic.row
    assert row.refused == why
    assert (row.try_after - clock.now()).total_seconds() > least
    epic.faults()
    epic.now()
    assert epic.row.refused is None
    assert len(visits()) == 1


def test_an_ehr_that_cannot_read_our_keys_is_asked_again_and_nothing_is_lost(epic: Asked) -> None:
    epic.book()
    epic.publish(jwks=None, jwks_url="http://127.0.0.1:9/keys")  # where nobody listens
    epic.now()
    assert epic.row.refused == "token_refused"
    assert visits() == []
    epic.publish()
    epic.now()
    assert epic.row.refused is None
    assert len(visits()) == 1


def test_one_that_hangs_is_left_and_keeps_no_other_waiting(
    epic: Asked, athena: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "REQUEST_SECONDS", 2.0)
    epic.faults({"path": "Appointment", "hang_s": 30, "times": 1})
    athena.book("13")
    epic.work()
    assert epic.row.refused == "timeout"
    assert [visit.source for visit in visits()] == ["ehr.athena"]


def test_a_token_that_ends_early_is_asked_for_anew_at_once(epic: Asked) -> None:
    epic.now()
    epic.book()
    epic.faults({"path": "Appointment", "expires": True, "times": 1})
    epic.now()
    assert epic.row.refused is None
    assert len(visits()) == 1


def test_a_search_whose_pages_have_ended_begins_anew(epic: Asked) -> None:
    for place in range(60):
        epic.book(f"V{place}", start=START + timedelta(minutes=place))
    epic.faults({"path": "Appointment", "code": "4113", "times": 1})
    epic.now()
    assert len(visits()) == 60


def test_a_warning_is_told_and_the_answer_taken(epic: Asked) -> None:
    epic.book()
    epic.faults({"path": "Appointment", "warning": "4119"}, {"path": "nothing"})
    epic.now()
    assert list(epic.row.notes) == ["4119"]
    assert len(visits()) == 1


def test_a_slice_that_was_read_and_not_written_down_is_read_again_and_nothing_doubled(epic: Asked) -> None:
    epic.book()
    way = poller.the_way()
    (task,) = poller._begun(way, 8)
    turns.take(task.plan, task.asker)  # and whoever took it is killed here
    epic.put(lease_until=clock.now())
    epic.work()
    assert len(visits()) == 1
    assert len(epic.messages()) == 1


def test_what_is_under_way_as_somebody_pauses_is_not_written_down(epic: Asked) -> None:
    epic.book()
    (task,) = poller._begun(poller.the_way(), 8)
    with db.unit_of_work(epic.clinic.id) as session:
        feed = session.get_one(Feed, epic.feed_id)
        row = connections.of(session, feed, locked=True)
        assert row is not None
        connections.pause(session, row, feed, ACTOR)
    future: Future[turns.Turn] = Future()
    future.set_result(turns.take(task.plan, task.asker))
    poller._end(task, future)
    assert rows(FeedMessage) == []
    epic.work()
    assert rows(FeedMessage) == []
    assert rows(FeedConnection)[0].state == "paused"


def test_trying_keeps_nothing(epic: Asked) -> None:
    epic.book()
    with db.unit_of_work(epic.clinic.id) as session:
        feed = session.get_one(Feed, epic.feed_id)
        row = connections.of(session, feed)
        assert row is not None
        trial = connections.trial(session, row, feed)
    tried = connections.tried(trial)
    assert (tried.visits, tried.new, tried.refused) == (1, 1, "")
    assert "system/Appointment.rs" in tried.granted
    assert epic.messages() == []
    jobs.drain()
    with db.unit_of_work(epic.clinic.id) as session:
        assert attention.waiting(session, session.get_one(Clinic, epic.clinic.id)) == []


@both
def test_an_ehr_that_answers_with_nothing_new_was_heard(epic: Asked) -> None:
    def heard() -> tuple[str, bool]:
        with db.unit_of_work(epic.clinic.id, read_only=True) as session:
            (standing,) = attention.standings(session, session.get_one(Clinic, epic.clinic.id))
        return standing.feed.name, standing.heard_at == epic.row.heard_at

    assert heard() == ("epic", True)
    epic.now()
    assert epic.row.heard_at is not None
    assert epic.messages() == []
    assert heard() == ("epic", True)
    epic.book()
    epic.now()
    epic.now()
    assert len(epic.messages()) == 1
    assert heard() == ("epic", True)
