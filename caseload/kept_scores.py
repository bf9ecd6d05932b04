"""The totals of a scale, sealed once beside each episode: a caseload is read without opening every form anew.

Nobody has to remember to refresh them. Beside the totals stands of which forms they were made; every reading asks the
forms that, in one query without opening any, and makes anew what differs. So a kept total is never an old one.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.orm import Session

from caseload.models import Episode
from caseload.registry import progress, totals
from caseload.registry.totals import Scored, Totals
from config import db
from config.db.sets import among
from intake_links.models import Screen
from messaging.models import Clinic

# Another version makes everything anew, at the next reading.
VERSION = 3
Scale = tuple[UUID, str]
Counted = tuple[int, datetime | None]


class Kept(Protocol):
    """What is needed of an episode: a row of `COLUMNS`, or the episode itself."""

    id: Any
    clinic_id: Any
    key_id: Any
    patient_id: Any
    scale: Any
    scores_ct: Any
    scores_of: Any
    imported_ct: Any
    enrolled_on: Any
    ended_on: Any


COLUMNS = (
    Episode.id,
    Episode.clinic_id,
    Episode.key_id,
    Episode.patient_id,
    Episode.scale,
    Episode.scores_ct,
    Episode.scores_of,
    Episode.imported_ct,
    Episode.enrolled_on,
    Episode.ended_on,
)


def of_episodes(session: Session, clinic: Clinic, of: Sequence[Kept], today: date) -> dict[UUID, Totals]:
    """Return by episode the totals of its patient on its scale as they stand today; keep what had changed since.

    The keys of `of` are loaded. A session that only reads must not ask.
    """
    fresh = refreshed(session, clinic, of, forms_of(session, {row.patient_id for row in of}))
    return {row.id: opened(row, fresh.get(row.id), today) for row in of}


def opened(row: Kept, fresh: bytes | None, today: date) -> Totals:
    """Return the totals of an episode as they stand today: those made anew, or else those kept; its key is loaded."""
    kept = fresh or Episode.scores.opened(row, Episode) or b""
    return totals.opened(kept, row.enrolled_on, row.ended_on, today)


def refreshed(
    session: Session, clinic: Clinic, of: Sequence[Kept], counted: Mapping[Scale, Counted]
) -> dict[UUID, bytes]:
    """Make anew the totals of those whose forms have changed, keep them sealed and return them by episode.

    `counted` are those of `forms_of`.
    """
    made_of = {row.id: _made_of(clinic, row, counted.get((row.patient_id, row.scale))) for row in of}
    stale = [row for row in of if row.scores_of != made_of[row.id]]
    if not stale:
        return {}
    db.load_keys(session, (row.key_id for row in stale))
    forms = of_forms(session, clinic, {row.patient_id for row in stale})
    fresh = {
        row.id: totals.written(
            row.enrolled_on, row.ended_on, with_imported(row, forms.get((row.patient_id, row.scale), []))
        )
        for row in stale
    }
    _keep(session, stale, fresh, made_of)
    return fresh


def with_imported(row: Kept, of_forms: Sequence[Scored]) -> list[Scored]:
    """Add the totals that came without a form, where no form is of that day: a form knows more."""
    answered = {each.point.on for each in of_forms}
    added = [Scored(point, self_harm=False, imported=True) for point in imported_of(row) if point.on not in answered]
    return sorted([*of_forms, *added], key=lambda each: each.point.on)


def imported_of(row: Kept) -> list[progress.Point]:
    """Return the totals of an episode that came without a form."""
    lines = json.loads(Episode.imported.opened(row, Episode) or b"[]")
    return [progress.Point(date.fromordinal(on), total) for on, total in lines]


def of_forms(
    session: Session, clinic: Clinic, patient_ids: Collection[UUID], instruments: Collection[str] = progress.SCALES
) -> dict[Scale, list[Scored]]:
    """Return by patient and scale every total, oldest first, each form opened; one with an answer missing has none."""
    rows = session.scalars(
        select(Screen)
        .where(
            among(session, Screen.patient_id, patient_ids),
            Screen.instrument.in_(instruments),
            Screen.submitted_at.is_not(None),
        )
        .order_by(Screen.submitted_at, Screen.id)
    ).all()
    db.load_keys(session, (row.key_id for row in rows))
    zone, taken = ZoneInfo(clinic.zone), defaultdict(list)
    for row in rows:
        result = json.loads(row.result or "{}")
        if result.get("total") is not None and not row.detail.get("again") and row.submitted_at is not None:
            point = progress.Point(row.submitted_at.astimezone(zone).date(), result["total"])
            taken[row.patient_id, row.instrument].append(Scored(point, bool(result["alerts"])))
    return taken


def forms_of(session: Session, patient_ids: Collection[UUID]) -> dict[Scale, Counted]:
    """Return by patient and scale how many forms there are and when the last was scored, none of them opened.

    A form that comes, goes with its record or is told anew by its EHR, which scores it again, changes a number here.
    """
    rows = db.tuples(
        session,
        select(Screen.patient_id, Screen.instrument, func.count(), func.max(Screen.scored_at))
        .where(
            among(session, Screen.patient_id, patient_ids),
            Screen.instrument.in_(progress.SCALES),
            Screen.submitted_at.is_not(None),
        )
        .group_by(Screen.patient_id, Screen.instrument),
    )
    return {(patient_id, scale): (number, at) for patient_id, scale, number, at in rows}


def _made_of(clinic: Clinic, row: Kept, counted: Counted | None) -> str:
    """Of what an episode's totals are made: its forms, its first and last day, what was imported.

    The zone decides the day of each, and the day of enrolment which is the first.
    """
    forms = f"{counted[0]} {counted[1]}" if counted else "0"
    return f"{VERSION} {clinic.zone} {row.enrolled_on} {row.ended_on or '-'} {len(row.imported_ct or b'')} {forms}"


def _keep(session: Session, stale: Sequence[Kept], fresh: Mapping[UUID, bytes], made_of: Mapping[UUID, str]) -> None:
    """Write what was read beside its episodes, by their ids in order: two readers do not lock each other."""
    rows = [
        {
            "which": row.id,
            "sealed": Episode.scores.closed(row, fresh[row.id], Episode),
            "made_of": made_of[row.id],
        }
        for row in sorted(stale, key=lambda row: row.id)
    ]
    if rows:
        table = cast(Table, Episode.__table__)
        of_one = update(table).where(table.c.id == bindparam("which"))
        # By columns: that an episode was read is no news to whoever looks at its page.
        session.connection().execute(of_one.values(scores_ct=bindparam("sealed"), scores_of=bindparam("made_of")), rows)
