"""The clinic of a run: its people and visits, what patients write and vendors post; and what of it was taken."""

import base64
import csv
import hashlib
import hmac
import json
import threading
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from config import clock
from service.cli.walk import day
from service.cli.walk.scene import NotSeen, Scene
from tools.faults.plan import PATIENTS, Plan, Say, Submit
from tools.faults.stage import Stage

STAFF = "+14155550150"
CANARY = "Quokkasong"
# The visits are known this long before the first reminder is due: so many times what the patients' file took.
LEAD_SECONDS, LEAD_TIMES = 5.0, 4
# How long a vendor goes on until its submission is taken.
VENDOR_SECONDS = 240.0


@dataclass(frozen=True)
class Typed:
    """A text that a phone has sent, with the carrier's id of it."""

    say: Say
    sid: str
    at: datetime


@dataclass(frozen=True)
class Posted:
    """A submission that was answered with 2xx at `at`."""

    submit: Submit
    event: str
    at: datetime


@dataclass
class Record:
    """What was really sent, as its senders know it."""

    plan: Plan
    began_at: datetime
    typed: list[Typed] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)


def phone(patient: int) -> str:
    """Return the number of a patient."""
    return f"+1303555{100 + patient:04}"


def set_up(stage: Stage, plan: Plan) -> tuple[str, Record]:
    """Make the clinic with its people and visits; return the vendor's secret and a record whose times begin soon."""
    scene = stage.scene
    scene.command("clinic", "create", "--name", day.CLINIC, "--zone", day.ZONE, "--number", day.NUMBER)
    invited = ("--name", "Rosa Delgado", "--email", "rosa@alder.example", "--number", STAFF, "--once")
    _sign_in(scene, scene.command("staff", "invite", *invited)[0]["link"])
    secret: str = scene.command("forms", "add-source", "vendor")[0]["secret"]
    patients, visits = scene.folder / "p.csv", scene.folder / "v.csv"
    _write_patients(patients)
    started = time.monotonic()
    scene.command("patients", "import", str(patients))
    lead = max(LEAD_SECONDS, LEAD_TIMES * (time.monotonic() - started))
    began_at = clock.now() + timedelta(seconds=lead)
    _write_visits(visits, plan, began_at)
    scene.command("appointments", "import", str(visits))
    if clock.now() > began_at:
        raise NotSeen("the visits were not known before their reminders were due: this machine is too busy")
    return secret, Record(plan, began_at)


def send(stage: Stage, secret: str, record: Record) -> list[threading.Thread]:
    """Begin to type and to post in threads of their own; they end when all was taken, or nobody takes it."""
    plan, began = record.plan, time.monotonic()
    threads = [threading.Thread(target=_type_all, args=(stage, record, began))]
    threads += [threading.Thread(target=_post, args=(stage, secret, record, each, began)) for each in plan.submits]
    for thread in threads:
        thread.start()
    return threads


def _type_all(stage: Stage, record: Record, began: float) -> None:
    scene = stage.scene
    for say in record.plan.says:
        time.sleep(max(0.0, began + say.at - time.monotonic()))
        data = json.dumps({"body": f"{say.body} {CANARY}" if say.means == "talk" else say.body, "to": day.NUMBER})
        address = f"{scene.network}/sim/phones/{phone(say.patient)}/messages".replace("+", "%2B")
        at = clock.now()
        request = urllib.request.Request(address, data.encode(), {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - an address of this machine
            record.typed.append(Typed(say, json.loads(answer.read())["sid"], at))


def _post(stage: Stage, secret: str, record: Record, submit: Submit, began: float) -> None:
    time.sleep(max(0.0, began + submit.at - time.monotonic()))
    event, ends = f"form-{submit.patient}", time.monotonic() + VENDOR_SECONDS
    answers = [1, 0, 0, 0, 0, 0, 0, 0, 2 if submit.positive else 0]
    patient = {"record": str(submit.patient)}
    body = json.dumps({"instrument": "phq9", "answers": answers, "patient": patient}).encode()
    while time.monotonic() < ends:
        at = str(int(clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": event,
            "webhook-timestamp": at,
            "webhook-signature": _signature(secret, f"{event}.{at}.".encode() + body),
        }
        request = urllib.request.Request(f"{stage.scene.service}/webhooks/forms/vendor", body, headers)  # noqa: S310
        with suppress(OSError), urllib.request.urlopen(request, timeout=10):  # noqa: S310 - this machine
            record.posted.append(Posted(submit, event, clock.now()))
            return
        time.sleep(1)


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _sign_in(scene: Scene, link: str) -> None:
    browser = scene.browser()
    page = browser.get(link)
    browser.submit(page, page.form(action="/signin"))


def _write_patients(file: Path) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        rows = csv.writer(opened)
        rows.writerow(("record", "first_name", "last_name", "phone", "birth_date", "consent"))
        for who in range(PATIENTS):
            rows.writerow((who, f"Given{who}", CANARY, phone(who), "1980-01-01", "yes"))


def _write_visits(file: Path, plan: Plan, began_at: datetime) -> None:
    booked = (began_at - timedelta(days=9)).isoformat(timespec="seconds")
    with file.open("w", newline="", encoding="utf-8") as opened:
        rows = csv.writer(opened)
        rows.writerow(("visit", "patient", "starts_at", "zone", "booked_at"))
        for visit in plan.visits:
            due = began_at + timedelta(seconds=visit.at)
            # By the clock on the wall, so that "24 hours before" is then also in the week the clocks change.
            starts = due.astimezone(ZoneInfo(day.ZONE)).replace(tzinfo=None) + timedelta(days=1)
            rows.writerow((f"V{visit.patient}", visit.patient, starts.isoformat(timespec="seconds"), day.ZONE, booked))
