"""Who may belong into Collaborative Care and is in no episode: proposed by rule, enrolled only by a person.

Three things propose somebody: a positive screen beside a visit, a warm handoff in which they met the care team, and a
referral to a colleague. What lies before the end of an episode proposes nobody again.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from caseload.models import Episode
from config import clock, db, keys
from config.db.sets import among
from intake_links.models import Screen
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient
from reminders.models import Appointment, Handoff

Why = Literal["screen", "met", "referral"]
# Own choice: for so long somebody is proposed; a visit belongs to a screen of the month after it, or comes later.
RECENT, BESIDE = timedelta(days=60), timedelta(days=30)
# Of what was in a questionnaire a person was told by an item; how a medicine is taken is no screen.
TOLD, NO_SCREEN = ("safety", "screen"), "adherence"


@dataclass(frozen=True)
class Proposal:
    """A patient, their key loaded, and what proposes them with when (UTC) it was, the latest first."""

    patient: Patient
    whys: tuple[tuple[Why, datetime], ...]


def of_clinic(session: Session, clinic: Clinic) -> list[Proposal]:
    """Return who is proposed, the latest first."""
    since = clock.now() - RECENT
    found = defaultdict[UUID, dict[Why, datetime]](dict)
    for patient_id, why, at in (*_screens(session, clinic, since), *_handoffs(session, clinic, since)):
        found[patient_id][why] = max(at, found[patient_id].get(why, at))
    ended = _ended(session, found)
    people = select(Patient).where(
        among(session, Patient.id, list(found)), Patient.state == "active", Patient.merged_into.is_(None)
    )
    proposals = []
    for patient in session.scalars(people):
        whys = {why: at for why, at in found[patient.id].items() if at > ended.get(patient.id, since)}
        if whys:
            latest_first = sorted(whys.items(), key=lambda each: each[1], reverse=True)
            proposals.append(Proposal(patient, tuple(latest_first)))
    db.load_keys(session, (each.patient.key_id for each in proposals))
    return sorted(proposals, key=lambda each: (each.whys[0][1], each.patient.id), reverse=True)


def _ended(session: Session, patient_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Return by patient when their last episode ended, for whoever is in one now."""
    rows = select(Episode.patient_id, Episode.phase, Episode.phase_at).where(
        among(session, Episode.patient_id, list(patient_ids))
    )
    ended: dict[UUID, datetime] = {}
    for patient_id, phase, at in session.execute(rows):
        until = at if phase == "discharged" else clock.now()
        ended[patient_id] = max(until, ended.get(patient_id, until))
    return ended


def _screens(session: Session, clinic: Clinic, since: datetime) -> list[tuple[UUID, Why, datetime]]:
    """Positive screens beside a visit: only those are opened of which a person was told."""
    told = select(InboxItem.about).where(
        InboxItem.clinic_id == clinic.id, InboxItem.kind.in_(TOLD), InboxItem.created_at > since
    )
    ids = [UUID(about.removeprefix("screen:")) for about in session.scalars(told) if about.startswith("screen:")]
    screens = session.scalars(
        select(Screen).where(
            among(session, Screen.id, ids), Screen.submitted_at > since, Screen.instrument != NO_SCREEN
        )
    ).all()
    visits = _visits(session, {screen.patient_id for screen in screens}, since - BESIDE)
    db.load_keys(session, (screen.key_id for screen in screens))
    return [
        (screen.patient_id, "screen", screen.submitted_at)
        for screen in screens
        if screen.submitted_at is not None
        and any(visit > screen.submitted_at - BESIDE for visit in visits.get(screen.patient_id, ()))
        and _is_positive(screen)
    ]


def _is_positive(screen: Screen) -> bool:
    with suppress(keys.WrongKey):
        return bool(json.loads(screen.result or "{}").get("positive"))
    return False


def _visits(session: Session, patient_ids: Collection[UUID], since: datetime) -> Mapping[UUID, list[datetime]]:
    rows = select(Appointment.patient_id, Appointment.starts_at).where(
        among(session, Appointment.patient_id, list(patient_ids)),
        Appointment.state != "cancelled",
        Appointment.starts_at > since,
    )
    visits = defaultdict[UUID, list[datetime]](list)
    for patient_id, at in session.execute(rows):
        visits[patient_id].append(at)
    return visits


def _handoffs(session: Session, clinic: Clinic, since: datetime) -> list[tuple[UUID, Why, datetime]]:
    rows = session.execute(
        select(Handoff.patient_id, Handoff.met_at, Handoff.requested_at).where(
            Handoff.clinic_id == clinic.id,
            or_(Handoff.met_at > since, (Handoff.requested_at > since) & (Handoff.modality == "later")),
            func.coalesce(Handoff.outcome, "") != "cancelled",
        )
    )
    return [(patient_id, "met" if met_at else "referral", met_at or asked_at) for patient_id, met_at, asked_at in rows]
