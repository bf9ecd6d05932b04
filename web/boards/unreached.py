"""The reachability board: who has a visit and was not reached, why, whom to call, and what came of the call."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging import phone
from messaging.inbox import notes_and_calls
from messaging.inbox.models import Contact
from messaging.models import Clinic, Patient, PatientNumber, Staff
from reminders import appointments, unreached
from reminders.models import Appointment
from web import layout, permissions, sessions, team, times, words
from web.presenters import patient_view

reach = layout.room("reach", __name__)

TWICE = timedelta(seconds=30)
# So many of each list are opened at first; the whole day is one press away.
PAGE = 50


@dataclass(frozen=True)
class Row:
    """One visit on the board: whose, when, why they were not reached, whom to dial, and the last call."""

    visit_id: UUID
    patient_id: UUID
    name: str
    age: str
    language: str
    at: str
    clinician: str
    place: str
    reason: str
    why: str
    advice: str
    dial: str
    dial_words: str
    called: str
    reached: bool


@dataclass(frozen=True)
class Part:
    """One list of the board: the rows that are shown, and how many there are."""

    rows: list[Row]
    all: int

    @property
    def left_out(self) -> int:
        """How many are not shown."""
        return self.all - len(self.rows)


@dataclass(frozen=True)
class Board:
    """The day: who is to be called, who may still answer by themselves, and how many were reached."""

    day: date
    title: str
    to_call: Part
    under_way: Part
    spoken_with: Part
    reached: int
    all: int
    more: bool
    reasons: list[tuple[str, str, int]]


@reach.get("/reach")
@permissions.signed_in("patients.read")
def board() -> str:
    """Show a day, the next clinic day unless another one is named; names are opened, so it is written down."""
    clinic, staff, now = sessions.clinic(), layout.the_staff(), clock.now()
    with db.unit_of_work(clinic.id) as session:
        shown = _day() or unreached.next_day(session, clinic, now)
        audit.record(
            session,
            clinic.id,
            audit.Actor.staff(staff.id),
            "reach.opened",
            f"clinic:{clinic.id}",
            day=shown.isoformat(),
        )
        listed = unreached.of_day(session, clinic, shown, now)
        clinicians = sorted({entry.visit.clinician for entry in listed.entries if entry.visit.clinician})
        places = sorted({entry.visit.place for entry in listed.entries if entry.visit.place})
        chosen = {name: request.args.get(name, "") for name in ("clinician", "place")}
        kept = [
            entry for entry in listed.entries if all(getattr(entry.visit, key) == v for key, v in chosen.items() if v)
        ]
        return layout.page(
            session,
            "staff/reach.html",
            here="reach",
            board=_board(session, clinic, shown, unreached.Day(kept, listed.more), now),
            all="all" in request.args,
            clinicians=clinicians,
            places=places,
            chosen=chosen,
            before=shown - timedelta(days=1),
            after=shown + timedelta(days=1),
            calls=layout.may("patients.change"),
            outcomes=notes_and_calls.outcomes(),
        )


def _day() -> date | None:
    try:
        wanted = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return None
    return wanted if 2000 <= wanted.year <= 2100 else None


def _board(session: Session, clinic: Clinic, day: date, listed: unreached.Day, now: datetime) -> Board:
    waits = [entry for entry in listed.entries if not entry.reached and entry.reason in unreached.UNDER_WAY]
    spoken = [entry for entry in listed.entries if entry.reached and entry.reason is not None]
    to_call, first = listed.to_call, None if "all" in request.args else PAGE
    shown = [entry for part in (to_call, waits, spoken) for entry in part[:first]]
    rows = {row.visit_id: row for row in _rows(session, clinic, shown, now)}

    def part(entries: list[unreached.Entry]) -> Part:
        return Part([rows[entry.visit.id] for entry in entries[:first]], len(entries))

    why = Counter(entry.reason for entry in to_call if entry.reason)
    noon = unreached.span(clinic, day)[0] + timedelta(hours=12)
    return Board(
        day=day,
        title=times.day(noon, now, clinic.zone),
        to_call=part(to_call),
        under_way=part(waits),
        spoken_with=part(spoken),
        reached=sum(entry.reached for entry in listed.entries),
        all=len(listed.entries),
        more=listed.more,
        reasons=[(key, words.say("unreached", key), number) for key, number in why.most_common()],
    )


def _rows(session: Session, clinic: Clinic, entries: list[unreached.Entry], now: datetime) -> list[Row]:
    """Open the names and numbers of those shown, with a SELECT each for patients, numbers, keys and callers."""
    ids = {entry.visit.patient_id for entry in entries}
    patients = {patient.id: patient for patient in session.scalars(select(Patient).where(Patient.id.in_(ids)))}
    numbers_of: dict[UUID, list[PatientNumber]] = {}
    numbers = select(PatientNumber).where(PatientNumber.patient_id.in_(ids)).order_by(PatientNumber.id)
    for number in session.scalars(numbers):
        numbers_of.setdefault(number.patient_id, []).append(number)
    db.load_keys(session, (patient.key_id for patient in patients.values()))
    callers = {call.staff_id for entry in entries for call in entry.calls[:1]}
    staff = team.names(session, callers)
    return [_row(clinic, entry, patients[entry.visit.patient_id], numbers_of, staff, now) for entry in entries]


def _row(
    clinic: Clinic,
    entry: unreached.Entry,
    patient: Patient,
    numbers_of: dict[UUID, list[PatientNumber]],
    staff: Mapping[UUID | None, str],
    now: datetime,
) -> Row:
    number = _to_dial(numbers_of.get(patient.id, []))
    reason = entry.reason or ""
    return Row(
        visit_id=entry.visit.id,
        patient_id=patient.id,
        name=patient_view.full_name(patient),
        age=patient_view.age(patient),
        language=words.say("languages", patient.language),
        at=times.time_of(entry.visit.starts_at, entry.visit.zone),
        clinician=entry.visit.clinician or "",
        place=entry.visit.place or "",
        reason=reason,
        why=words.say("unreached", reason),
        advice=_advice(entry, now),
        dial=number,
        dial_words=phone.display(number) if number else "",
        called=_called(entry, clinic, staff, now),
        reached=entry.reached,
    )


def _advice(entry: unreached.Entry, now: datetime) -> str:
    coming = [text for text in entry.facts.texts if text.state == "planned" and text.try_after > now]
    if entry.reason in ("not_sent_yet", "quiet_hours") and coming:
        at = times.moment(min(text.try_after for text in coming), now, entry.visit.zone, running=True)
        return words.say("unreached_advice", "goes_out", at=at)
    return words.table_of("unreached_advice").get(entry.reason or "", "")


def _to_dial(numbers: list[PatientNumber]) -> str:
    """The number to call: the last given that is not known to be another's or out of service. A landline rings too."""
    ringing = [number for number in numbers if number.line not in ("wrong_person", "dead")]
    return (ringing[-1].number or "") if ringing else ""


def _called(entry: unreached.Entry, clinic: Clinic, staff: Mapping[UUID | None, str], now: datetime) -> str:
    if not entry.calls:
        return ""
    last = entry.calls[0]
    at = times.time_of(last.at, clinic.zone)
    if not times.is_today(last.at, now, clinic.zone):
        at = times.moment(last.at, now, clinic.zone, running=True)
    outcome = notes_and_calls.outcomes().get(last.outcome or "", "").lower()
    tries = f" · {len(entry.calls)} calls" if len(entry.calls) > 1 else ""
    return f"called {at} by {staff.get(last.staff_id, 'somebody')}: {outcome}{tries}"


@reach.post("/reach/<uuid:visit_id>/call")
@permissions.signed_in("patients.change")
def call(visit_id: UUID) -> Response:
    """Write down a call about a visit; "coming" also confirms it, so that no further reminder nags."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    outcome = request.form.get("outcome", "")
    if outcome not in (*notes_and_calls.outcomes(), "coming"):
        abort(400)
    with db.unit_of_work(clinic.id) as session:
        visit = session.get(Appointment, visit_id, with_for_update={"key_share": True})
        if visit is None or visit.clinic_id != clinic.id:
            abort(404)
        patient = session.get_one(Patient, visit.patient_id)
        _log_call(session, clinic, staff, patient, "reached" if outcome == "coming" else outcome)
        if outcome == "coming":
            appointments.confirm(session, visit, audit.Actor.staff(staff.id))
    unreached.count_anew(clinic.id)
    flash(words.say("notices", f"call_{outcome}"))
    back = {key: request.form[key] for key in ("day", "clinician", "place", "all") if request.form.get(key)}
    return redirect(url_for("reach.board", **back), 303)  # type: ignore[arg-type]


def _log_call(session: Session, clinic: Clinic, staff: Staff, patient: Patient, outcome: str) -> None:
    """Keep one line about a call; the same outcome by the same colleague within half a minute is one call."""
    now = clock.now()
    same = select(Contact.id).where(
        Contact.patient_id == patient.id,
        Contact.staff_id == staff.id,
        Contact.outcome == outcome,
        Contact.at > now - TWICE,
        Contact.struck_at.is_(None),
    )
    if session.scalar(same.limit(1)) is not None:
        return
    notes_and_calls.log_call(session, clinic, staff, patient_id=patient.id, outcome=outcome)
