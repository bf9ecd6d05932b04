"""Stays in a hospital as feeds tell them: nothing is planned or texted of them, and no care minutes count within."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from config.db.sets import among
from messaging.models import Patient
from reminders.models import InpatientStay

# What is told of a stay, each with since when the newest of it is so.
EDGES = {"admitted_at": "admitted_since", "discharged_at": "discharged_since"}
EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """What is told of one stay: by whom under which id, since when it is so, whether the stay is taken back, and its
    edges (keys of EDGES) as far as they are told; a discharge of None is one taken back."""

    source: str
    external_id: str
    said_at: datetime
    edges: Mapping[str, datetime | None] = field(default_factory=dict)
    cancelled: bool = False


def keep(session: Session, patient: Patient, told: Told) -> bool:
    """Keep what is told of a stay, once; False where nothing changes.

    Of each edge, and of whether there was a stay at all, the newest that was told counts, in whichever order it comes;
    of two moments alike the later to come.
    """
    own = select(InpatientStay).where(
        InpatientStay.clinic_id == patient.clinic_id,
        InpatientStay.source == told.source,
        InpatientStay.external_id == told.external_id,
    )
    row = session.scalar(own.with_for_update())
    before = _facts(row) if row else None
    if row is None:
        named = {"source": told.source, "external_id": told.external_id, "state_since": told.said_at}
        row = InpatientStay(clinic_id=patient.clinic_id, patient_id=patient.id, **named)
        session.add(row)
    if told.said_at >= row.state_since:
        row.patient_id, row.state_since = patient.id, told.said_at
        row.state = "cancelled" if told.cancelled else "kept"
    for edge, at in told.edges.items():
        since = getattr(row, EDGES[edge])
        if since is None or told.said_at >= since:
            setattr(row, edge, at)
            setattr(row, EDGES[edge], told.said_at)
    session.flush()
    return _facts(row) != before


def _facts(row: InpatientStay) -> tuple[object, ...]:
    return row.patient_id, row.state, row.admitted_at, row.discharged_at


def span(stay: InpatientStay) -> tuple[datetime, datetime]:
    """Return from when to when a stay whose admission is told lasted, open ones for ever. A discharge before the
    admission is of a stay before, under the same number."""
    assert stay.admitted_at is not None
    left = stay.discharged_at
    return stay.admitted_at, left if left is not None and left >= stay.admitted_at else EVER


def within(
    session: Session, patient_ids: Collection[UUID], begins: datetime, ends: datetime
) -> dict[UUID, list[InpatientStay]]:
    """Return by patient their stays that share time with the stretch from `begins` to `ends`, in their order."""
    rows = select(InpatientStay).where(
        among(session, InpatientStay.patient_id, patient_ids),
        InpatientStay.state == "kept",
        InpatientStay.admitted_at < ends,
        or_(
            InpatientStay.discharged_at.is_(None),
            InpatientStay.discharged_at > begins,
            InpatientStay.discharged_at < InpatientStay.admitted_at,
        ),
    )
    stays: dict[UUID, list[InpatientStay]] = {}
    for stay in session.scalars(rows.order_by(InpatientStay.admitted_at, InpatientStay.id)):
        stays.setdefault(stay.patient_id, []).append(stay)
    return stays
