"""Answers given in the clinic: on its tablet with a code, read out by a colleague, or entered from paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db, runtime
from intake_links import scoring, submissions, tablet_codes
from messaging.models import Clinic, Patient, Staff
from reminders import handoffs
from reminders.models import Handoff
from web import ids, layout, permissions, sessions, team, times, words
from web.patients import patient_page
from web.presenters import patient_view

answers = layout.room("answers", __name__)
# How a form came to be answered without the patient's own hand on a screen: the end of its source.
WAYS = ("aloud", "paper")
NONE = "none"


class Unclear(Exception):
    """The form cannot be kept yet; its argument says why, in words, `number` which question it is about."""

    def __init__(self, why: str, number: int | None = None) -> None:
        super().__init__(why)
        self.number = number


@dataclass(frozen=True)
class Given:
    """What was entered: an answer (points or None) for each item, how it was asked, by whom, when, in what language.

    `past` is an old form that was said not to tell how the patient is now.
    """

    answers: list[int | None]
    way: str
    asked_by: UUID
    at: datetime
    language: str
    once: UUID
    past: bool


@answers.get("/patients/<uuid:patient_id>/answers")
@permissions.signed_in("forms.hand")
def show(patient_id: UUID) -> str:
    """Show how a form can be answered here and now."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _choices(session, patient_page.the_patient(session, patient_id))


@answers.post("/patients/<uuid:patient_id>/tablet")
@permissions.signed_in("forms.hand")
def hand_over(patient_id: UUID) -> str | tuple[str, int]:
    """Show the code that opens the chosen forms on the tablet; it stands on this page alone and nowhere else."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        patient = patient_page.the_patient(session, patient_id)
        wanted = request.form.getlist("instrument")
        offered = {form.id for form in _offered(patient)}
        if not wanted or len(set(wanted)) != len(wanted) or not set(wanted) <= offered:
            return _choices(session, patient, problem=words.say("refusals", "form_nothing")), 422
        code = tablet_codes.start(session, clinic, patient, wanted, actor=audit.Actor.staff(staff.id))
        handoff = _expected(session, patient)
        if handoff is not None and "here" in request.form:
            handoffs.arrive(session, handoff, audit.Actor.staff(staff.id))
        return layout.page(
            session,
            "staff/tablet.html",
            here="patients",
            name=patient_view.full_name(patient),
            patient_id=patient.id,
            code=f"{code[: len(code) // 2]} {code[len(code) // 2 :]}",
            where=f"{urlsplit(runtime.settings().public_url).netloc}/k",
            minutes=int(tablet_codes.VALID.total_seconds()) // 60,
        )


@answers.get("/patients/<uuid:patient_id>/answers/<instrument>")
@permissions.signed_in("inbox.work")
def grid(patient_id: UUID, instrument: str) -> str:
    """Show all questions of a form at once, to be read out or copied from paper."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        patient = patient_page.the_patient(session, patient_id)
        return _grid(session, patient, _definition(patient, instrument), {"once": str(db.new_id())})


@answers.post("/patients/<uuid:patient_id>/answers/<instrument>")
@permissions.signed_in("inbox.work")
def keep(patient_id: UUID, instrument: str) -> Response | tuple[str, int]:
    """Keep a whole form; what its answers ask of a person is in the inbox before this page is answered."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        patient = patient_page.the_patient(session, patient_id)
        definition = _definition(patient, instrument)
        try:
            entered = _read(session, clinic, definition)
        except Unclear as unclear:
            page = _grid(session, patient, definition, request.form, str(unclear), unclear.number)
            return page, 422
        owed = _take(session, clinic, patient, definition, entered)
    past = entered.past and owed == "screen"
    flash(words.say("notices", "answers_alert" if owed == "safety" else "answers_past" if past else "answers_kept"))
    return redirect(url_for("patients.scores", patient_id=patient_id), 303)


def _take(
    session: Session, clinic: Clinic, patient: Patient, definition: scoring.Instrument, entered: Given
) -> str | None:
    """Keep the form and return what it owes a person: safety | screen, None for nothing."""
    screen = submissions.accept(
        session,
        clinic,
        patient,
        instrument=definition.id,
        answers=entered.answers,
        language=entered.language,
        source=f"staff.{entered.way}",
        event=str(entered.once),
        authored_at=entered.at,
        asked_by=entered.asked_by,
        past=entered.past,
    )
    audit.record(
        session,
        clinic.id,
        layout.the_actor(),
        "screen.entered",
        f"screen:{screen.id}",
        way=entered.way,
        asked_by=str(entered.asked_by),
        **({"current": "no"} if entered.past else {}),
    )
    return screen.owed


def _read(session: Session, clinic: Clinic, definition: scoring.Instrument) -> Given:
    """Read the grid. Raises Unclear where a question has neither an answer nor "no answer": nothing is guessed."""
    way, asked_by = request.form.get("way", ""), _asker(session, clinic)
    at, once = _when(clinic), ids.uuid_of(request.form.get("once"))
    language = request.form.get("language", "en")
    if way not in WAYS:
        raise Unclear(words.say("refusals", "answers_way"))
    if asked_by is None:
        raise Unclear(words.say("refusals", "answers_who"))
    if at is None or once is None or language not in definition.languages:
        raise Unclear(words.say("refusals", "answers_when"))
    if _is_old(at) and request.form.get("current") not in ("yes", "no"):
        raise Unclear(words.say("refusals", "answers_current"))
    typed = [request.form.get(f"a{index}", "") for index in range(len(definition.items))]
    answers: list[int | None] = [
        next((value for value in item.values if str(value) == text), None)
        for item, text in zip(definition.items, typed, strict=True)
    ]
    applicable = set(scoring.applicable(definition, answers))
    answers = [answer if index in applicable else None for index, answer in enumerate(answers)]
    for index in sorted(applicable):
        if answers[index] is None and typed[index] != NONE:
            raise Unclear(words.say("refusals", "answers_open", number=index + 1), index + 1)
    past = _is_old(at) and request.form["current"] == "no"
    return Given(answers, way, asked_by, at, language, once, past)


def _is_old(at: datetime | None) -> bool:
    return at is not None and submissions.is_old(at, clock.now())


def _asker(session: Session, clinic: Clinic) -> UUID | None:
    wanted = ids.uuid_of(request.form.get("asked_by"))
    person = session.get(Staff, wanted) if wanted else None
    return person.id if person is not None and person.clinic_id == clinic.id else None


def _when(clinic: Clinic) -> datetime | None:
    """Return the moment a form of the day given was answered: now if it is today, else noon of that day."""
    now, zone = clock.now(), ZoneInfo(clinic.zone)
    try:
        day = date.fromisoformat(request.form.get("on", ""))
    except ValueError:
        return None
    today = now.astimezone(zone).date()
    if day > today or (today - day).days > 366:
        return None
    return now if day == today else datetime.combine(day, time(12), zone)


def _offered(patient: Patient) -> Sequence[scoring.Instrument]:
    """Return the forms there are for the patient's age, in a language they read."""
    return [form for form in _fitting(patient) if scoring.speaks(form, patient.language)]


def _fitting(patient: Patient) -> Sequence[scoring.Instrument]:
    age = times.age(patient.birth_date, clock.now())
    return [form for form in scoring.instruments().values() if form.is_for(age)]


def _definition(patient: Patient, instrument: str) -> scoring.Instrument:
    definition = next((form for form in _fitting(patient) if form.id == instrument), None)
    if definition is None:
        abort(404)
    return definition


def _expected(session: Session, patient: Patient) -> Handoff | None:
    """The handoff to which they come, for whoever may say so: the tablet is in the hand of somebody who is here."""
    return handoffs.expected(session, patient) if layout.may("handoffs.answer") else None


def _choices(session: Session, patient: Patient, *, problem: str | None = None) -> str:
    handoff = _expected(session, patient)
    colleague = handoff.colleague_id if handoff is not None else None
    return layout.page(
        session,
        "staff/answers.html",
        here="patients",
        name=patient_view.full_name(patient),
        patient_id=patient.id,
        on_tablet=_offered(patient),
        expects=team.names(session, [colleague]).get(colleague, "") if colleague else "",
        by_hand=_fitting(patient) if layout.may("inbox.work") else [],
        problem=problem,
    )


def _grid(
    session: Session,
    patient: Patient,
    definition: scoring.Instrument,
    fields: Mapping[str, str],
    problem: str | None = None,
    number: int | None = None,
) -> str:
    clinic, staff = sessions.clinic(), layout.the_staff()
    colleagues = team.everyone(session, clinic.id).values()
    wanted = request.values.get("language", scoring.language_of(definition, patient.language))
    return layout.page(
        session,
        "staff/grid.html",
        here="patients",
        name=patient_view.full_name(patient),
        patient_id=patient.id,
        definition=definition,
        shown=scoring.language_of(definition, wanted),
        team=[(colleague.id, colleague.name) for colleague in colleagues if colleague.active],
        me=staff.id,
        today=clock.now().astimezone(ZoneInfo(clinic.zone)).date().isoformat(),
        given=fields,
        asks_current=_is_old(_when(clinic)) if request.method == "POST" else False,
        alike=_alike(definition),
        problem=problem,
        wrong=number,
    )


def _alike(definition: scoring.Instrument) -> bool:
    """Whether all questions have the same answers, so that they can stand as a matrix under one row of headings."""
    answers = {tuple((answer.value, *answer.text.values()) for answer in item.answers) for item in definition.items}
    return len(answers) == 1
