"""Who works at the clinic and when, who stands in for whom, and which coverage gaps that leaves: only read here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import clock
from messaging.inbox.models import Absence, InboxItem
from messaging.inbox.routing import assign, clinic_rules, coverage_gaps, escalation_policy
from messaging.models import Clinic, Staff


def administrator(session: Session, clinic: Clinic) -> UUID | None:
    """Return the clinic's administrator of longest standing, who hears of what is wrong with the service itself."""
    admins = select(Staff.id).where(Staff.clinic_id == clinic.id, Staff.active, Staff.role == "clinic_admin")
    return session.scalar(admins.order_by(Staff.created_at, Staff.id).limit(1))


def people(session: Session, clinic: Clinic) -> list[escalation_policy.Person]:
    """Return the clinic's active people with the hours of their week, three queries in all."""
    held = (
        select(InboxItem.owner_id, func.count())
        .where(InboxItem.clinic_id == clinic.id, InboxItem.state.in_(("open", "claimed")))
        .group_by(InboxItem.owner_id)
    )
    load = dict(session.execute(held).all())
    covers = {absence.staff_id: absence.cover_id for absence in away(session, clinic.id, clock.now())}
    active = select(Staff).where(Staff.clinic_id == clinic.id, Staff.active).order_by(Staff.name)
    # As they are now, also where this session has seen them before it had to wait for somebody else's change.
    active = active.execution_options(populate_existing=True)
    return [_person(staff, load.get(staff.id, 0), covers) for staff in session.scalars(active)]


def _person(staff: Staff, load: int, covers: Mapping[UUID, UUID | None]) -> escalation_policy.Person:
    return escalation_policy.Person(
        id=staff.id,
        email=staff.email,
        name=staff.name,
        role=staff.role,
        languages=tuple(staff.languages),
        panels=tuple(staff.panels),
        hours=staff.hours,
        on_call=staff.on_call,
        phone=staff.number_ct is not None and staff.phone_fault is None,
        signs_in=staff.signs_in,
        open_items=load,
        away=staff.id in covers,
        covered_by=covers.get(staff.id),
    )


def member(session: Session, clinic: Clinic, staff: Staff) -> assign.Member:
    """Return one colleague as routing sees them at this moment; their load is not counted."""
    now = clock.now()
    covers = {absence.staff_id: absence.cover_id for absence in away(session, clinic.id, now)}
    rules = assign.Rules.of(clinic.rules)
    return escalation_policy.at([_person(staff, 0, covers)], now, rules, clinic.zone)[0]


def team(session: Session, clinic: Clinic) -> list[assign.Member]:
    """Return the clinic's active people as routing sees them at this moment."""
    return escalation_policy.at(people(session, clinic), clock.now(), assign.Rules.of(clinic.rules), clinic.zone)


def away(session: Session, clinic_id: UUID, now: datetime) -> Sequence[Absence]:
    """Return the absences that hold at this moment, whether or not their items have moved yet."""
    return session.scalars(
        select(Absence)
        .where(
            Absence.clinic_id == clinic_id,
            Absence.ended_at.is_(None),
            Absence.starts_at <= now,
            Absence.ends_at > now,
        )
        .order_by(Absence.starts_at)
    ).all()


def covering(session: Session, staff_id: UUID, now: datetime) -> Staff | None:
    """Return who works in the place of somebody away now, by the whole chain; None if they are here, or nobody."""
    staff = session.get(Staff, staff_id)
    if staff is None:
        return None
    covers = {absence.staff_id: absence.cover_id for absence in away(session, staff.clinic_id, now)}
    if staff_id not in covers:
        return None
    cover_id = _end_of_chain(covers, staff_id)
    cover = session.get(Staff, cover_id) if cover_id else None
    return cover if cover is not None and cover.active and cover.role in clinic_rules.ACTING else None


def _end_of_chain(covers: dict[UUID, UUID | None], staff_id: UUID) -> UUID | None:
    seen, present = set[UUID](), staff_id
    while present in covers:
        following = covers[present]
        if following is None or present in seen:
            return None
        seen.add(present)
        present = following
    return present


def absences(session: Session, clinic_id: UUID) -> list[coverage_gaps.Away]:
    """Return every absence that holds or is planned."""
    coming = select(Absence).where(
        Absence.clinic_id == clinic_id, Absence.ended_at.is_(None), Absence.ends_at > clock.now()
    )
    return [
        coverage_gaps.Away(absence.staff_id, absence.cover_id, absence.starts_at, absence.ends_at)
        for absence in session.scalars(coming.order_by(Absence.starts_at))
    ]


def watch(session: Session, clinic: Clinic) -> coverage_gaps.Watch:
    """Return all that decides who can be reached at this clinic and when."""
    rules = assign.Rules.of(clinic.rules)
    return coverage_gaps.Watch(people(session, clinic), rules, absences(session, clinic.id), clinic.zone)


def coming_gaps(session: Session, clinic: Clinic) -> list[coverage_gaps.Gap]:
    """Return every gap of any week, of the holidays to come and of planned absences."""
    return coverage_gaps.every(watch(session, clinic), clock.now())
