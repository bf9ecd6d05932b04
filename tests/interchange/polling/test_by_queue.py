"""An EHR that tells and queues: signed events, each once; a queue that forgets, read again by its window."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from config import clock
from interchange.models import FeedNotice
from interchange.polling import events, poller, turns
from tests.interchange.polling.asked_ehrs import HUB, START, Asked, door, rows, visits

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
SYSTEM = "urn:athenahealth:athenanet:appointment:195900"


def notice(number: str = "12", event: str = "e1", **more: Any) -> bytes:
    told = {"id": event, "focus": {"identifier": {"system": SYSTEM, "value": number} | more}}
    status = {"resourceType": "SubscriptionStatus", "type": "event-notification", "notificationEvent": [told]}
    return json.dumps({"resourceType": "Bundle", "type": "history", "entry": [{"resource": status}]}, indent=2).encode()


def signed(body: bytes, secret: str = HUB) -> dict[str, str]:
    return {"X-Hub-Signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


@both
def test_what_its_queue_holds_comes_and_is_there_once(athena: Asked) -> None:
    athena.book()
    athena.now()
    (visit,) = visits()
    assert (visit.starts_at, visit.source) == (START, "ehr.athena")
    athena.visit(status="noshow")
    athena.now()
    assert [visit.state for visit in visits()] == ["no_show"]


def test_of_several_changes_between_two_looks_the_last_counts(athena: Asked) -> None:
    athena.book()
    athena.visit(start=START + timedelta(hours=1))
    athena.visit(status="cancelled")
    athena.now()
    assert visits() == []
    athena.visit(status="booked")
    athena.now()
    assert [visit.starts_at for visit in visits()] == [START + timedelta(hours=1)]


def test_a_slot_that_nobody_has_is_no_visit(athena: Asked) -> None:
    athena.book(status="proposed")
    athena.now()
    assert athena.messages() == []


def test_what_the_queue_has_handed_out_and_nobody_wrote_down_is_read_again(athena: Asked) -> None:
    athena.book()
    (task,) = poller._begun(poller.the_way(), 8)
    assert turns.take(task.plan, task.asker).found  # the queue has forgotten it, and whoever had it is killed here
    assert athena.ask("GET")["unprocessed"] == 0
    athena.put(lease_until=clock.now())
    athena.work()
    assert len(visits()) == 1
    assert len(athena.messages()) == 1


def test_a_signed_event_is_taken_at_once_read_soon_and_once(athena: Asked) -> None:
    athena.now()
    athena.book()
    body, client = notice(), door()
    answers = [client.post("/webhooks/ehr/athena", data=body, headers=signed(body)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    athena.work()
    assert len(visits()) == 1
    assert [row.done_at is not None for row in rows(FeedNotice)] == [True]
    asked = [path for path in athena.paths() if path.endswith("/appointments/12")]
    assert len(asked) == 1


def test_an_event_that_is_not_signed_over_these_bytes_is_refused(athena: Asked) -> None:
    body, client = notice(), door()
    stripped = json.dumps(json.loads(body)).encode()
    tries = [(body, signed(body, "another")), (stripped, signed(body)), (body, {"X-Hub-Signature": "sha256="})]
    answers = [client.post("/webhooks/ehr/athena", data=data, headers=headers) for data, headers in tries]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert rows(FeedNotice) == []


def test_an_event_of_another_practice_or_of_nothing_we_know_is_taken_and_left(athena: Asked) -> None:
    other = notice(system=SYSTEM.replace("195900", "1"))
    wrong = notice(number="../../12")
    client = door()
    for body in (other, wrong, b'{"resourceType": "Bundle"}'):
        assert client.post("/webhooks/ehr/athena", data=body, headers=signed(body)).status_code == 200
    assert client.post("/webhooks/ehr/athena", data=b"{", headers=signed(b"{")).status_code == 422
    assert rows(FeedNotice) == []


def test_an_event_about_a_visit_that_is_not_there_is_read_and_over(athena: Asked) -> None:
    body = notice(number="99")
    door().post("/webhooks/ehr/athena", data=body, headers=signed(body))
    athena.work()
    assert athena.row.refused is None
    assert [row.done_at is not None for row in rows(FeedNotice)] == [True]


def test_the_signature_is_over_the_raw_body_as_the_platform_s_own_examples_have_it() -> None:
    body = b'{"resourceType":"Bundle"}\n'
    assert events.is_signed(HUB, signed(body)["X-Hub-Signature"], body)
    assert not events.is_signed(HUB, signed(body)["X-Hub-Signature"], body.strip())
    assert not events.is_signed("", signed(body, "")["X-Hub-Signature"], body)
