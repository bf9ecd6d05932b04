"""A patient answers the PHQ-9 on the phone, and the EHR's chart shows the score once, whoever is killed meanwhile."""

import os
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from config import audit, clock, db
from interchange.models import Feed, FeedConnection
from messaging.ehr_outbox.models import EhrWrite, EhrWriter
from messaging.models import Clinic, Patient
from records.writing import choosing
from reminders.models import Appointment
from reminders.sending import form_links
from service.cli.walk import day, steps
from tests.waiting import PATIENCE, until
from tests.walks.kit import Running
from tests.walks.two_ehrs import HERE, NUMBER, PATIENT, connect, ehr, hurried

ACTOR = audit.Actor.system("test")
ANSWERS = (1, 2, 1, 0, 2, 1, 0, 1, 0)
PHQ9_TOTAL = "44261-6"


def heard(running: Running) -> bool:
    running.service.supervisor.poll()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.scalar(select(Appointment.id)) is not None


def decide() -> None:
    """As the administrator ticks it on the page."""
    with db.unit_of_work(db.EVERY) as session:
        feed, connection = session.scalars(select(Feed)).one(), session.scalars(select(FeedConnection)).one()
        wanted = choosing.Wanted(kinds=["screen"], forms=["response", "observations"])
        choosing.save(session, feed, connection, wanted, ACTOR)


def send_the_link() -> None:
    with db.unit_of_work(db.EVERY) as session:
        clinic, patient = session.scalars(select(Clinic)).one(), session.scalars(select(Patient)).one()
        db.load_keys(session, {clinic.key_id, patient.key_id})
        form_links.hand_out(session, clinic, patient, ["phq9"], actor=ACTOR)


def answer_on_the_phone(running: Running) -> None:
    link = re.search(r"https?://\S+/i/[\w-]+", running.scene.received(NUMBER, "/i/"))
    assert link is not None
    phone = running.scene.browser()
    page = phone.get(link.group())
    year, month, born = PATIENT["born"].split("-")
    page = phone.submit(page, page.form(having="year"), day=born, month=month, year=year)
    for value in ANSWERS:
        page = phone.submit(page, page.form(having="answer"), answer=str(value))
    steps._send(phone, page)


def chart(running: Running) -> list[dict[str, Any]]:
    return [each["body"] for each in ehr(running, "GET", "epic")["written"]]


def hurry_writing() -> None:
    """Nobody waits here for the end of a dead one's lease, nor for when what failed is tried again."""
    with db.unit_of_work(db.EVERY) as session:
        for row in session.scalars(select(EhrWriter)):
            row.try_after = clock.now()
            if row.lease_until is not None:
                row.lease_until = min(row.lease_until, clock.now() + timedelta(seconds=5))
        for write in session.scalars(select(EhrWrite).where(EhrWrite.state == "waiting")):
            write.try_after = min(write.try_after, clock.now())


def state(running: Running) -> str | None:
    running.service.supervisor.poll()
    hurry_writing()
    with db.unit_of_work(db.EVERY) as session:
        return session.scalar(select(EhrWrite.state))


def test_a_score_answered_on_the_phone_stands_in_the_ehr_s_chart_once_though_the_worker_is_killed(
    serve: Callable[..., Running],
) -> None:
    running = serve(**HERE)
    running.scene.command("clinic", "create", "--name", day.CLINIC, "--zone", day.ZONE, "--number", day.NUMBER)
    connect(running, "epic")
    ehr(running, "PUT", "epic/patients/7", PATIENT | {"record": "M7"})
    start = (clock.now() + timedelta(days=3)).isoformat()
    ehr(running, "PUT", "epic/visits/12", {"patient": "7", "start": start})
    hurried(running)
    until(lambda: heard(running), "the visit", within=3 * PATIENCE, pause=0.3)
    decide()
    fault = {"method": "POST", "path": "Observation", "hang_s": 8, "accepts": True, "times": 1}
    ehr(running, "PUT", "epic/faults", [fault])
    send_the_link()
    answer_on_the_phone(running)
    until(lambda: len(chart(running)) >= 2, "the EHR to have taken a part", within=3 * PATIENCE, pause=0.1)
    for name in ("worker.bulk", "ticker"):
        if pid := running.pid(name):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    until(lambda: state(running) == "written", "the rest to be written", within=4 * PATIENCE, pause=1)
    observations = [each for each in chart(running) if each["resourceType"] == "Observation"]
    totals = [each for each in observations if each["code"]["coding"][0]["code"] == PHQ9_TOTAL]
    assert [each["valueQuantity"]["value"] for each in totals] == [sum(ANSWERS)]
    assert len(observations) == 11
    assert len(chart(running)) == 12
    page = running.scene.network + "/ehrs"
    assert running.scene.browser().get(page).text.count(f"({PHQ9_TOTAL}): {sum(ANSWERS)}") == 1
