"""Programs see how their webhooks stand and every try, test them, have events sent again, and change the secret."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from config import audit, clock, db
from messaging.event_webhooks import endpoints
from messaging.event_webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from messaging.models import Clinic
from messaging.programs import events
from tests.api.test_isolation import filled


def heard(side: Any) -> tuple[Any, str]:
    """A program that may, and the address of the endpoint it asks about."""
    rows = filled(side)
    return side.program(), f"/event-webhooks/{rows.by_kind['webhook_endpoint']}"


def tried(side: Any, delivery_id: str) -> None:
    """Let a delivery have been given up after a try in vain."""
    with db.unit_of_work(side.clinic.id) as session:
        given_up = update(WebhookDelivery).where(WebhookDelivery.id == UUID(delivery_id))
        session.execute(given_up.values(state="given_up", ended_at=clock.now()))
        session.add(
            WebhookAttempt(
                clinic_id=side.clinic.id, delivery_id=UUID(delivery_id), at=clock.now(), milliseconds=12, status=500
            )
        )


def test_a_test_event_is_listed_with_its_tries_and_sent_again_alone_or_by_range(ours: Any) -> None:
    program, at = heard(ours)
    sent = program.post(f"{at}/test").json
    assert (sent["type"], sent["event_id"], sent["state"]) == ("webhook.test", None, "waiting")
    tried(ours, sent["id"])
    (listed,) = program.get(f"{at}/deliveries", state="given_up").json["items"]
    assert (listed["id"], [each["status"] for each in listed["tries"]]) == (sent["id"], [500])
    assert program.post(f"{at}/again", {"delivery_id": sent["id"]}).json == {"count": 1}
    assert program.post(f"{at}/again", {"delivery_id": sent["id"]}).json == {"count": 0}
    tried(ours, sent["id"])
    begin, end = (clock.iso(clock.now() + timedelta(hours=hours)) for hours in (-1, 1))
    assert program.post(f"{at}/again", {"begin": begin, "end": end}).json == {"count": 1}


def test_a_range_without_a_beginning_or_turned_round_is_refused(ours: Any) -> None:
    program, at = heard(ours)
    for body in ({}, {"begin": "2026-03-11T00:00:00Z", "end": "2026-03-10T00:00:00Z"}):
        answer = program.post(f"{at}/again", body)
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/begin")


def test_another_secret_is_shown_this_once_and_signs_beside_the_old_one(ours: Any) -> None:
    program, at = heard(ours)
    secret = program.post(f"{at}/secret").json["secret"]
    assert secret not in program.get(at).text + program.get("/event-webhooks").text
    with db.unit_of_work(ours.clinic.id) as session:
        db.load_keys(session, [ours.clinic.key_id])
        endpoint = session.scalars(select(WebhookEndpoint)).one()
        signing = endpoints.secrets(endpoint, clock.now())
    assert (signing[0], len(set(signing))) == (secret, 2)


def test_one_that_was_removed_is_not_there(ours: Any) -> None:
    program, at = heard(ours)
    with db.unit_of_work(ours.clinic.id) as session:
        db.load_keys(session, [session.get_one(Clinic, ours.clinic.id).key_id])
        endpoints.remove(session, session.scalars(select(WebhookEndpoint)).one(), actor=audit.OPERATOR)
    assert program.get(at).status_code == 404
    assert program.get("/event-webhooks").json["items"] == []


def test_that_a_task_was_made_and_has_ended_is_among_the_events(ours: Any) -> None:
    rows = filled(ours)
    task = rows.by_kind["task"]
    done = ours.program(staff=ours.staff()).post(f"/tasks/{task}/close", {"outcome": "task_done"})
    assert done.status_code == 200
    audit.seal()
    listed = ours.program().get("/events", limit=200).json["items"]
    assert [each["type"] for each in listed if each["subject"] == f"task:{task}"] == ["task.made", "task.ended"]
    assert {"task", "care_episode"} <= set(events.KINDS)


URL = "https://hooks.clinic.example/in?token=let-me-in"


def test_a_program_makes_an_endpoint_is_told_its_secret_once_and_its_address_never(ours: Any) -> None:
    program = ours.program("event-webhooks.manage", "event-webhooks.read")
    made = program.post("/event-webhooks", {"name": "Reporting", "url": URL, "kinds": ["screen"]})
    assert made.status_code == 201, made.text
    assert (made.json["kinds"], made.json["state"]) == (["screen"], "on")
    assert made.json["secret"].startswith("whsec_")
    read = program.get(f"/event-webhooks/{made.json['id']}")
    assert made.json["secret"] not in read.text
    assert "let-me-in" not in made.text + read.text
    with db.unit_of_work(ours.clinic.id) as session:
        db.load_keys(session, [ours.clinic.key_id])
        assert session.scalars(select(WebhookEndpoint)).one().url == URL


def test_what_is_changed_is_changed_and_the_rest_stays(ours: Any) -> None:
    program, at = heard(ours)
    before = program.get(at).json
    changed = program.post(at, {"name": "Nightly", "paused": True}).json
    assert (changed["name"], changed["state"], changed["kinds"]) == ("Nightly", "paused", before["kinds"])
    assert program.post(at, {"paused": False}).json["state"] == "on"
    assert program.post(at, {"kinds": ["screen"]}).json["name"] == "Nightly"


def test_what_is_taken_away_is_there_no_more(ours: Any) -> None:
    program, at = heard(ours)
    assert program.post(f"{at}/remove").json["removed"] is True
    assert program.get(at).status_code == program.post(f"{at}/remove").status_code == 404


def test_addresses_names_and_kinds_that_may_not_be_are_refused_by_field(ours: Any) -> None:
    program, at = heard(ours)
    wrong = {
        "/url": {"url": "https://127.0.0.1/in"},
        "/name": {"name": " "},
        "/kinds": {"kinds": ["no.such"]},
    }
    for pointer, part in wrong.items():
        for path, whole in (("/event-webhooks", {"name": "A", "url": URL} | part), (at, part)):
            answer = program.post(path, whole)
            assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
            assert "127.0.0.1" not in answer.text
    assert program.post("/event-webhooks", {"name": "A", "url": "http://hooks.clinic.example/"}).status_code == 422
    assert len(program.get("/event-webhooks").json["items"]) == 1


def test_there_are_at_most_twenty(ours: Any) -> None:
    program = ours.program("event-webhooks.manage")
    made = [program.post("/event-webhooks", {"name": f"E{place}", "url": URL}) for place in range(21)]
    assert [answer.status_code for answer in made] == [201] * 20 + [422]
    assert made[-1].json["errors"][0]["pointer"] == "/name"


def test_who_may_only_test_makes_changes_and_removes_nothing(ours: Any) -> None:
    at = heard(ours)[1]
    program = ours.program("event-webhooks.write", "event-webhooks.read")
    for path, body in (("/event-webhooks", {"name": "A", "url": URL}), (at, {"paused": True}), (f"{at}/remove", {})):
        assert program.post(path, body).status_code == 403
    assert program.get(at).json["state"] == "on"
