"""One patient's phones: what is known of each, what was agreed in whose words, and what somebody just said of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging import number_owner, outbox, phone
from messaging.consent import asking, ledger
from messaging.models import PROGRAMMES, Clinic, ConsentEntry, Patient, PatientNumber
from messaging.people import directory
from reminders import unreached
from reminders.models import Appointment
from web import layout, permissions, sessions, team, times, words
from web.patients import patient_page
from web.presenters import patient_view

phones = layout.room("phones", __name__)

HOW = {"spoken": "spoken", "written": "form"}
LONGEST = 400
COMING = 3


@dataclass(frozen=True)
class Number:
    """A number of the patient's with its line, its consent now, and the ledger that says why, the latest first."""

    id: UUID
    dial: str
    words: str
    line: str
    wrong: bool
    learnt: bool
    used: bool
    others: int
    agreed: list[tuple[str, str, str]]
    ledger: list[tuple[str, str, str]]


@phones.get("/patients/<uuid:patient_id>/phones")
@permissions.signed_in("patients.read")
def show(patient_id: UUID) -> str:
    """Show the numbers and what each has agreed to; that it was read is written down."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        patient = patient_view.find(session, sessions.clinic(), patient_id) or abort(404)
        actor = layout.the_actor()
        audit.record(session, clinic.id, actor, "patient.opened", f"patient:{patient.id}")
        return _page(session, clinic, patient)


@phones.post("/patients/<uuid:patient_id>/phones/<uuid:number_id>/line")
@permissions.signed_in("patients.change")
def mark(patient_id: UUID, number_id: UUID) -> Response:
    """Say that a number is somebody else's, or theirs after all."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    wrong = request.form.get("line") != "right"
    with db.unit_of_work(clinic.id) as session:
        patient = patient_view.find(session, clinic, patient_id) or abort(404)
        number = _number(session, patient, number_id)
        if wrong:
            conversation = number_owner.conversation_of(session, number)
            number_owner.not_theirs(session, clinic, staff, number, conversation)
        else:
            directory.mark_number(session, clinic, number, "unknown", audit.Actor.staff(staff.id))
        consequence = _consequence(session, number.patient, stopped=wrong)
    return _done(patient_id, "number_wrong" if wrong else "number_right", consequence)


@phones.post("/patients/<uuid:patient_id>/consent")
@permissions.signed_in("patients.change")
def say(patient_id: UUID) -> Response | tuple[str, int]:
    """Write down what somebody said, or wrote, about being texted; it holds from now on."""
    clinic = sessions.clinic()
    event: ledger.Event = "granted" if request.form.get("event") == "granted" else "revoked"
    with db.unit_of_work(clinic.id) as session:
        patient = patient_view.find(session, sessions.clinic(), patient_id) or abort(404)
        numbers = _meant(patient)
        programmes = _programmes(event)
        problem = _refusal(session, clinic, event, numbers, programmes)
        if problem:
            return _page(session, clinic, patient, event=event, problem=words.say("refusals", problem)), 422
        for number in numbers:
            number_owner.say_consent(
                session,
                clinic,
                number,
                event,
                actor=layout.the_actor(),
                programmes=programmes,
                source=HOW[request.form["how"]],
                words=_words(clinic),
            )
        stopped = event == "revoked" and "reminders" in programmes
        consequence = _consequence(session, patient, stopped=stopped) if stopped else ""
    return _done(patient_id, f"consent_{event}", consequence)


def _programmes(event: str) -> tuple[str, ...]:
    wanted = request.form.get("programme", "")
    if wanted == "all" and event == "revoked":
        return PROGRAMMES
    return (wanted,) if wanted in PROGRAMMES else ()


def _refusal(
    session: Session,
    clinic: Clinic,
    event: str,
    numbers: list[PatientNumber],
    programmes: tuple[str, ...],
) -> str | None:
    if not programmes or not numbers:
        return "no_programme"
    if request.form.get("how") not in HOW or request.form.get("who") not in words.table_of("sayers"):
        return "no_source"
    at = _when(clinic)
    if at is not None and at > clock.now():
        return "future"
    if event == "granted" and any(
        ledger.stopped_by_text(session, clinic, number.number or "", programmes) for number in numbers
    ):
        return "stopped_by_text"
    return None


def _words(clinic: Clinic) -> str:
    """Who said it and when, and their own words if they were written down: sealed with the line of the ledger."""
    at = times.moment(_when(clinic) or clock.now(), clock.now(), clinic.zone, running=True)
    date = f"{(_when(clinic) or clock.now()).astimezone(ZoneInfo(clinic.zone)):%Y-%m-%d}"
    quoted = " ".join(request.form.get("words", "").split())[:LONGEST]
    who = words.say("sayers", request.form["who"])
    statement = f"{who}, {date} {at.rpartition(' ')[2]}"
    return f"{statement}: “{quoted}”" if quoted else statement


def _when(clinic: Clinic) -> datetime | None:
    try:
        typed = datetime.fromisoformat(request.form.get("at", ""))
    except ValueError:
        return None
    return typed.replace(tzinfo=typed.tzinfo or ZoneInfo(clinic.zone))


def _meant(patient: Patient) -> list[PatientNumber]:
    """The numbers that were meant: every one that is theirs, unless one is named."""
    wanted = request.form.get("number", "all")
    own = [number for number in patient.numbers if number.line != "wrong_person"]
    return [number for number in own if wanted in ("all", str(number.id))]


def _consequence(session: Session, patient: Patient, *, stopped: bool) -> str:
    """Say quietly what it means for the visits to come, so that nobody is surprised on the day."""
    session.flush()
    if not stopped or outbox.refusal(session, patient, "reminders") is None:
        return ""
    coming = select(Appointment).where(
        Appointment.patient_id == patient.id,
        Appointment.starts_at > clock.now(),
        Appointment.state.in_(("booked", "confirmed")),
    )
    visits = session.scalars(coming.order_by(Appointment.starts_at).limit(COMING)).all()
    if not visits:
        return ""
    now = clock.now()
    days = ", ".join(times.moment(visit.starts_at, now, visit.zone, running=True) for visit in visits)
    return words.say("consequences", "no_reminders", days=days)


def _done(patient_id: UUID, notice: str, consequence: str = "") -> Response:
    unreached.count_anew(sessions.clinic().id)
    flash(f"{words.say('notices', notice)} {consequence}".strip())
    return redirect(url_for("phones.show", patient_id=patient_id), 303)


def _number(session: Session, patient: Patient, number_id: UUID) -> PatientNumber:
    number = session.get(PatientNumber, number_id, with_for_update=True)
    if number is None or number.patient_id != patient.id:
        abort(404)
    return number


def _page(session: Session, clinic: Clinic, patient: Patient, *, event: str = "", problem: str = "") -> str:
    db.load_keys(session, [patient.key_id])
    return patient_page.page(
        session,
        patient,
        "consent",
        "staff/phones.html",
        patient_id=patient.id,
        name=patient_view.full_name(patient),
        numbers=_numbers(session, clinic, patient),
        changes=layout.may("patients.change"),
        readable=layout.may("inbox.words"),
        programmes=[(key, words.say("programmes", key), asking.script(key)) for key in PROGRAMMES],
        goodbye=asking.goodbye(),
        sayers=words.table_of("sayers"),
        now=times.typed_moment(clock.now(), clinic.zone),
        event=event,
        problem=problem,
        given=request.form,
    )


def _numbers(session: Session, clinic: Clinic, patient: Patient) -> list[Number]:
    used = directory.textable_number(session, patient)
    numbers = []
    for row in reversed(patient.numbers):
        number = row.number or ""
        lines = ledger.ledger(session, clinic, number)
        agreed = ledger.state(session, clinic, number)
        sharing = directory.patients_with_number(session, clinic, number)
        numbers.append(
            Number(
                id=row.id,
                dial=number,
                words=phone.display(number),
                line=patient_view.line_words(row.line, agreed),
                wrong=row.line == "wrong_person",
                learnt=row.line in directory.LEARNT,
                used=used is not None and used.id == row.id,
                others=sum(other.id != patient.id for other in sharing),
                agreed=[
                    (words.say("programmes", key), agreed[key], words.say("consent", agreed[key])) for key in PROGRAMMES
                ],
                ledger=_ledger(session, clinic, lines),
            )
        )
    return numbers


def _ledger(session: Session, clinic: Clinic, lines: list[ConsentEntry]) -> list[tuple[str, str, str]]:
    """Each line in words: when, what about which programme and how we know, and what was said where it may be read."""
    now, readable = clock.now(), layout.may("inbox.words")
    writers = [audit.Actor(line.actor).staff_id for line in lines]
    names = team.names(session, writers)
    rows = []
    for line, writer in zip(lines, writers, strict=True):
        by = f", written down by {names.get(writer, 'a colleague')}" if writer else ""
        programme, act = words.say("programmes", line.programme), words.say("consent", line.event)
        what = f"{programme}: {act} {words.say('consent_sources', line.source)}{by}"
        spoken = (line.words or "") if readable or line.source in ("spoken", "form") else ""
        rows.append((times.moment(line.at, now, clinic.zone), what, spoken))
    return rows
