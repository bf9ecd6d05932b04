"""A Subscription of a FHIR server (backport) is a bell: visits are read by their ids, and gaps are noticed."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from fhir.resources.R4B.bundle import Bundle
from sqlalchemy import select

from config import clock, db
from interchange.models import Feed, FeedNotice
from interchange.polling import subscriptions
from tests.interchange.polling.asked_ehrs import HUB, START, Asked, door, rows, visits
from tests.webhooks.ehr_world import signed

SUBSCRIPTION = "https://ehr.example/fhir/Subscription/s1"
BEYOND = START + timedelta(days=4)  # not among the days that are asked for every five minutes


def notification(kind: str, count: int, *events: tuple[int, str], full: Any = None) -> dict[str, Any]:
    """A notification as the backport has it on R4."""
    told = [
        {"name": "notification-event", "part": [
            {"name": "event-number", "valueString": str(number)},
            {"name": "focus", "valueReference": {"reference": reference}},
        ]} for number, reference in events
    ]  # fmt: skip
    parameters = [
        {"name": "subscription", "valueReference": {"reference": SUBSCRIPTION}},
        {"name": "status", "valueCode": "active"},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(count)},
        *told,
    ]
    status = {"resourceType": "Parameters", "id": "p1", "parameter": parameters}
    answered = {"request": {"method": "GET", "url": "Subscription/s1/$status"}, "response": {"status": "200"}}
    entries = [{"fullUrl": f"urn:uuid:{uuid4()}", "resource": status, **answered}]
    entries += [{"fullUrl": "https://ehr.example/fhir/x", "resource": full, **answered}] if full else []
    return {"resourceType": "Bundle", "type": "history", "timestamp": "2026-03-01T12:00:00Z", "entry": entries}


def post(asked: Asked, bundle: dict[str, Any]) -> Any:
    with db.unit_of_work(asked.clinic.id) as session:
        feed = session.scalars(select(Feed).where(Feed.id == asked.feed_id)).one()
        db.load_keys(session, [feed.key_id])
        secret = feed.secret or ""
    body, now, message = json.dumps(bundle).encode(), clock.now(), f"msg_{uuid4().hex}"
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signed(secret, message, now, body),
        "Content-Type": "application/fhir+json",
    }
    return door().post(f"/webhooks/ehr/{asked.name}", data=body, headers=headers)


def asked_for(asked: Asked, what: str) -> int:
    return sum(what in path for path in asked.paths())


def test_what_the_tests_post_is_a_notification_by_the_field_s_own_library() -> None:
    visit = {"resourceType": "Appointment", "id": "12", "status": "cancelled", "participant": [
        {"actor": {"reference": "Patient/7"}, "status": "accepted"}]}  # fmt: skip
    Bundle.model_validate(notification("event-notification", 3, (3, "Appointment/12"), full=visit))


def test_a_handshake_and_a_heartbeat_are_answered_and_ask_for_nothing(epic: Asked) -> None:
    epic.now()
    before = len(epic.paths())
    for kind in ("handshake", "heartbeat"):
        assert post(epic, notification(kind, 0)).status_code == 200
    epic.work()
    assert len(epic.paths()) == before
    assert rows(FeedNotice) == []
    assert epic.problems() == set()
    assert [row.kind for row in epic.messages()] == ["Bundle, handshake", "Bundle, heartbeat"]


def test_a_visit_told_by_its_id_alone_is_read_soon_and_once(epic: Asked) -> None:
    epic.now()
    epic.book(start=BEYOND)
    bundle = notification("event-notification", 1, (1, "https://ehr.example/fhir/Appointment/12"))
    assert [post(epic, bundle).status_code for _ in range(3)] == [200] * 3
    epic.work()
    assert [visit.starts_at for visit in visits()] == [BEYOND]
    assert asked_for(epic, "/Appointment/12") == 1
    assert [row.done_at is not None for row in rows(FeedNotice)] == [True]
    assert epic.problems() == set()


def test_it_may_be_signed_with_the_secret_of_its_events_too(epic: Asked) -> None:
    epic.now()
    epic.book(start=BEYOND)
    body = json.dumps(notification("event-notification", 1, (1, "Appointment/12"))).encode()
    for secret, status in (("another", 403), (HUB, 200)):
        headers = {"X-Hub-Signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
        assert door().post("/webhooks/ehr/epic", data=body, headers=headers).status_code == status
    epic.work()
    assert [visit.starts_at for visit in visits()] == [BEYOND]


@pytest.mark.parametrize("kind", ["heartbeat", "event-notification"])
def test_where_an_event_was_never_told_every_day_is_read_anew(epic: Asked, kind: str) -> None:
    epic.now()
    epic.book(start=BEYOND)
    events = [(2, "Appointment/unheard")] if kind == "event-notification" else []
    post(epic, notification(kind, 2, *events))
    epic.work()
    assert [visit.starts_at for visit in visits()] == [BEYOND]


def test_a_gap_has_every_day_read_anew_once_however_often_it_is_told(epic: Asked) -> None:
    epic.now()
    before = asked_for(epic, "/Appointment?")
    post(epic, notification("heartbeat", 2))
    epic.work()
    once = asked_for(epic, "/Appointment?") - before
    for _ in range(3):
        post(epic, notification("heartbeat", 2))
        epic.work()
    assert asked_for(epic, "/Appointment?") - before == once > 0


def test_an_event_told_late_after_its_gap_is_still_read_by_its_id(epic: Asked) -> None:
    epic.now()
    post(epic, notification("heartbeat", 1))
    epic.work()
    epic.book(start=BEYOND)
    post(epic, notification("event-notification", 1, (1, "Appointment/12")))
    epic.work()
    assert [visit.starts_at for visit in visits()] == [BEYOND]
    assert asked_for(epic, "/Appointment/12") == 1


def test_events_that_follow_each_other_are_no_gap(epic: Asked) -> None:
    epic.book()
    epic.now()
    before = asked_for(epic, "/Appointment?")
    for number in (1, 2, 3):
        post(epic, notification("event-notification", number, (number, "Appointment/12")))
    post(epic, notification("heartbeat", 3))
    epic.work()
    assert asked_for(epic, "/Appointment?") == before


def test_a_visit_that_cannot_be_read_by_its_id_keeps_nothing_else_waiting(epic: Asked) -> None:
    epic.now()
    epic.book(start=BEYOND)
    epic.faults({"path": "/Appointment/13", "status": 400})
    post(epic, notification("event-notification", 2, (1, "Appointment/13"), (2, "Appointment/12")))
    epic.work()
    assert [visit.starts_at for visit in visits()] == [BEYOND]
    assert epic.row.refused is None


def test_a_full_one_is_read_as_it_is_also_where_the_ehr_is_not_asked(epic: Asked) -> None:
    epic.put(kind="hl7")
    person = {"resourceType": "Patient", "id": "7", "name": [{"family": "River", "given": ["Ana"]}],
              "birthDate": "1980-01-02", "telecom": [{"system": "phone", "use": "mobile", "value": "+13035550111"}],
              "identifier": [{"type": {"coding": [{"code": "MR"}]}, "system": "urn:mrn", "value": "M7"}]}  # fmt: skip
    visit = {"resourceType": "Appointment", "id": "12", "status": "booked", "start": START.isoformat(),
             "identifier": [{"system": "urn:visits", "value": "12"}], "contained": [person],
             "participant": [{"actor": {"reference": "#7"}, "status": "accepted"}]}  # fmt: skip
    assert post(epic, notification("event-notification", 1, (1, "Appointment/12"), full=visit)).status_code == 200
    epic.work()
    assert [row.starts_at for row in visits()] == [START]


def test_by_an_id_alone_from_an_ehr_that_is_not_asked_a_person_hears_of_it(epic: Asked) -> None:
    epic.put(kind="hl7")
    assert post(epic, notification("event-notification", 1, (1, "Appointment/12"))).status_code == 200
    epic.work()
    assert epic.problems() == {"told_by_id"}
    assert epic.states() == ["held"]


@pytest.mark.parametrize("about", [
    {"resourceType": "Bundle"}, {"resourceType": "Bundle", "entry": [None]}, {"resourceType": "Patient"},
    {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Parameters", "parameter": [7, None]}}]},
])  # fmt: skip
def test_what_is_no_notification_is_none(about: dict[str, Any]) -> None:
    assert subscriptions.read(about) is None


def test_a_number_that_is_none_and_a_focus_elsewhere_tell_of_no_visit() -> None:
    told = subscriptions.read(notification("event-notification", 1, (1, "Patient/7")))
    assert told is not None
    assert [event.number for event in told.events] == [""]
    odd = notification("event-notification", 1, (1, "Appointment/../../secret"))
    assert [event.number for event in (subscriptions.read(odd) or told).events] == [""]
