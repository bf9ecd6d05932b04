"""The figures an operator looks at, and the alarms built on them: each name is there, and none says anything of a
patient."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from config import clock, db, logging, queue, tallies
from messaging.delivery.brakes import braking
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Message
from service import app as application

ALARMS = Path(__file__).parents[2] / "docs" / "alarms"
NAME = re.compile(r"\bwarmthread_\w+")


@pytest.fixture
def client(house, bell):
    tallies.take()
    return application.create_app().test_client()


def samples(client) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


def names(client) -> set[str]:
    text = client.get("/metrics").text
    found = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            found |= {name} | {f"{name}_{part}" for part in ("bucket", "sum", "count") if kind == "histogram"}
    return found


def rules() -> list[dict]:
    (group,) = yaml.safe_load((ALARMS / "rules.yml").read_text("utf-8"))["groups"]
    return group["rules"]


def panels() -> list[dict]:
    return json.loads((ALARMS / "dashboard.json").read_text("utf-8"))["panels"]


def test_each_figure_that_an_alarm_or_a_picture_names_is_there(client):
    asked = [rule["expr"] for rule in rules()] + [each["expr"] for panel in panels() for each in panel["targets"]]
    assert len(asked) > 25
    missing = {name for expression in asked for name in NAME.findall(expression)} - names(client)
    assert missing == set()


def test_each_lane_that_an_alarm_names_is_there(client):
    named = {
        lane for rule in rules() for lanes in re.findall(r'lane=~"([^"]+)"', rule["expr"]) for lane in lanes.split("|")
    }
    assert named
    assert named <= set(queue.lanes())


def test_each_alarm_has_its_paragraph_and_each_paragraph_its_alarm():
    titles = re.findall(r"^## (\w+)$", (ALARMS.parent / "alarms.md").read_text("utf-8"), re.MULTILINE)
    assert titles == [rule["alert"] for rule in rules()]
    for rule in rules():
        assert rule["annotations"]["runbook_url"] == f"docs/alarms.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_each_figure_is_explained(client):
    explained = (ALARMS.parent / "alarms.md").read_text("utf-8")
    told = {name for name in names(client) if not name.endswith(("_bucket", "_sum", "_count", "_created"))}
    assert {name for name in told if name not in explained and f"{name}_total" not in explained} == set()


def test_requests_are_counted_by_door_and_status(client):
    client.get("/healthz")
    client.get("/i/nothing-here")
    client.post("/webhooks/twilio/sms")
    found = samples(client)
    assert found["warmthread_requests_total", "2xx", "operators"] >= 1
    assert found["warmthread_requests_total", "4xx", "patients"] == 1
    assert found["warmthread_requests_total", "4xx", "machines"] == 1
    assert found["warmthread_request_seconds_count", "machines"] == 1
    assert found["warmthread_request_seconds_bucket", "+Inf", "machines"] == 1


def test_lanes_and_what_the_carrier_did_are_counted(client):
    tallies.add("carrier", "taken", by=3)
    tallies.observe("lane_seconds", "timers", seconds=0.2)
    found = samples(client)
    assert found["warmthread_carrier_outcomes_total", "taken"] == 3
    assert found["warmthread_lane_seconds_sum", "timers"] == pytest.approx(0.2)


def safety(clinic, *, answer_by) -> None:
    with db.unit_of_work(db.EVERY) as session:
        item = items.open_item(
            session, session.merge(clinic), kind="safety", about="message:1", dedupe="one", summary="I want to die"
        )
        item.answer_by = answer_by
        item.created_at = clock.now() - timedelta(minutes=9)


def test_an_alert_that_nobody_has_answered_has_its_age(client, clinic):
    assert samples(client)["warmthread_alert_unanswered_seconds",] == 0
    safety(clinic, answer_by=clock.now() + timedelta(hours=1))
    found = samples(client)
    assert found["warmthread_alert_unanswered_seconds",] >= 540
    assert found["warmthread_alerts_overdue",] == 0


def test_readyz_says_how_long_safety_waits_and_no_word_of_it(client, clinic):
    safety(clinic, answer_by=clock.now() - timedelta(minutes=4))
    said = client.get("/readyz")
    assert any(line.startswith("safety items past their time: 1;") for line in said.json["problems"])
    assert said.json["waiting"]["oldest_unanswered_alert"] >= 540
    assert "die" not in said.text
    with db.unit_of_work(db.EVERY) as session:
        session.query(InboxItem).one().acknowledged_at = clock.now()
    assert client.get("/readyz").json["waiting"]["oldest_unanswered_alert"] == 0


def test_readyz_knows_each_lane_that_waits_or_cannot_be_swept(client, clinic, new_staff):
    from messaging import outbox

    staff = new_staff("Rosa")
    with db.unit_of_work(db.EVERY) as session:
        outbox.text_staff(session, session.merge(clinic), staff, body="An item waits.", dedupe="one")
        session.query(Message).one().try_after = clock.now() - timedelta(seconds=20)
        session.query(Message).one().created_at = clock.now() - timedelta(seconds=90)
        session.merge(db.Heartbeat(component=f"{db.FAILING}media", at=clock.now()))
    waiting = client.get("/readyz").json["waiting"]
    assert waiting["lanes"]["deliver_urgent"] >= 20
    assert waiting["failing"] == ["media"]
    found = samples(client)
    assert found["warmthread_lane_failing", "media"] == 1
    assert found["warmthread_alert_unsent_seconds",] >= 90


def test_a_pulled_brake_is_seen(client, clinic):
    with db.unit_of_work(db.EVERY) as session:
        braking.pull(session, clinic.id, "reminder", "operator:ada")
    found = samples(client)
    assert found["warmthread_brakes_pulled", "reminder"] == 1
    assert found["warmthread_brakes_pulled", "automatic"] == 0


def test_figures_are_there_while_redis_is_away(house):
    tallies.take()
    assert "warmthread_tick_age_seconds" in application.create_app().test_client().get("/metrics").text


def test_refusals_are_counted_by_kind_and_leave_a_line_without_an_address(client, capsys):
    logging.configure("info", "test")  # to where this test looks, whatever another one has chosen
    client.post("/webhooks/twilio/sms", data={"From": "+12025550101"}, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    client.post("/signin", data={"email": "nobody@clinic.example", "password": "x"})
    found = samples(client)
    assert found["warmthread_security_events_total", "forged_webhook"] == 1
    assert found["warmthread_security_events_total", "form_token"] == 1
    said = capsys.readouterr()
    assert "security event" in said.out + said.err
    assert "203.0.113.9" not in said.out + said.err
