"""What a row of the outbox is about, read again as it is sent: whose it is, whether it may leave, of what parts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from caseload.models import Episode
from config import audit, db
from intake_links import scoring, told_results
from intake_links.models import Screen
from interchange.models import FeedConnection, FeedPatient
from messaging.ehr_outbox import part_two
from messaging.ehr_outbox.models import EhrWrite, EhrWriter
from messaging.models import Clinic, Message, Patient
from records import paper, telling
from records.fhir import phrases, screens
from records.opening import Opened
from records.writing import contents, day_texts, leaving, visits_told
from records.writing.contents import Part
from records.writing.leaving import Facts
from records.writing.posts import Place
from reminders.models import Appointment, Handoff

VISIT_ID = "Appointment/"


class Ended(Exception):
    """There is nothing to send: `state` is that of the row from now on, `why` a word for it."""

    def __init__(self, state: str, why: str | None = None) -> None:
        super().__init__(state)
        self.state, self.why = state, why


@dataclass(frozen=True)
class Subject:
    """What is sent of a row, where to, and whose it is."""

    patient: Patient
    parts: Sequence[Part]
    place: Place


def read(session: Session, row: EhrWrite, writer: EhrWriter, connection: FeedConnection) -> Subject:
    """Return what is to be sent of a row now. Raises Ended where nothing is."""
    by_kind = {"screen": _screen, "visit": _visit, "handoff": _handoff, "day": _day}
    return by_kind[row.kind](session, row, writer, connection)


def _screen(session: Session, row: EhrWrite, writer: EhrWriter, connection: FeedConnection) -> Subject:
    screen = session.get(Screen, row.subject_id)
    if screen is None or screen.scored_at is None or screen.source.startswith(told_results.OF_EHR):
        raise Ended("gone")
    patient = _of_whom(session, writer, screen.patient_id, "screen", screen.instrument)
    place = _place(session, connection, patient)
    clinic = session.get_one(Clinic, screen.clinic_id)
    ((response,),) = telling.responses(session, clinic, [screen])
    (observations,) = telling.observations(session, clinic, [screen])
    if not observations:
        raise Ended("gone")
    title, pdf = _document(screen) if contents.DOCUMENT in writer.forms else ("", b"")
    parts = contents.chosen(contents.of_screen(response, observations, title, pdf), writer.forms)
    return Subject(patient, parts, place)


def _visit(session: Session, row: EhrWrite, writer: EhrWriter, connection: FeedConnection) -> Subject:
    visit = session.get(Appointment, row.subject_id)
    if connection.kind == "hl7":
        return _visit_by_hl7(session, row, writer, visit)
    is_there = visit is not None and visit.source == writer.source and visit.external_id.startswith(VISIT_ID)
    if visit is None or visit.state != "confirmed" or not is_there or connection.kind != "athena":
        raise Ended("gone")
    patient = _of_whom(session, writer, visit.patient_id, "visit")
    number = quote(visit.external_id.removeprefix(VISIT_ID), safe="")
    notes = f"{connection.base_url}/v1/{connection.practice}/appointments/{number}/notes"
    part = contents.note(f"{row.id.hex[-12:]}-{row.edition}")
    return Subject(patient, [part], Place(fhir_base(connection), notes=notes))


def _visit_by_hl7(session: Session, row: EhrWrite, writer: EhrWriter, visit: Appointment | None) -> Subject:
    if visit is None or visit.source != writer.source or visit.state not in visits_told.SAID:
        raise Ended("gone")
    patient = _of_whom(session, writer, visit.patient_id, "visit", change_asked=visit.state == "change_asked")
    part = visits_told.part(session, row, visit)
    if part is None:
        raise Ended("not_there", "not_kept")
    return Subject(patient, [part], Place(""))


def _handoff(session: Session, row: EhrWrite, writer: EhrWriter, connection: FeedConnection) -> Subject:
    handoff = session.get(Handoff, row.subject_id)
    if handoff is None:
        raise Ended("gone")
    patient = _of_whom(session, writer, handoff.patient_id, "handoff")
    place = _place(session, connection, patient)
    clinic = session.get_one(Clinic, handoff.clinic_id)
    ((request,),), ((task,),) = (tell(session, clinic, [handoff]) for tell in (telling.requests, telling.fulfilments))
    parts = contents.of_handoff(request, task, row.edition, row.parts)
    return Subject(patient, contents.chosen(parts, writer.forms), place)


def _day(session: Session, row: EhrWrite, writer: EhrWriter, connection: FeedConnection) -> Subject:
    first = session.get(Message, row.subject_id)
    if first is None or first.patient_id is None:
        raise Ended("gone")
    patient = _of_whom(session, writer, first.patient_id, "day")
    place = _place(session, connection, patient)
    clinic = session.get_one(Clinic, row.clinic_id)
    texts = day_texts.of_day(session, clinic, first)
    if not texts:
        raise Ended("gone")
    whys = [leaving.kept_back(facts, writer.kinds, writer.allows) for facts in day_texts.facts(texts)]
    leave = [text for text, why in zip(texts, whys, strict=True) if why is None]
    if not leave:
        raise Ended("kept_back", whys[0])
    part = day_texts.summary(session, clinic, first, leave, left_out=len(texts) - len(leave))
    return Subject(patient, [part], place)


def _of_whom(
    session: Session, writer: EhrWriter, patient_id: Any, kind: str, instrument: str = "", *, change_asked: bool = False
) -> Patient:
    """The patient who stays, of whom this kind may leave. Raises Ended."""
    patient = _stays(session, patient_id)
    _ask(Facts(kind, instrument, _is_part_two(session, patient), change_asked), writer)
    return patient


def _place(session: Session, connection: FeedConnection, patient: Patient) -> Place:
    """Where the patient stands in the EHR. Raises Ended where they do not."""
    reference = reference_of(session, connection, patient)
    if not reference:
        raise Ended("not_there")
    return Place(fhir_base(connection), reference)


def _ask(facts: Facts, writer: EhrWriter) -> None:
    why = leaving.kept_back(facts, writer.kinds, writer.allows)
    if why is not None:
        raise Ended("kept_back", why)


def fhir_base(connection: FeedConnection) -> str:
    """Return where an EHR's resources of FHIR are."""
    return connection.base_url + ("/fhir/r4" if connection.kind == "athena" else "")


def _stays(session: Session, patient_id: Any) -> Patient:
    patient = session.get_one(Patient, patient_id)
    return session.get_one(Patient, patient.merged_into) if patient.merged_into else patient


def _links(session: Session, patient: Patient) -> list[FeedPatient]:
    """By whom feeds mean this patient, or a record that was merged into theirs; the newest first."""
    merged = select(Patient.id).where(Patient.merged_into == patient.id)
    whose = or_(FeedPatient.patient_id == patient.id, FeedPatient.patient_id.in_(merged))
    rows = select(FeedPatient).where(FeedPatient.clinic_id == patient.clinic_id, whose)
    return list(session.scalars(rows.order_by(FeedPatient.id.desc())))


def _is_part_two(session: Session, patient: Patient) -> bool:
    episodes = session.scalars(select(Episode.id).where(Episode.patient_id == patient.id))
    abouts = [part_two.about("clinic", patient.clinic_id)]
    abouts += [part_two.about("feed", link.feed_id) for link in _links(session, patient)]
    abouts += [part_two.about("episode", episode_id) for episode_id in episodes]
    abouts += part_two.of_patient(session, patient.id)
    return part_two.is_labelled(session, patient.clinic_id, abouts)


def link_of(session: Session, connection: FeedConnection, patient: Patient) -> FeedPatient | None:
    """Return the link that says how the EHR names this patient, None where it has not told us."""
    own = [link for link in _links(session, patient) if link.feed_id == connection.feed_id and link.reference_ct]
    db.load_keys(session, {link.key_id for link in own if link.key_id})
    return next(iter(own), None)


def reference_of(session: Session, connection: FeedConnection, patient: Patient) -> str:
    """Return how the EHR names this patient in FHIR, "" where it has not told us."""
    link = link_of(session, connection, patient)
    return str(Opened(link).reference or "") if link is not None else ""


def rename(session: Session, row: EhrWrite, connection: FeedConnection, reference: str) -> None:
    """Keep that the EHR names the patient of a row otherwise by now: their record was merged over there."""
    subject: Any = session.get({"handoff": Handoff, "day": Message}.get(row.kind, Screen), row.subject_id)
    patient = _stays(session, subject.patient_id) if subject is not None else None
    link = link_of(session, connection, patient) if patient is not None else None
    if link is not None:
        link.reference = reference
        about = f"patient:{link.patient_id}"
        audit.record(session, row.clinic_id, audit.Actor.system("ehr_write"), "patient.merged_in_ehr", about)


def _document(screen: Screen) -> tuple[str, bytes]:
    """A form on paper: its title, and the file, the same however often it is made."""
    title, *lines = _lines(Opened(screen))
    sheet = paper.Sheet(title, "", lines[0], [("", lines[1:])])
    return title, paper.pdf_of(title, sheet, screen.submitted_at or screen.started_at)


def _lines(screen: Any) -> list[str]:
    """A form in words: what it is, when it was answered, what it comes to, each question with its answer."""
    known, result = scoring.instruments().get(screen.instrument), json.loads(screen.result)
    title = known.title if known else screen.instrument
    day = f"{screen.submitted_at or screen.started_at:%Y-%m-%d}"
    bands = {band.name: band.words["en"] for band in known.bands()} if known else {}
    band = bands.get(result["band"] or "", "")
    lines = [title, phrases.filled("written_back", "answered", day=day)]
    if result["total"] is not None:
        lines.append(phrases.filled("written_back", "band" if band else "total", total=result["total"], band=band))
    for number, item, points in screens.answered(screen, known):
        words = next((each.text["en"] for each in item.answers if each.value == points), str(points))
        lines.append(
            phrases.filled(
                "written_back", "item", number=number, question=item.text["en"], answer=f"{words} ({points})"
            )
        )
    return lines
