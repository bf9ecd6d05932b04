"""Last month's items, routed once more: by the rules in force and by a draft, to see what would go elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging.inbox import needs
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import assign, escalation_policy, policy_definition
from messaging.inbox.staff import roster
from messaging.models import Clinic, Patient

MONTH = timedelta(days=30)
# Whoever answered a conversation last gets its next words, before any rule is asked.
NOT_ROUTED = "answered_last"
MOST_ITEMS, MOST_SHOWN = 2000, 50


@dataclass(frozen=True)
class Moved:
    """One item that would go elsewhere: its kind and moment, from whom to whom by name ("" nobody), and why there."""

    item_id: UUID
    kind: str
    at: datetime
    was: str
    becomes: str
    why: tuple[str, ...]


@dataclass(frozen=True)
class Replayed:
    """What came of it: of `count` items `elsewhere` would go elsewhere, the newest of which are in `shown`.

    `more` says that the month had more items than were looked at.
    """

    count: int
    elsewhere: int
    shown: list[Moved]
    more: bool


def of_draft(session: Session, clinic: Clinic, draft: policy_definition.EscalationPolicy) -> Replayed:
    """Route the items of the last thirty days, the newest two thousand, by what is in force and by `draft`.

    Each is asked for as at the moment it came in, with the team as it is today: today's hours, panels and open items,
    and nobody away. Reads no summary and no word of a patient.
    """
    rows = _items(session, clinic)
    items, patients = [item for item, _ in rows], [patient for _, patient in rows]
    people = [replace(person, away=False, covered_by=None) for person in roster.people(session, clinic)]
    live = assign.Rules.of(clinic.rules)
    drafted = assign.Rules.of(policy_definition.rules_of(draft, clinic.rules, clinic.zone))
    sides = ((people, live), (policy_definition.with_on_call(draft, people), drafted))
    names = {person.id: person.name for person in people}
    shown, elsewhere = list[Moved](), 0
    for item, need in zip(items, needs.of_items(session, items, patients), strict=True):
        if NOT_ROUTED in item.reason:
            continue
        was, becomes = (_chosen(need, item.created_at, team, rules, clinic.zone) for team, rules in sides)
        if was.owner_id == becomes.owner_id:
            continue
        elsewhere += 1
        if len(shown) < MOST_SHOWN:
            was_name, name = (names.get(choice.owner_id, "") if choice.owner_id else "" for choice in (was, becomes))
            shown.append(Moved(item.id, item.kind, item.created_at, was_name, name, becomes.why))
    return Replayed(len(items), elsewhere, shown, len(items) == MOST_ITEMS)


def _items(session: Session, clinic: Clinic) -> Sequence[tuple[InboxItem, Patient | None]]:
    newest = (
        select(InboxItem, Patient)
        .outerjoin(Patient, Patient.id == InboxItem.patient_id)
        .where(InboxItem.clinic_id == clinic.id, InboxItem.created_at > clock.now() - MONTH)
        .order_by(InboxItem.created_at.desc())
        .limit(MOST_ITEMS)
    )
    return [(item, patient) for item, patient in session.execute(newest)]


def _chosen(
    need: assign.Need,
    at: datetime,
    people: Sequence[escalation_policy.Person],
    rules: assign.Rules,
    zone: str,
) -> assign.Choice:
    return assign.choose(need, escalation_policy.at(people, at, rules, zone), rules)
