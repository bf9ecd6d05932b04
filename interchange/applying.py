"""Does what a feed's message says, with the verbs of every other way in: one planner, one audit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db
from interchange import feeds, identity
from interchange.fhir import reading as resources
from interchange.hl7 import er7, reading
from interchange.models import Feed, FeedMessage, FeedVisit
from interchange.problems import Problem, Problems, heaviest
from interchange.profiles import Profile
from messaging.models import Clinic, Patient
from reminders import appointments, attendance, clinic_profile, withdrawing
from reminders.models import Appointment

LONGEST_KEY = 80
# What only the door can know, of the bytes and of what came before.
OF_THE_DOOR = ("control_id_again", "charset_unknown", "charset_contradicted", "batch_count")
BOOKS = ("visit.book", "visit.move", "visit.change")
Act = Mapping[str, Any]


@dataclass(frozen=True)
class Context:
    """What an act is done with: whose word it is, at which clinic, and since when it is so."""

    session: Session
    clinic: Clinic
    feed: Feed
    profile: Profile
    said_at: datetime

    @property
    def source(self) -> str:
        """Return under which name the feed's visits are known."""
        return f"ehr.{self.feed.name}"

    @property
    def register(self) -> identity.Register:
        """Return the clinic's patients as the feed knows them."""
        return identity.Register(self.session, self.clinic, self.feed, self.actor)

    @property
    def actor(self) -> str:
        """Return who acts, for the audit log."""
        return audit.Actor.system(self.source)


class Held(Exception):
    """An act waits for a person: the message is the code of a problem."""


def work(session: Session, row: FeedMessage) -> None:
    """Read a message as its feed is read now, do what it says, and move it to the state that came of it."""
    feed, clinic = session.get_one(Feed, row.feed_id), session.get_one(Clinic, row.clinic_id)
    if feed.paused_at is not None:
        row.state = "paused"
        return
    profile = feeds.profile_of(feed.profile, clinic.zone)
    told, problems = read(row.raw or "", profile)
    acts = [_with_person(act, told) for act in told]
    context = Context(session, clinic, feed, profile, row.said_at)
    outcomes = [_do(act, context, problems) for act in acts if not act.get("held")]
    row.problems = feeds.stored(problems) + [problem for problem in row.problems if problem["code"] in OF_THE_DOOR]
    row.state = _state(acts, outcomes, heaviest(problems))
    row.processed_at = clock.now()
    if row.state in ("held", "refused"):
        feeds.tell(session, clinic, feed)
    audit.record(session, clinic.id, context.actor, f"feed.{row.state}", f"feed_message:{row.id}", kind=row.kind)


def _with_person(act: Act, acts: Sequence[Act]) -> Act:
    """A death with what the same message says of the person: by a number alone somebody else may be meant."""
    beside = (other["person"] for other in acts if other.get("patient") == act.get("patient") and other.get("person"))
    return act if act["act"] != "patient.deceased" else {**act, "person": next(beside, None)}


def read(raw: str, profile: Profile) -> tuple[list[dict[str, Any]], Problems]:
    """Return the acts and problems of a message or resource."""
    if raw.lstrip().startswith("{"):
        told = resources.read(json.loads(raw), profile)
        return told.acts, told.problems
    try:
        (message,) = er7.read(raw).messages
    except er7.Unreadable as unreadable:
        return [], Problems([Problem(str(unreadable), "MSH")])
    heard = reading.read(message, profile)
    return heard.acts, heard.problems


def _state(acts: Sequence[Act], outcomes: Sequence[bool], weight: str | None) -> str:
    if weight in feeds.REFUSED and not acts:
        return "refused"
    if weight not in (None, "warning"):
        return "held"
    return "done" if any(outcomes) else "ignored"


def _do(act: Act, context: Context, problems: Problems) -> bool:
    """Do one act; whether it changed anything. What waits for a person is told, and undone is nothing."""
    name = str(act["act"])
    try:
        if name.startswith("visit."):
            return _visit(name, act, context, problems)
        return _person(name, act, context)
    except (Held, identity.Unclear) as waits:
        problems.note(str(waits))
        return False


def _person(name: str, act: Act, context: Context) -> bool:
    if name == "ignore":
        return False
    if name == "score":
        raise Held("score_not_taken")
    if name == "patient.merge":
        # There is no way back from a merge, so that a person does it.
        if context.register.known(act["merged"], None) is not None:
            raise Held("merge_by_hand")
        return False
    patient = context.register.known(act["patient"], act.get("person"))
    if patient is None:
        return False
    if name == "patient.deceased":
        return withdrawing.set_state(context.session, context.clinic, patient, "deceased", actor=context.actor)
    return context.register.follow(patient, act["person"], act["identifiers"])


def _visit(name: str, act: Act, context: Context, problems: Problems) -> bool:
    """Do what happened to a visit, unless something newer is known of it; of two moments alike the later to come."""
    said_at = _instant(act["as_of"]) if act.get("as_of") else context.said_at
    if not _is_newest(str(act["key"]), said_at, context):
        problems.note("visit_older")
        return False
    visit = _known(context, str(act["key"]))
    if name in BOOKS:
        return _book(name, act, visit, context)
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


def _is_newest(key: str, said_at: datetime, context: Context) -> bool:
    ours = select(FeedVisit).where(FeedVisit.feed_id == context.feed.id, FeedVisit.visit == feeds.digest(key))
    known = context.session.scalar(ours.with_for_update())
    if known is None:
        visit = FeedVisit(
            clinic_id=context.clinic.id, feed_id=context.feed.id, visit=feeds.digest(key), said_at=said_at
        )
        context.session.add(visit)
        context.session.flush()
        return True
    if said_at < known.said_at:
        return False
    known.said_at = said_at
    return True


def _external_id(key: str) -> str:
    return key if len(key) <= LONGEST_KEY and key.isprintable() else feeds.digest(key)


def _known(context: Context, key: str) -> Appointment | None:
    ours = select(Appointment).where(
        Appointment.clinic_id == context.clinic.id,
        Appointment.source == context.source,
        Appointment.external_id == _external_id(key),
    )
    return context.session.scalar(ours)


def _book(name: str, act: Act, visit: Appointment | None, context: Context) -> bool:
    """Save the visit as the books would have it; a change leaves what it does not name as it was."""
    starts_at = _instant(act["start"]) if act["start"] else visit.starts_at if visit else None
    if starts_at is None or not (act["patient"] or visit):
        raise Held("visit_incomplete")
    session, clinic = context.session, context.clinic
    patient = _patient(act, visit, context)
    place = _said(act, "place", 120) or (visit.place if visit else None)
    record = appointments.VisitRecord(
        external_id=_external_id(str(act["key"])),
        record=patient.record or "",
        starts_at=starts_at,
        zone=context.feed.profile.get("zone") or clinic_profile.zone_of(clinic, place),
        booked_at=min(context.said_at, clock.now()),
        place=place,
        clinician=_said(act, "clinician", 120) or (visit.clinician if visit else None),
        kind=_said(act, "kind", 40) or (visit.kind if visit else None),
        state="cancelled" if visit and visit.state == "cancelled" and name == "visit.change" else "booked",
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


def _instant(written: Any) -> datetime:
    return datetime.strptime(str(written), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
