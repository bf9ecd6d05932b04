"""Routing, on-call rota and escalation policy as one decision: what holds, what may, what makes it hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging import phone
from messaging.inbox.routing import (
    alert_changes,
    assign,
    escalation_policy,
    hours,
    lost_coverage,
    policy_checks,
    policy_definition,
)
from messaging.inbox.staff import roster
from messaging.models import Clinic, Staff
from messaging.versions.field_labels import Names
from messaging.versions.problems import Problem
from messaging.versions.publishing import Definition, Kind, Refused

NAME = "rules"
# The bands of each instrument, lowest first; instruments belong to a room above.
Bands = Callable[[], Mapping[str, Sequence[str]]]


def kind(bands: Bands) -> Kind:
    """Return the kind of decision, for which `bands` says which instruments and bands there are."""

    def check_with(session: Session, clinic: Clinic, definition: Definition) -> Sequence[Problem]:
        return check(session, clinic, definition, bands())

    return Kind(
        NAME,
        read=read,
        present=present,
        check=check_with,
        silences=silences,
        take_effect=take_effect,
        names=names,
    )


def names(session: Session, clinic: Clinic, words: Names) -> Names:
    """Return the words for the fields of a policy: people by their names, hours and telephones as people write them."""
    people = {person.email: person.name for person in roster.people(session, clinic)}
    by_field: dict[tuple[str, ...], str] = {
        (field, email): words.fields[field, "*"].format(name)
        for field in ("backup", "on_call")
        for email, name in people.items()
    }
    values = dict.fromkeys(("backup.*", "fallback", "route[].people"), people)
    forms: dict[str, Callable[[Any], str]] = {
        "hours": hours.say,
        "on_call.*": hours.say,
        "call[].phone": phone.display,
    }
    return words.also(by_field, values, forms)


def read(definition: Mapping[str, Any]) -> Definition:
    """Return a policy in its full form. Raises publishing.Refused of the versions."""
    try:
        return policy_definition.read(definition).model_dump(mode="json")
    except policy_definition.BadPolicy as wrong:
        raise Refused(wrong.problems) from None


def present(session: Session, clinic: Clinic) -> Definition:
    """Return what holds at the clinic now."""
    return policy_definition.present(clinic.rules, roster.people(session, clinic)).model_dump(mode="json")


def check(
    session: Session, clinic: Clinic, definition: Definition, bands: Mapping[str, Sequence[str]] | None = None
) -> list[Problem]:
    """Return every reason why this could leave a positive answer unseen, at any minute of a week, a holiday to come, or
    an absence that is planned: of absences, what this makes a gap that was none."""
    written, people = policy_definition.read(definition), roster.people(session, clinic)
    now = clock.now()
    today = now.astimezone(ZoneInfo(clinic.zone)).date()
    problems = policy_definition.check(written, people, clinic.zone, bands, today)
    return problems + _away(session, clinic, written, people)


def _away(
    session: Session,
    clinic: Clinic,
    written: policy_definition.EscalationPolicy,
    people: Sequence[escalation_policy.Person],
) -> list[Problem]:
    before = roster.watch(session, clinic)
    rules = assign.Rules.of(policy_definition.rules_of(written, {}, clinic.zone))
    after = replace(before, people=policy_definition.with_on_call(written, people), rules=rules)
    made = lost_coverage.while_somebody_is_away(before, after, clock.now())
    if not made:
        return []
    minutes = policy_checks.listed(made, clinic.zone)
    return [Problem("on_call", f"because of absences nobody can be reached in these minutes: {minutes}")]


def silences(old: Definition, new: Definition) -> list[str]:
    """Return in words what in this change could silence an alert."""
    return alert_changes.silences(policy_definition.read(old), policy_definition.read(new))


def take_effect(session: Session, clinic: Clinic, definition: Definition, actor: str) -> None:
    """Let the clinic follow this from now on, also for what is already waiting."""
    written = policy_definition.read(definition)
    clinic.rules = policy_definition.rules_of(written, clinic.rules, clinic.zone)
    for staff in session.scalars(select(Staff).where(Staff.clinic_id == clinic.id)):
        wanted = written.on_call.get(staff.email, {}) if staff.active else {}
        if staff.on_call != wanted:
            staff.on_call = dict(wanted)
            audit.record(session, clinic.id, actor, "staff.on_call", f"staff:{staff.id}")
