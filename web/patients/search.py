"""One box that finds: patients by name, number or record number, numbers nobody is known by, and words in texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging import phone, reachable
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Conversation, Patient
from messaging.people import directory, name_search
from reminders import clinic_profile, unreached
from reminders.models import Appointment
from web import layout, permissions, sessions, times, words
from web.patients import text_search
from web.presenters import patient_view

search = layout.room("search", __name__)

SHOWN = 25
LONGEST = 120
RECENT_NUMBERS = 500


@dataclass(frozen=True)
class Hit:
    """A patient who was found: what tells them from others of that name, and what waits for them."""

    id: UUID
    name: str
    facts: str
    record: str
    next_visit: str
    reach: str
    reach_words: str
    items: list[tuple[UUID, str, bool]]


@dataclass(frozen=True)
class Stranger:
    """A number nobody is known by, with the item where it can be said whose it is."""

    number: str
    last: str
    item_id: UUID | None


@dataclass(frozen=True)
class Answer:
    """What was found, and by what: record | number | name."""

    kind: str
    hits: list[Hit]
    strangers: list[Stranger]
    more: bool


@search.get("/patients")
@permissions.signed_in("patients.read")
def form() -> str:
    """Show the box; what is looked for is posted, so that it stays out of addresses and logs."""
    return _page("", None, None)


@search.post("/patients")
@permissions.signed_in("patients.read")
def look() -> Response | tuple[str, int] | str:
    """Look for what was typed. A record number that is somebody's leads straight to them."""
    typed = request.form.get("wanted", "").strip()[:LONGEST]
    if not typed:
        return _page("", None, None)
    clinic, reads = sessions.clinic(), layout.may("inbox.read")
    with db.unit_of_work(clinic.id, read_only=True) as session:
        patient = directory.find_by_record(session, clinic, typed)
        answer = None if patient else found(session, clinic, typed, reads_inbox=reads)
    if patient is not None:
        _write_down("patients.searched", kind="record", found=1)
        return redirect(url_for("patients.show", patient_id=patient.id), 303)
    if answer is not None:
        _write_down("patients.searched", kind=answer.kind, found=len(answer.hits) + len(answer.strangers))
    texts = None
    if "within" in request.form and layout.may("inbox.words"):
        texts = text_search.look(clinic, layout.the_staff(), typed, request.form.get("onward", ""))
    nothing = not (answer and (answer.hits or answer.strangers)) and texts is None
    return (_page(typed, answer, texts), 404) if nothing else _page(typed, answer, texts)


def _page(typed: str, answer: Answer | None, texts: text_search.Within | None) -> str:
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return layout.page(
            session,
            "staff/find.html",
            here="patients",
            sought=typed,
            answer=answer,
            within=texts,
            readable=layout.may("inbox.words"),
            too_short=bool(typed) and all(len(word) < name_search.STARTS[0] for word in name_search.words(typed)),
            shown=SHOWN,
        )


def _write_down(act: str, **detail: str | int) -> None:
    """Audit a search before anything of it is shown: its kind and how much was found, never what was looked for."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        audit.record(session, clinic.id, audit.Actor.staff(staff.id), act, f"clinic:{clinic.id}", **detail)


def found(session: Session, clinic: Clinic, typed: str, *, reads_inbox: bool) -> Answer:
    """Return who fits what was typed: by number where it has digits and no letters, else by name."""
    if any(character.isdecimal() for character in typed) and not any(character.isalpha() for character in typed):
        return _by_number(session, clinic, typed, reads_inbox=reads_inbox)
    several = name_search.search(session, clinic, typed)
    more = several.more or len(several.patients) > SHOWN
    return Answer("name", hits(session, clinic, several.patients[:SHOWN], reads_inbox=reads_inbox), [], more)


def _by_number(session: Session, clinic: Clinic, typed: str, *, reads_inbox: bool) -> Answer:
    try:
        number = phone.e164(typed, abroad=clinic_profile.abroad(clinic))
    except phone.NotTextable:
        digits = "".join(character for character in typed if character.isdecimal())
        strangers = _strangers(session, clinic, digits) if reads_inbox and len(digits) == 4 else []
        return Answer("number", [], strangers, False)
    patients = directory.patients_with_number(session, clinic, number)
    index = db.clinic_index(session, clinic.key_id, "number", number)
    unknown = select(Conversation).where(
        Conversation.clinic_id == clinic.id,
        Conversation.number_index == index,
        Conversation.patient_id.is_(None),
    )
    conversations = session.scalars(unknown).all() if reads_inbox else []
    listed = hits(session, clinic, patients[:SHOWN], reads_inbox=reads_inbox)
    return Answer("number", listed, _as_strangers(session, clinic, conversations), len(patients) > SHOWN)


def _strangers(session: Session, clinic: Clinic, digits: str) -> list[Stranger]:
    """The numbers nobody is known by that wrote lately and end like this, as the list shows them ("··0147")."""
    lately = (
        select(Conversation)
        .where(Conversation.clinic_id == clinic.id, Conversation.patient_id.is_(None))
        .order_by(Conversation.last_at.desc())
        .limit(RECENT_NUMBERS)
    )
    ending = [conversation for conversation in session.scalars(lately) if (conversation.number or "").endswith(digits)]
    return _as_strangers(session, clinic, ending[:SHOWN])


def _as_strangers(session: Session, clinic: Clinic, several: Sequence[Conversation]) -> list[Stranger]:
    if not several:
        return []
    latest = text_search.latest_items(session, clinic, [conversation.id for conversation in several])
    now = clock.now()
    return [
        Stranger(
            phone.display(conversation.number or ""),
            times.moment(conversation.last_at, now, clinic.zone, running=True),
            latest.get(conversation.id),
        )
        for conversation in several
    ]


def hits(session: Session, clinic: Clinic, patients: Sequence[Patient], *, reads_inbox: bool) -> list[Hit]:
    """Return patients as rows with few queries, however many they are."""
    if not patients:
        return []
    ids, now = [patient.id for patient in patients], clock.now()
    db.load_keys(session, (patient.key_id for patient in patients))
    coming = select(Appointment).where(
        Appointment.patient_id.in_(ids),
        Appointment.starts_at > now - patient_view.STAYS,
        Appointment.state != "cancelled",
    )
    visits = {visit.patient_id: visit for visit in session.scalars(coming.order_by(Appointment.starts_at.desc()))}
    contacts = reachable.of_patients(session, ids)
    waiting = _waiting(session, clinic, ids) if reads_inbox else {}
    listed = []
    for patient in patients:
        born, visit = times.birth_date(patient.birth_date, now), visits.get(patient.id)
        contact = contacts[patient.id]
        can = patient_view.reach_words(contact, words.say("reach", "all"))
        spoken = [f"born {born}"] if born else []
        listed.append(
            Hit(
                id=patient.id,
                name=patient_view.full_name(patient),
                facts=" · ".join([*spoken, words.say("languages", patient.language)]),
                record=patient.record or "",
                next_visit=times.moment(visit.starts_at, now, visit.zone) if visit else "",
                reach=unreached.cannot(contact) or "",
                reach_words=can[:1].upper() + can[1:],
                items=waiting.get(patient.id, []),
            )
        )
    return listed


def _waiting(session: Session, clinic: Clinic, ids: Sequence[UUID]) -> dict[UUID, list[tuple[UUID, str, bool]]]:
    open_ones = (
        select(InboxItem.id, InboxItem.patient_id, InboxItem.kind)
        .where(InboxItem.clinic_id == clinic.id, InboxItem.patient_id.in_(ids), InboxItem.state != "done")
        .order_by(InboxItem.urgency, InboxItem.answer_by)
    )
    waiting: dict[UUID, list[tuple[UUID, str, bool]]] = {}
    for item_id, patient_id, kind in session.execute(open_ones):
        if patient_id is not None:
            open_item = (item_id, words.say("kinds", kind), kind == "safety")
            waiting.setdefault(patient_id, []).append(open_item)
    return waiting
