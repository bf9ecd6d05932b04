"""Does what a feed's message says, with the verbs of every other way in: one planner, one audit."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from config import audit, clock, strict_json
from interchange import emergencies, feeds, filing, identity, labels, stays, visits
from interchange.fhir import reading as resources
from interchange.hl7 import er7, reading
from interchange.models import Feed, FeedMessage
from interchange.problems import Problem, Problems, heaviest
from interchange.profiles import Profile
from interchange.visits import Act, Context, Held
from messaging.ehr_outbox import part_two
from messaging.models import Clinic
from reminders import withdrawing

# What only the door can know, of the bytes and of what came before.
OF_THE_DOOR = (
    "control_id_again", "charset_unknown", "charset_contradicted", "batch_count", "visit_vanished", "told_by_id",
)  # fmt: skip


def work(session: Session, row: FeedMessage) -> None:
    """Read a message as its feed is read now, do what it says, and move it to the state that came of it."""
    feed, clinic = session.get_one(Feed, row.feed_id), session.get_one(Clinic, row.clinic_id)
    if feed.paused_at is not None:
        row.state = "paused"
        return
    profile = feeds.profile_of(feed.profile, clinic.zone)
    told, problems = read(row.raw or "", profile)
    _leave_out_births_to_come(told, problems)
    acts = [_with_person(act, told) for act in told]
    context = Context(session, clinic, feed, profile, row.said_at, row.id)
    others = [act for act in acts if not (act.get("held") or str(act["act"]).startswith("score"))]
    outcomes = [_do(act, context, problems) for act in others] + filing.do(acts, context, row, problems)
    before = [problem for problem in row.problems if problem["code"] in OF_THE_DOOR]
    row.problems = feeds.stored(problems) + before
    weighed = [*problems, *(Problem(problem["code"], problem["where"]) for problem in before)]
    row.state = _state(acts, outcomes, heaviest(weighed))
    row.processed_at = clock.now()
    if row.state in ("held", "refused"):
        feeds.tell(session, clinic, feed)
    audit.record(session, clinic.id, context.actor, f"feed.{row.state}", f"feed_message:{row.id}", kind=row.kind)


def _leave_out_births_to_come(acts: Sequence[Act], problems: Problems) -> None:
    # Reading knows no clock. A day more than today: it may already be tomorrow where the clinic is.
    latest = (clock.now() + timedelta(days=1)).date().isoformat()
    for person in (act.get("person") or {} for act in acts):
        if (person.get("birth_date") or "") > latest:
            problems.note("birth_date_unreadable")
            del person["birth_date"]


def _with_person(act: Act, acts: Sequence[Act]) -> Act:
    """A death with what the same message says of the person: by a number alone somebody else may be meant."""
    beside = (other["person"] for other in acts if other.get("patient") == act.get("patient") and other.get("person"))
    return act if act["act"] != "patient.deceased" else {**act, "person": next(beside, None)}


def read(raw: str, profile: Profile) -> tuple[list[dict[str, Any]], Problems]:
    """Return the acts and problems of a message or resource."""
    if raw.lstrip().startswith("{"):
        try:
            told = resources.read(strict_json.loaded(raw), profile)
        except ValueError:
            return [], Problems([Problem("resource_malformed", "/")])
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
        if name == labels.PART_TWO:
            return _labelled(act, context)
        if name.startswith("visit."):
            return visits.do(name, act, context, problems)
        if name.startswith("emergency."):
            return emergencies.do(name, act, context)
        if name.startswith("inpatient."):
            return stays.do(name, act, context)
        return _person(name, act, context)
    except (Held, identity.Unclear) as waits:
        problems.note(str(waits))
        return False


def _labelled(act: Act, context: Context) -> bool:
    """Keep that a patient's records fall under 42 CFR Part 2; that it is said no more takes nothing back."""
    patient = context.register.known(act["patient"], act.get("person"))
    if patient is None:
        return False
    about = part_two.about("patient", patient.id)
    return part_two.label(context.session, context.clinic.id, about, context.actor, on=True)


def _merged(act: Act, context: Context) -> bool:
    """Two people made one get each other's texts: whether they are one a person says. Once they have, nothing is left
    to do."""
    goes = context.register.known(act["merged"], None)
    if goes is None:
        return False
    stays = context.register.known(act["patient"], act.get("person"))
    if stays is None:
        raise Held("merge_to_nobody")
    if stays.id != goes.id:
        raise Held("merge_by_hand")
    return False


def _person(name: str, act: Act, context: Context) -> bool:
    if name == "ignore":
        return False
    if name == "patient.merge":
        return _merged(act, context)
    patient = context.register.known(act["patient"], act.get("person"))
    if patient is None:
        return False
    if name == "patient.deceased":
        return withdrawing.set_state(context.session, context.clinic, patient, "deceased", actor=context.actor)
    return context.register.follow(patient, act["person"], act["identifiers"])
