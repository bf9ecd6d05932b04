"""Keeps every answer from the moment it is given, scores it, and tells a person in the same transaction."""

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import audit, clock, db
from intake_links import alerts, doubts, finding, links, progress, scoring
from intake_links.models import IntakeLink, Screen
from messaging.ehr_outbox import owing
from messaging.models import Clinic, Patient
from messaging.reasons import Reason

# Of a form older than this nobody can tell whether it still says how the patient is.
FRESH = timedelta(days=7)


def begin(session: Session, clinic: Clinic, link: IntakeLink, part: int) -> Screen:
    """Return the screen of the link's instrument number `part` (from 0), made when its first answer comes."""
    existing = progress.find_screen(session, clinic.id, progress.LINK, progress.event(link, part))
    if existing is not None:
        return existing
    patient = session.get_one(Patient, link.patient_id)
    definition = scoring.instrument(link.instruments[part])
    language = scoring.language_of(definition, link.language)
    screen = new(
        session,
        patient,
        definition,
        [None] * len(definition.items),
        language,
        progress.LINK,
        progress.event(link, part),
    )
    screen.link_id = link.id
    screen.detail = {"place": link.place} if link.place else {}
    session.add(screen)
    session.flush()
    alerts.note(session, screen, "started", audit.Actor.patient(patient.id))
    return screen


def speak(session: Session, link: IntakeLink, language: str) -> None:
    """Go on in another language; answers stay."""
    link.language = language
    here = progress.place(session, link)
    if here is not None and here.screen is not None:
        here.screen.language = scoring.language_of(here.definition, language)


def accept_answer(
    session: Session,
    clinic: Clinic,
    screen: Screen,
    index: int,
    value: int | None,
    *,
    given_in: UUID | None = None,
) -> None:
    """Keep one answer (None: "I'd rather not answer"); a self-harm answer makes its safety item here and now.

    `index` counts the scored items from 0; `given_in` is the LinkSession it came by. After the form was handed in,
    another answer is kept beside it for a person to look at. Raises scoring.BadAnswer and changes nothing then.
    """
    _lock(session, screen)
    before = finding.answers_of(screen)
    if type(index) is not int or not 0 <= index < len(before):
        raise scoring.BadAnswer(f"there is no question {index!r}")
    answers = [*before[:index], value, *before[index + 1 :]]
    scoring.score(screen.instrument, answers)
    if screen.state != "started":
        keep_beside(session, clinic, screen, answers)
        return
    answers = _grow(session, screen, answers)
    score = scoring.score(screen.instrument, answers, finding.sex_of(session, screen))
    definition = scoring.instrument(screen.instrument)
    # An earlier answer that makes a later question meaningless takes its answer along; asked again, it is open.
    dropped = set(range(len(answers))) - set(scoring.applicable(definition, answers))
    screen.answers = json.dumps([None if i in dropped else answer for i, answer in enumerate(answers)])
    screen.detail = screen.detail | _seen(screen, index, dropped, given_in)
    if screen.owed != "safety":
        if score.alerts:
            alerts.raise_alert(session, clinic, screen, score)
        alerts.watch(session, screen, score)
    elif value != before[index] and any(rule.item == index + 1 for rule in definition.alerts):
        if (value or 0) > (before[index] or 0):
            alerts.raise_alert(session, clinic, screen, score)
        else:
            alerts.say_it_changed(session, screen, index, value)


def keep_late(session: Session, clinic: Clinic, link: IntakeLink, part: int, index: int, value: int | None) -> None:
    """Keep for a person an answer to a form that opens no more; `index` counts the items of its `part`, both from 0.

    It stands beside the form and not in it, as the tablet or the phone may be in other hands by now.
    """
    first = begin(session, clinic, link, part)
    _lock(session, first)
    before = finding.answers_of(first)
    if value != before[index]:
        keep_beside(session, clinic, first, [*before[:index], value, *before[index + 1 :]], because="late")


def _grow(session: Session, screen: Screen, answers: list[int | None]) -> list[int | None]:
    """Make the screen the form its answers lead to, and return them in that form's length: none is asked twice."""
    began = scoring.instrument(screen.detail.get("began", screen.instrument))
    now = scoring.form_after(began, answers)
    if now.id != screen.instrument:
        screen.instrument, screen.instrument_version = now.id, version(now.id)
        screen.detail = screen.detail | {"began": began.id}
        alerts.note(session, screen, "grew", audit.Actor.system("intake"), instrument=now.id)
    return (answers + [None] * len(now.items))[: len(now.items)]


def submit(session: Session, clinic: Clinic, screen: Screen) -> Screen:
    """Score the form and make the item it owes; handing in twice is handing in once."""
    _lock(session, screen)
    if screen.state != "started":
        return screen
    _finish(session, clinic, screen, clock.now())
    owing.owe(session, clinic.id, "screen", screen.id)
    link = session.get(IntakeLink, screen.link_id) if screen.link_id else None
    # The link's time may have ended while this was being answered: an answer is an answer.
    if link is not None and link.state in (*links.LIVE, "expired") and progress.place(session, link) is None:
        link.state, link.answered_at = "answered", clock.now()
    return screen


def accept(
    session: Session,
    clinic: Clinic,
    patient: Patient,
    *,
    instrument: str,
    answers: Sequence[int | None],
    language: str,
    source: str,
    event: str,
    authored_at: datetime | None = None,
    asked_by: UUID | None = None,
    past: bool = False,
) -> Screen:
    """Take a whole form from elsewhere, or from the member of staff `asked_by` who read it out or has it on paper.

    `past` is an old form of which that person says that it does not tell how the patient is now: an alerting answer
    is still put before a person, as a screen, without the alarm of one that was given today.
    The same (source, event) again returns the first; other answers are kept too. No consent is needed to receive.
    Raises scoring.UnknownInstrument, scoring.BadAnswer.
    """
    definition = scoring.instrument(instrument)
    scoring.score(definition.id, answers)
    if source == progress.LINK:
        raise ValueError(f"{progress.LINK} is the source of our own pages")
    first = progress.find_screen(session, clinic.id, source, event)
    if first is None:
        screen = new(session, patient, definition, answers, language, source, event)
        screen.detail = ({"asked_by": str(asked_by)} if asked_by else {}) | ({"past": True} if past else {})
        screen.started_at = min(authored_at or clock.now(), clock.now())
        try:
            with session.begin_nested():
                session.add(screen)
                session.flush()
        except IntegrityError:  # the same event came in by another door at this moment
            first = progress.find_screen(session, clinic.id, source, event)
        else:
            _finish(session, clinic, screen, screen.started_at)
            owing.owe(session, clinic.id, "screen", screen.id)
            return screen
    if first is None:
        raise RuntimeError("a submission was neither new nor known")
    if first.instrument == instrument and finding.answers_of(first) == tuple(answers):
        return first
    _lock(session, first)
    keep_beside(session, clinic, first, answers, instrument)
    return first


def is_old(at: datetime, now: datetime) -> bool:
    """Whether of a form answered at that moment nobody can tell any more if it still says how the patient is."""
    return now - at > FRESH


def new(
    session: Session,
    patient: Patient,
    definition: scoring.Instrument,
    answers: Sequence[int | None],
    language: str,
    source: str,
    event: str,
) -> Screen:
    """Return a form with these answers that is not handed in yet, for the caller to add."""
    db.load_keys(session, {patient.key_id})
    return Screen(
        clinic_id=patient.clinic_id,
        key_id=patient.key_id,
        patient_id=patient.id,
        instrument=definition.id,
        instrument_version=version(definition.id),
        language=language,
        source=source,
        event=event,
        state="started",
        answers=json.dumps(list(answers)),
        started_at=clock.now(),
        detail={},
    )


@functools.cache
def version(instrument_id: str) -> str:
    """Return 12 hexadecimal digits that change with any word or value a patient sees of the instrument."""
    definition = scoring.instrument(instrument_id)
    shown = [
        [item.id, dict(item.text), [[answer.value, dict(answer.text)] for answer in item.answers]]
        for item in definition.items
    ]
    whole = json.dumps([definition.version, dict(definition.stem), shown], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def _kept(first: Screen) -> dict[str, object]:
    """What other answers to the same form share with the first: where it was answered and how it began."""
    return {name: first.detail[name] for name in ("began", "place", "asked_by", "past") if name in first.detail}


def _lock(session: Session, screen: Screen) -> None:
    session.flush()
    session.refresh(screen, with_for_update=True)


def _seen(screen: Screen, index: int, dropped: set[int], given_in: UUID | None) -> dict[str, object]:
    """Return how far the questions were asked, and which session gave each answer: never what it was."""
    answers, seen = finding.answers_of(screen), screen.detail.get("seen", 0)
    if all(answers[i] is not None or i in dropped for i in range(seen, index)):
        seen = max(seen, index + 1)
    seen = min([seen, *(i for i in dropped if i > index)])
    sessions = {k: v for k, v in screen.detail.get("given", {}).items() if int(k) not in dropped}
    return {"seen": seen, "given": sessions | {str(index): str(given_in) if given_in else None}}


def _finish(session: Session, clinic: Clinic, screen: Screen, submitted_at: datetime) -> scoring.Score:
    score = finding.score_of(session, screen)
    screen.result = json.dumps(asdict(score))
    screen.state, screen.submitted_at, screen.scored_at = "submitted", submitted_at, clock.now()
    screen.look_at = None
    alerts.note(session, screen, "submitted", _who(screen), instrument=screen.instrument)
    if screen.owed == "safety":
        alerts.say_it_is_finished(session, screen, score)
    elif score.alerts and not finding.is_past(screen):
        alerts.raise_alert(session, clinic, screen, score)
    elif screen.owed == "screen":
        alerts.say_it_went_on(session, clinic, screen, score)
    elif score.alerts or score.positive or finding.short_form(session, screen, score) is not None:
        screen.owed = "screen"
        findings = finding.findings_of(session, screen, score)
        alerts.open_item(session, clinic, screen, "screen", findings, score=score)
    return score


def _who(screen: Screen) -> str:
    if screen.source == progress.LINK:
        return audit.Actor.patient(screen.patient_id)
    return audit.Actor.staff(screen.detail["asked_by"]) if "asked_by" in screen.detail else audit.Actor.system("forms")


def keep_beside(
    session: Session,
    clinic: Clinic,
    first: Screen,
    answers: Sequence[int | None],
    instrument: str | None = None,
    because: str = "again",
    told_total: int | None = None,
) -> None:
    """Keep other answers to a form that is over, or another total told of it, beside it, and ask which are right."""
    definition = scoring.instrument(instrument or first.instrument)
    same = Screen.clinic_id == first.clinic_id, Screen.source == first.source
    later = select(Screen).where(*same, Screen.event.startswith(f"{first.id}:again:"))
    screens = [first, *session.scalars(later)]
    kept = [(s.instrument, finding.answers_of(s), doubts.told_total(s)) for s in screens]
    if (definition.id, tuple(answers), told_total) in kept:
        return
    patient = session.get_one(Patient, first.patient_id)
    event = f"{first.id}:again:{len(screens)}"
    screen = new(session, patient, definition, answers, first.language, first.source, event)
    screen.link_id, screen.detail = first.link_id, _kept(first) | {"again": str(first.id)}
    screen.told_total = None if told_total is None else str(told_total)
    session.add(screen)
    session.flush()
    _finish(session, clinic, screen, clock.now())
    alerts.open_item(session, clinic, screen, "reply", [Reason(because, {"instrument": finding.title_of(screen)})])
