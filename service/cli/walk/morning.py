"""A morning that looks like work, for whoever goes on after the walk: made by the functions the doors call.

What morning.toml says happens at its own time, by this process's clock: six weeks of scores, then texts of this
morning and what the care team has done about some of them. Nothing is routed here: what still waits is routed, told
and escalated by the service that runs, as soon as it is written.
"""

import csv
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db
from intake_links import scoring, submissions
from messaging.inbox import items, notes_and_calls, snoozing
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.people import directory
from messaging.reading import rulebook
from messaging.wording import saved_replies
from reminders import handoffs
from reminders.imports import csv_import
from service.cli.walk import caseload_seed, day, quarter_seed, two_ehrs
from service.cli.walk.scene import Scene
from webhooks import handle_text

WEEK, ANSWERED_WITHIN = timedelta(weeks=1), timedelta(minutes=25)
# How many forms a transaction keeps, and how long others may write before the next: SQLite has one writer at a time,
# and whoever comes back at once is always first.
BATCH, PAUSE = 4, 0.05
# The last question of the PHQ-9 asks for self-harm: it is answered "not at all", so that these raise no alarm.
ASKED = {"phq9": 8, "gad7": 7}
ITEMS = {"phq9": 9, "gad7": 7}


@cache
def story() -> Mapping[str, Any]:
    """Return morning.toml."""
    return tomllib.loads(resources.files("service.cli.walk").joinpath("morning.toml").read_text("utf-8"))


def people() -> list[day.Visitor]:
    """Return the patients of the morning who are not of the walk."""
    return [day.Visitor(*(*row, timedelta(0))) for row in story()["people"]["rows"]]


def names() -> dict[str, str]:
    """Return whose each phone of the demonstration is, by number."""
    patients = {
        person.number: f"{person.first} {person.last}" for person in (*day.PATIENTS, two_ehrs.PATIENT, *people())
    }
    team = {colleague.number: colleague.name for colleague in day.TEAM}
    team |= {person["number"]: person["name"] for person in story()["colleagues"] if "number" in person}
    return patients | {number: f"{name}, care team" for number, name in team.items()}


@dataclass(frozen=True)
class Place:
    """Where it happens: the clinic, its care managers by panel, who sits at the desk; `now` is the end of the story."""

    clinic_id: UUID
    managers: Mapping[str, UUID]
    desk: UUID
    now: datetime

    def manager(self, session: Session, patient: Patient | None) -> Staff:
        """Return the care manager whose patient this is, else the first."""
        panel = patient.panel if patient and patient.panel in self.managers else next(iter(self.managers))
        return session.get_one(Staff, self.managers[panel or ""])


def seed(scene: Scene) -> str:
    """Let the morning happen at the clinic that the walk has set up; return in words what there is now."""
    rulebook.rules()  # made here, before a transaction: it takes a second, and nobody else could write meanwhile
    place = _place()
    with db.unit_of_work(place.clinic_id) as session:
        clinic = session.get_one(Clinic, place.clinic_id)
        for colleague in story()["colleagues"]:
            directory.add_staff(session, clinic, **colleague)
        replies = saved_replies.add_defaults(session, clinic, place.manager(session, None))
    _import(place, scene.folder)
    forms = _weeks(place)
    enrolled = caseload_seed.seed(place.clinic_id, place.now, story()["caseload"])
    past = quarter_seed.seed(place.clinic_id, place.now, story()["quarter"])
    for text in story()["texts"]:
        _text(scene, place, text)
    _ask_for_someone(place)
    return (
        f"{len(people())} more patients and {len(story()['visits']['rows'])} visits, {forms} forms of six weeks, "
        f"{len(story()['texts'])} texts of this morning, {replies} saved replies, {enrolled} people in the registry, "
        f"{past} visits of half a year, "
        "a patient who waits for a handoff"
    )


@contextmanager
def _writing(place: Place) -> Iterator[Session]:
    """Open a transaction, and let others have their turn after it."""
    with db.unit_of_work(place.clinic_id) as session:
        yield session
    time.sleep(PAUSE)


def _import(place: Place, folder: Path) -> None:
    patients, visits = folder / "more_patients.csv", folder / "more_visits.csv"
    day.write_patients(patients, people())
    today = clock.now().astimezone(ZoneInfo(day.ZONE)).date()
    panels = {patient.record: patient.panel for patient in people()}
    with visits.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("visit", "patient", "starts_at", "zone", "booked_at", "place", "clinician", "kind"))
        for record, days, at, kind in story()["visits"]["rows"]:
            booked = (clock.now() - timedelta(days=9)).isoformat(timespec="seconds")
            starts = f"{today + timedelta(days=days)}T{at}"
            rows.writerow((f"W{record}", record, starts, day.ZONE, booked, "Suite 2", panels[record], kind))
    for kind, path in (("patients", patients), ("appointments", visits)):
        taken = csv_import.import_file(kind, place.clinic_id, path)
        if taken.created != taken.rows:
            raise ValueError(f"of {taken.rows} {kind} of the morning, {taken.created} were taken")


def _place() -> Place:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        clinic = session.scalars(select(Clinic).where(Clinic.number == day.NUMBER)).one()
        staff = session.scalars(select(Staff).where(Staff.clinic_id == clinic.id).order_by(Staff.name)).all()
        managers = {panel: each.id for each in staff if each.role == "care_manager" for panel in each.panels}
        desk = next(colleague.id for colleague in staff if colleague.role == "front_desk")
    return Place(clinic.id, managers, desk, clock.now())


def _clinic(session: Session, place: Place) -> Clinic:
    return session.get_one(Clinic, place.clinic_id)


def _patient(session: Session, place: Place, record: str) -> Patient:
    patient = directory.find_by_record(session, _clinic(session, place), record)
    if patient is None:
        raise LookupError(f"no patient {record} in the demonstration")
    return patient


def _weeks(place: Place) -> int:
    """Keep forms a week apart, read out on the telephone, and those of this morning; return how many of the first."""
    asked = [
        (record, instrument, total, _when(place, index, len(weekly) - week))
        for instrument, totals in story()["scores"].items()
        for index, (record, weekly) in enumerate(totals.items())
        for week, total in enumerate(weekly)
    ]
    asked.sort(key=lambda form: form[-1])
    for first in range(0, len(asked), BATCH):
        with _writing(place) as session:
            for record, instrument, total, at in asked[first : first + BATCH]:
                with day.at(at):
                    _form(session, place, record, instrument, total, "aloud")
    with _writing(place) as session:
        for form in story()["forms"]:
            with day.at(place.now - timedelta(minutes=form["minutes"])):
                _form(session, place, form["record"], form["instrument"], form["total"], "paper")
    return len(asked)


def _when(place: Place, index: int, weeks_ago: int) -> datetime:
    # Not all at the same hour of the same day, and the last one some days ago.
    return place.now - WEEK * weeks_ago + timedelta(days=index % 4, minutes=37 * index)


def _form(session: Session, place: Place, record: str, instrument: str, total: int, way: str) -> None:
    """Keep one form; what it asked of a person weeks ago was done on the same day."""
    patient = _patient(session, place, record)
    manager = place.manager(session, patient)
    screen = submissions.accept(
        session,
        _clinic(session, place),
        patient,
        instrument=instrument,
        answers=answers(instrument, total),
        language=scoring.language_of(scoring.instrument(instrument), patient.language),
        source=f"staff.{way}",
        event=str(db.new_id()),
        asked_by=manager.id,
    )
    actor, asked_by, about = audit.Actor.staff(manager.id), str(manager.id), f"screen:{screen.id}"
    audit.record(session, place.clinic_id, actor, "screen.entered", about, way=way, asked_by=asked_by)
    owed = session.scalars(select(InboxItem).where(InboxItem.about == about)).all() if way == "aloud" else []
    with day.at(clock.now() + ANSWERED_WITHIN):
        for item in owed:
            items.acknowledge(session, item, manager, "reached_by_phone")
            items.resolve(session, item, manager)


def answers(instrument: str, total: int) -> list[int]:
    """Return answers that make this total, spread evenly; the question about self-harm is answered "not at all"."""
    asked = ASKED[instrument]
    if not 0 <= total <= 3 * asked:
        raise ValueError(f"{instrument} cannot have {total} points without its last question")
    spread = [total // asked + (index < total % asked) for index in range(asked)]
    return spread + [0] * (ITEMS[instrument] - asked)


def _text(scene: Scene, place: Place, text: Mapping[str, Any]) -> None:
    """Let a text come in as the webhook would bring it, and show it on the phone it was written on."""
    at = place.now - timedelta(minutes=text["minutes"])
    sid = f"SM{db.new_id().hex}"
    with day.at(at), _writing(place) as session:
        patient = _patient(session, place, text["record"]) if "record" in text else None
        number = text.get("number") or (patient.numbers[0].number if patient else "") or ""
        form = {"MessageSid": sid, "From": number, "To": day.NUMBER, "Body": text["text"], "NumMedia": "0"}
        message = handle_text.answer(session, _clinic(session, place), form, at)
        session.flush()
        item = session.scalar(select(InboxItem).where(InboxItem.about == f"message:{message.id}"))
        if item is not None and "act" in text:
            with day.at(at + timedelta(minutes=6)):
                _act(session, place, item, text["act"], patient)
    scene.remember(number, text["text"], at, sid)


def _act(session: Session, place: Place, item: InboxItem, act: str, patient: Patient | None) -> None:
    manager, clinic, note = place.manager(session, patient), _clinic(session, place), story()["note"]
    about, item_id = item.patient_id, item.id
    if act == "acknowledge":
        items.acknowledge(session, item, manager, "reached_by_phone")
        call = {"outcome": "reached", "words": note["call"]}
        notes_and_calls.log_call(session, clinic, manager, patient_id=about, item_id=item_id, minutes=14, **call)
    elif act == "resolve":
        items.claim(session, item, manager)
        items.resolve(session, item, manager, "handled")
    elif act == "snooze":
        notes_and_calls.write_note(session, clinic, manager, words=note["later"], patient_id=about, item_id=item_id)
        snoozing.snooze(session, item, manager, place.now + timedelta(hours=3))


def _ask_for_someone(place: Place) -> None:
    waiting = story()["handoff"]
    with db.unit_of_work(place.clinic_id) as session:
        patient, desk = _patient(session, place, waiting["record"]), audit.Actor.staff(place.desk)
        handoffs.request(session, _clinic(session, place), patient, requested_by=desk, place=waiting["place"])
