"""Does what a feed says of a visit: unless something newer is known of it, or another EHR owns the visit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from interchange import feeds, identity, moments, owning
from interchange.models import Feed, FeedVisit
from interchange.problems import Problems
from interchange.profiles import Profile
from messaging.models import Clinic, Patient
from reminders import appointments, attendance, clinic_profile, patient_locks, planner
from reminders.models import Appointment

LONGEST_KEY = 80
BOOKS = ("visit.book", "visit.move", "visit.change")
# Whether by this act its visit has ended; a change leaves that as it was, and by all others it has not.
ENDS = {"visit.cancel": True, "visit.no_show": True, "visit.change": None}
Act = Mapping[str, Any]


class Held(Exception):
    """An act waits for a person: the message is the code of a problem."""


@dataclass(frozen=True)
class Context:
    """What an act is done with: whose word it is, at which clinic, since when it is so, and which message says it."""

    session: Session
    clinic: Clinic
    feed: Feed
    profile: Profile
    said_at: datetime
    message_id: UUID | None = None

    @property
    def source(self) -> str:
        """Return under which name the feed's visits are known."""
        return self.feed.source

    @property
    def register(self) -> identity.Register:
        """Return the clinic's patients as the feed knows them."""
        return identity.Register(self.session, self.clinic, self.feed, self.actor)

    @property
    def actor(self) -> str:
        """Return who acts, for the audit log."""
        return audit.Actor.system(self.source)


def do(name: str, act: Act, context: Context, problems: Problems) -> bool:
    """Do what happened to a visit; whether it changed anything. Of two moments alike the later to come counts.

    Raises Held or identity.Unclear where it waits for a person.
    """
    said_at = moments.since(act.get("as_of"), context.said_at)
    key, start = str(act["key"]), moments.parsed(act["start"]) if act["start"] else None
    entry, is_newest = _entry(key, said_at, context)
    if is_newest and name in BOOKS:
        entry.message_id = context.message_id
    if start or ENDS.get(name):
        entry.claims = owning.with_claim(entry.claims, said_at, start, ended=ENDS.get(name, False))
    visit = _known(context, key)
    if not is_newest:
        is_newest, start = _settles(name, said_at, entry, visit), owning.newest_start(entry.claims)
    if is_newest and name in BOOKS and not ((start or visit) and (act["patient"] or visit)):
        raise Held("visit_incomplete")
    patient = _whose(name, act, visit, context, is_newest=is_newest)
    entry.patient_id = patient.id if patient else entry.patient_id
    context.session.flush()
    owner, copies = _others(entry, context)
    if owner is not None:
        problems.note("visit_of_another_feed")
        return _yielded([visit] if visit else [], context)
    if not is_newest or (name == "visit.change" and _has_ended(entry, visit)):
        problems.note("visit_ended" if is_newest else "visit_older")
        return _yielded(copies, context) and is_newest
    if visit is None and copies:
        visit = copies.pop(0)
        visit.source, visit.external_id = context.source, external_id(key)
        _as_the_owner_has_it(visit, act, start, context)
    _yielded(copies, context)
    if name in BOOKS and patient:
        return _book(act, start, visit, patient, context)
    return _ended(name, visit, context, problems)


def _settles(name: str, said_at: datetime, entry: FeedVisit, visit: Appointment | None) -> bool:
    """Whether what comes late counts all the same: only changes are newer, which neither begin nor end a visit, and the
    visit does not stand as it says."""
    if name == "visit.change" or owning.settled(entry.claims)[0] != said_at:
        return False
    if ENDS.get(name):
        return visit is not None and visit.state != "arrived"
    return visit is None or visit.state in planner.NEVER_CAME


def _has_ended(entry: FeedVisit, visit: Appointment | None) -> bool:
    return owning.settled(entry.claims)[1] or (visit is not None and visit.state in planner.NEVER_CAME)


def _ended(name: str, visit: Appointment | None, context: Context, problems: Problems) -> bool:
    if visit is None:
        problems.note("visit_unknown")
        return False
    if name == "visit.cancel":
        return appointments.cancel_many(context.session, [visit], context.actor) > 0
    if name == "visit.no_show":
        if visit.state == "arrived":
            raise Held("arrived_already")
        attendance.no_show(context.session, visit, context.actor)
    else:
        appointments.arrive(context.session, visit, context.actor)
    return True


def _entry(key: str, said_at: datetime, context: Context) -> tuple[FeedVisit, bool]:
    """The feed's entry of a visit, and whether nothing newer is known of it."""
    ours = select(FeedVisit).where(FeedVisit.feed_id == context.feed.id, FeedVisit.visit == feeds.digest(key))
    known = context.session.scalar(ours.with_for_update())
    if known is None:
        facts = {"clinic_id": context.clinic.id, "feed_id": context.feed.id, "visit": feeds.digest(key)}
        entry = FeedVisit(**facts, external_id=external_id(key), said_at=said_at, claims=[])
        context.session.add(entry)
        context.session.flush()
        return entry, True
    known.external_id = external_id(key)
    if said_at < known.said_at:
        return known, False
    known.said_at = said_at
    return known, True


def _whose(name: str, act: Act, visit: Appointment | None, context: Context, *, is_newest: bool) -> Patient | None:
    """The patient of a visit, None where nobody is known. Whoever a booking names is added, also where it comes late;
    that somebody else may be meant holds up only what would be done now."""
    try:
        if name in BOOKS and (act["patient"] or visit):
            return _patient(act, visit, context)
        return context.register.known(act["patient"], act.get("person"))
    except identity.Unclear:
        if is_newest and name in BOOKS:
            raise
        return None


def _others(entry: FeedVisit, context: Context) -> tuple[FeedVisit | None, list[Appointment]]:
    """Which entry of another feed owns this visit, None where this one does; and the visits that are copies of it."""
    if entry.patient_id is None:
        return None, []
    session = context.session
    patient_locks.take(session, [entry.patient_id])
    merged = select(Patient.id).where(Patient.merged_into == entry.patient_id)
    rows = session.execute(
        select(FeedVisit, Feed)
        .join(Feed, Feed.id == FeedVisit.feed_id)
        .where(FeedVisit.feed_id != entry.feed_id, FeedVisit.clinic_id == entry.clinic_id)
        .where(or_(FeedVisit.patient_id == entry.patient_id, FeedVisit.patient_id.in_(merged)))
    ).all()
    own_rank = owning.rank(context.feed.profile, context.feed.id)
    alike = [(owning.rank(feed.profile, feed.id), other, feed) for other, feed in rows]
    alike = [each for each in alike if owning.is_one(entry.claims, each[1].claims)]
    above = [other for rank, other, _ in alike if rank < own_rank]
    below = [(feed.source, other.external_id) for rank, other, feed in alike if rank > own_rank]
    found = [_appointment(context, source, number) for source, number in below]
    return next(iter(above), None), [visit for visit in found if visit is not None]


def _yielded(visits: Sequence[Appointment], context: Context) -> bool:
    """Nothing more is texted about copies of a visit that another entry stands for."""
    return appointments.cancel_many(context.session, visits, context.actor, why="another_feed") > 0


def _as_the_owner_has_it(visit: Appointment, act: Act, start: datetime | None, context: Context) -> None:
    """Give a copy the owner's minute and place under the revision that it has: what was texted of it counts for it, and
    an answer to that text as well. What is planned stays where it is: planned anew, a reminder that would by now have
    been due some minutes ago would be none any more."""
    if start is None or not owning.begin_alike(visit.starts_at, start):
        return
    visit.starts_at, visit.place = start, _said(act, "place", 120) or visit.place
    visit.zone = _zone(visit.place, context)


def _zone(place: str | None, context: Context) -> str:
    return str(context.feed.profile.get("zone") or clinic_profile.zone_of(context.clinic, place))


def external_id(key: str) -> str:
    """Return a visit's key as an appointment keeps it."""
    return key if len(key) <= LONGEST_KEY and key.isprintable() else feeds.digest(key)


def _known(context: Context, key: str) -> Appointment | None:
    return _appointment(context, context.source, external_id(key))


def _appointment(context: Context, source: str, number: str) -> Appointment | None:
    ours = select(Appointment).where(
        Appointment.clinic_id == context.clinic.id,
        Appointment.source == source,
        Appointment.external_id == number,
    )
    return context.session.scalar(ours)


def _book(act: Act, start: datetime | None, visit: Appointment | None, patient: Patient, context: Context) -> bool:
    """Save the visit as the books would have it; a change leaves what it does not name as it was."""
    starts_at = start or (visit.starts_at if visit else None)
    if starts_at is None:
        raise Held("visit_incomplete")
    session, clinic = context.session, context.clinic
    place = _said(act, "place", 120) or (visit.place if visit else None)
    record = appointments.VisitRecord(
        external_id=external_id(str(act["key"])),
        record=patient.record or "",
        starts_at=starts_at,
        zone=_zone(place, context),
        booked_at=min(moments.parsed(act["booked"]) if act.get("booked") else context.said_at, clock.now()),
        place=place,
        clinician=_said(act, "clinician", 120) or (visit.clinician if visit else None),
        kind=_said(act, "kind", 40) or (visit.kind if visit else None),
        state="booked",
    )
    saved = appointments.save(session, clinic, patient, record, source=context.source, actor=context.actor)
    return saved[1] != "unchanged"


def _patient(act: Act, visit: Appointment | None, context: Context) -> Patient:
    if act["patient"] or visit is None:
        return context.register.added(act["patient"], act.get("person"), act.get("identifiers", []))
    patient = context.session.get_one(Patient, visit.patient_id)
    db.load_keys(context.session, [patient.key_id])
    return patient


def _said(act: Act, name: str, longest: int) -> str | None:
    """A word of the feed's, as far as it can be shown."""
    words = "".join(letter for letter in str(act.get(name, "")) if letter.isprintable())
    return words[:longest].strip() or None
