"""Warm handoffs as staff see them: how each stands step by step, who was asked, and what the form offers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from reminders import planner
from reminders.handoff import decision, machine, standing, telling
from reminders.models import Handoff, HandoffOffer
from web import patient_access, team, times, words
from web.presenters import assignment, handoff_strip, patient_view, short_names

# Beyond this nobody reads on; who waits longest stands first.
MOST = 200
EVERYTHING = patient_access.Sight(words=True, named=True)


@dataclass(frozen=True)
class Offer:
    """A colleague who was asked, and what they answered in words, "" while they have not; `comes`: they accepted."""

    name: str
    answer: str
    comes: bool = False


@dataclass(frozen=True)
class Entry:
    """A handoff as it stands: who, where, why, how long, offered to whom by which rules, and who asked.

    `mine` is an open offer to the reader, `coming` that the reader has accepted, `asked_by_me` one they asked for
    themselves; `next_at` is when the next is asked, "" where nobody is left to be. `details` are why, how soon, how
    they meet and in which language, in words; `walk` that they cannot be texted, so that somebody walks with them.
    `late` says what has not happened in its time, "" where all goes well; `wrote` is the item of what they have written
    since somebody accepted, until it is dealt with. `kinds` are the kinds of visit of which the
    clinic's cadence knows, for who meets another time.
    """

    id: UUID
    patient_id: UUID
    name: str
    place: str
    state: str
    modality: str
    state_words: str
    since: str
    waiting: str
    offered: str
    colleague: str
    next_at: str
    why: str
    details: list[str]
    note: str
    urgent: bool
    mine: bool
    coming: bool
    asked_by: str
    asked_by_me: bool
    walk: bool = False
    late: str = ""
    wrote: UUID | None = None
    starts: str = ""
    strip: list[handoff_strip.Step] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    kinds: Sequence[str] = ()

    @property
    def waits(self) -> bool:
        """Whether nobody has said yes so far."""
        return self.state in machine.WAITING

    @property
    def is_coming(self) -> bool:
        """Whether somebody has said yes and the patient is not there yet."""
        return self.state in machine.COMING

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.state in machine.OPEN


@dataclass(frozen=True)
class Form:
    """What whoever asks may say beside whom it is about: reasons, languages, ways to meet, each as value and words."""

    reasons: list[tuple[str, str]]
    languages: list[tuple[str, str]]
    modalities: list[tuple[str, str]]


def form(session: Session, clinic: Clinic) -> Form:
    """Return what the form offers: a video only where the clinic has a room for it."""
    video = bool(decision.of_clinic(session, clinic).video)
    ways = [way for way in machine.MODALITIES if way != "video" or video]
    return Form(
        list(telling.reasons().items()),
        list(words.table_of("languages").items()),
        [(way, words.say("modalities", way)) for way in ways],
    )


def waiting(
    session: Session, clinic: Clinic, staff: Staff, *, sight: patient_access.Sight = EVERYTHING, referrals: bool = False
) -> list[Entry]:
    """Return the open handoffs: what is offered to the reader first, then urgent ones, then by how long they wait.

    With `referrals` those for another day too, last.
    """
    rows = _rows(session, clinic, Handoff.state.in_(machine.NOW), order=Handoff.requested_at.asc(), limit=MOST)
    if referrals:
        later = Handoff.state == "referred"
        rows = [*rows, *_rows(session, clinic, later, order=Handoff.requested_at.asc(), limit=MOST)]
    listed = entries(session, clinic, staff, rows, sight=sight)
    return sorted(listed, key=lambda entry: (entry.state == "referred", not entry.mine, not entry.urgent))


def ended(
    session: Session, clinic: Clinic, staff: Staff, limit: int, *, sight: patient_access.Sight = EVERYTHING
) -> list[Entry]:
    """Return the handoffs that ended last."""
    over = Handoff.state.in_(machine.ENDED)
    rows = _rows(session, clinic, over, order=Handoff.requested_at.desc(), limit=limit)
    return entries(session, clinic, staff, rows, sight=replace(sight, words=False))


def asked_by(session: Session, clinic: Clinic, staff: Staff, limit: int) -> list[Entry]:
    """Return the handoffs that this colleague asked for, the newest first, each with its strip."""
    own = Handoff.requested_by == audit.Actor.staff(staff.id)
    return entries(session, clinic, staff, _rows(session, clinic, own, order=Handoff.requested_at.desc(), limit=limit))


def open_for(session: Session, clinic: Clinic, staff: Staff, patients: Collection[UUID]) -> dict[UUID, Entry]:
    """Return by patient the handoff that is open for them."""
    theirs = Handoff.patient_id.in_(patients) & Handoff.state.in_(machine.NOW)
    rows = _rows(session, clinic, theirs, order=Handoff.requested_at.asc(), limit=MOST)
    return {entry.patient_id: entry for entry in entries(session, clinic, staff, rows)}


def _rows(
    session: Session, clinic: Clinic, where: ColumnElement[bool], *, order: ColumnElement[datetime], limit: int
) -> Sequence[Handoff]:
    return session.scalars(
        select(Handoff).where(Handoff.clinic_id == clinic.id, where).order_by(order).limit(limit)
    ).all()


def entries(
    session: Session, clinic: Clinic, staff: Staff, rows: Sequence[Handoff], *, sight: patient_access.Sight = EVERYTHING
) -> list[Entry]:
    """Return handoffs in words; a fixed number of queries, however many they are.

    Why they were asked for, and the requester's own words, and who it is, only where the reader may (`sight`).
    """
    if not rows:
        return []
    ids = {handoff.patient_id for handoff in rows}
    patients = {patient.id: patient for patient in session.scalars(select(Patient).where(Patient.id.in_(ids)))}
    keys = [patient.key_id for patient in patients.values()]
    db.load_keys(session, [*keys, *(handoff.key_id for handoff in rows if handoff.key_id)])
    offers = _offers(session, rows)
    asked = [audit.Actor(handoff.requested_by).staff_id for handoff in rows]
    people = [offer.staff_id for each in offers.values() for offer in each]
    names = team.names(session, [*asked, *people, *(handoff.colleague_id for handoff in rows)])
    kinds = list(planner.cadence_of(session, clinic.id).kinds)
    why, wrote = _why(session, rows), standing.unread_words(session, rows)
    facts = _Facts(clinic, staff, names, offers, why, clock.now(), sight, kinds, wrote)
    return [_entry(facts, handoff, patients[handoff.patient_id]) for handoff in rows]


@dataclass(frozen=True)
class _Facts:
    """What the rows of a list share."""

    clinic: Clinic
    staff: Staff
    names: Mapping[UUID | None, str]
    offers: Mapping[UUID, list[HandoffOffer]]
    why: Mapping[UUID, str]
    now: datetime
    sight: patient_access.Sight
    kinds: Sequence[str]
    wrote: Mapping[UUID, UUID]


def _offers(session: Session, rows: Sequence[Handoff]) -> dict[UUID, list[HandoffOffer]]:
    made = select(HandoffOffer).where(HandoffOffer.handoff_id.in_([handoff.id for handoff in rows]))
    by_handoff: dict[UUID, list[HandoffOffer]] = {}
    for offer in session.scalars(made.order_by(HandoffOffer.offered_at, HandoffOffer.id)):
        by_handoff.setdefault(offer.handoff_id, []).append(offer)
    return by_handoff


def _entry(facts: _Facts, handoff: Handoff, patient: Patient) -> Entry:
    asker = audit.Actor(handoff.requested_by).staff_id
    offers = facts.offers.get(handoff.id, [])
    still = [offer for offer in offers if offer.answer is None]
    zone = facts.clinic.zone
    starts = handoff.start_at if handoff.start_at and handoff.start_at > facts.now else None
    clinical = facts.sight.reads(patient.id)
    mine = handoff.state == "offered" and any(offer.staff_id == facts.staff.id for offer in still)
    coming = handoff.colleague_id == facts.staff.id
    named = facts.sight.names(patient.id) or mine or coming or asker == facts.staff.id
    return Entry(
        id=handoff.id,
        patient_id=handoff.patient_id,
        name=patient_view.full_name(patient) if named else short_names.initials(patient),
        place=handoff.place or "",
        state=handoff.state,
        modality=handoff.modality,
        state_words=words.say("handoffs", handoff.state),
        since=times.moment(handoff.requested_at, facts.now, zone, running=True),
        waiting=times.ago(facts.now - handoff.requested_at),
        offered=" and ".join(facts.names.get(offer.staff_id, "") for offer in still),
        colleague=facts.names.get(handoff.colleague_id, ""),
        next_at=times.time_of(handoff.try_after, zone) if still and handoff.follows == "next" else "",
        why=facts.why.get(handoff.id, ""),
        details=_details(handoff, clinical or asker == facts.staff.id),
        note=(telling.opened(handoff, "note") or "") if clinical else "",
        urgent=handoff.urgent,
        mine=mine,
        coming=coming,
        asked_by=facts.names.get(asker, ""),
        asked_by_me=asker == facts.staff.id,
        walk=handoff.state == "accepted" and handoff.modality == "in_person",
        late=_late(handoff),
        wrote=facts.wrote.get(handoff.id),
        starts=times.time_of(starts, zone) if starts and handoff.state in machine.COMING else "",
        strip=handoff_strip.steps(handoff, zone),
        kinds=facts.kinds,
        offers=[_offer(facts, offer) for offer in offers],
    )


def _offer(facts: _Facts, offer: HandoffOffer) -> Offer:
    answer = words.say("handoff_answers", offer.answer) if offer.answer else ""
    return Offer(facts.names.get(offer.staff_id, ""), answer, offer.answer == "accepted")


def _late(handoff: Handoff) -> str:
    """What has not happened in its time."""
    if handoff.state in machine.COMING and handoff.stage:
        in_person = handoff.modality == "in_person"
        return words.say("handoff_late", "not_there" if in_person else "how_it_ended")
    if handoff.state == "arrived" and handoff.stage:
        return words.say("handoff_late", "how_it_ended")
    return ""


def _details(handoff: Handoff, clinical: bool) -> list[str]:
    spoken = words.say("languages", handoff.language) if handoff.language else ""
    way = words.say("modalities", handoff.modality) if handoff.modality != "in_person" else ""
    why = telling.reason_words(handoff) if clinical else []
    return [detail for detail in (*why, way, spoken) if detail]


def _why(session: Session, rows: Sequence[Handoff]) -> dict[UUID, str]:
    """By which rules the open offers came to whoever has each, in words."""
    offered = {handoff.item_id: handoff.id for handoff in rows if handoff.state == "offered" and handoff.item_id}
    reasons = select(InboxItem.id, InboxItem.reason).where(InboxItem.id.in_(offered))
    return {
        offered[item_id]: " · ".join(assignment.reason_words(reason) for reason in given)
        for item_id, given in session.execute(reasons)
    }
