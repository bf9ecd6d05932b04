"""What a clinic still has to do before patients are texted: each step's state, found out from the data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.inbox.routing import assign, escalation_policy, hours, policy_definition
from messaging.inbox.staff import roster
from messaging.models import Clinic, Message, Patient
from messaging.versions import publishing
from reminders.models import Appointment
from web import times
from web.models import StaffSession

# done: somebody has decided or done it. shipped: it works as Warmthread brings it. todo: somebody has to.
State = Literal["done", "shipped", "todo", "under_way"]
TEST_TEXT = "test_text"
REACHED = ("sent", "delivered")


@dataclass(frozen=True)
class Step:
    """One step: its name (a key of [setup]), its state, which sentence says how it stands, and what fills it."""

    name: str
    state: State
    said: str
    filled: dict[str, str]


def steps(session: Session, clinic: Clinic, staff_id: UUID) -> list[Step]:
    """Return every step in the order in which a new clinic takes them; a few small questions each."""
    people = roster.people(session, clinic)
    rules = assign.Rules.of(clinic.rules)
    version = _version(session, clinic)
    return [
        version("clinic", "todo"),
        _week(rules),
        _signed_in(session, people),
        _reached(people, clinic),
        _spoken(people, clinic),
        version("words", "shipped"),
        version("cadence", "shipped"),
        version("schedule", "shipped"),
        _imported(session, clinic),
        _test_text(session, clinic, staff_id),
    ]


def _version(session: Session, clinic: Clinic) -> Callable[[str, State], Step]:
    def step(kind: str, before: State) -> Step:
        waits = publishing.draft(session, clinic.id, kind) is not None
        in_force = publishing.live(session, clinic.id, kind)
        wording = "draft" if waits else "in_force" if in_force else before
        state: State = "todo" if waits else "done" if in_force else before
        return Step(kind, state, wording, {"number": str(in_force.number) if in_force else ""})

    return step


def _week(rules: assign.Rules) -> Step:
    opening = hours.say(rules.hours.week, twelve=times.style().twelve)
    return Step("hours", "done" if opening else "todo", "set" if opening else "always_open", {"hours": opening})


def _signed_in(session: Session, people: list[escalation_policy.Person]) -> Step:
    managers = [person for person in people if person.role in assign.OWNERS]
    ids = [person.id for person in managers]
    seen = set(session.scalars(select(StaffSession.staff_id).where(StaffSession.staff_id.in_(ids)).distinct()))
    names = [person.name for person in managers if person.id in seen]
    if names:
        return Step("signed_in", "done", "who", {"names": ", ".join(names)})
    return Step(
        "signed_in",
        "todo",
        "invited" if managers else "none",
        {"names": ", ".join(person.name for person in managers)},
    )


def _reached(people: list[escalation_policy.Person], clinic: Clinic) -> Step:
    problems = policy_definition.check(policy_definition.present(clinic.rules, people), people, clinic.zone)
    if not problems and "ladder" in clinic.rules:
        return Step("reached", "done", "every_hour", {})
    if not problems:
        return Step("reached", "todo", "not_published", {})
    return Step("reached", "todo", "hole", {"why": problems[0].message})


def _spoken(people: list[escalation_policy.Person], clinic: Clinic) -> Step:
    offered = clinic.rules.get("languages", ["en", "es"])
    spoken = {language for person in people if person.role in assign.OWNERS for language in person.languages}
    missing = [language for language in offered if language not in spoken]
    return Step(
        "languages",
        "todo" if missing else "done",
        "missing" if missing else "spoken",
        {"languages": ",".join(missing)},
    )


def _imported(session: Session, clinic: Clinic) -> Step:
    if session.scalar(select(Appointment.id).where(Appointment.clinic_id == clinic.id).limit(1)):
        return Step("imported", "done", "visits", {})
    patient_id = session.scalar(select(Patient.id).where(Patient.clinic_id == clinic.id).limit(1))
    return Step("imported", "todo", "patients" if patient_id else "none", {})


def _test_text(session: Session, clinic: Clinic, staff_id: UUID) -> Step:
    texts = select(Message.state).where(
        Message.clinic_id == clinic.id,
        Message.staff_id == staff_id,
        Message.dedupe.startswith(f"{TEST_TEXT}:", autoescape=True),
    )
    states = list(session.scalars(texts.order_by(Message.id.desc()).limit(20)))
    if any(state in REACHED for state in states):
        return Step(TEST_TEXT, "done", "arrived", {})
    if not states:
        return Step(TEST_TEXT, "todo", "none", {})
    if states[0] in ("queued", "sending", "unknown"):
        return Step(TEST_TEXT, "under_way", "under_way", {})
    return Step(TEST_TEXT, "todo", "failed", {})
