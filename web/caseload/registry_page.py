"""The registry: everybody in care on one page, what is due for whom, sorted, filtered, printed and as CSV."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Response, request
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from caseload import episodes, listing
from caseload.models import Episode
from caseload.registry import due
from config import audit, db
from messaging.models import Clinic, Staff
from reminders import care_model
from reminders.imports import csv_files
from web import ids, layout, permissions, sessions, team, words
from web.presenters import care_view

registry = layout.room("registry", __name__)
SORTS = ("due", "weeks", "last", "change", "contact", "review", "minutes", "name")
PHASES = ("active", "relapse_prevention", "discharged")


@dataclass(frozen=True)
class Wanted:
    """What the reader wants to see: whose, in which phase (empty: all that are open), for which reason, by what."""

    manager: str
    clinician: str
    phase: str
    reason: str
    sort: str

    @classmethod
    def of_request(cls, staff: Staff) -> "Wanted":
        """Read the address; a care manager begins with their own, everybody else with all."""
        asked = request.args
        mine = str(staff.id) if staff.role == "care_manager" else "all"
        phase, reason, sort = asked.get("phase", ""), asked.get("reason", ""), asked.get("sort", "due")
        return cls(
            manager=asked.get("manager", mine),
            clinician=asked.get("clinician", ""),
            phase=phase if phase in PHASES else "",
            reason=reason if reason in due.KEYS else "",
            sort=sort if sort in SORTS else "due",
        )

    def args(self, **changed: str) -> dict[str, str]:
        """Return the address of the same list with something changed."""
        return {name: value for name, value in {**vars(self), **changed}.items() if value}

    def where(self) -> list[ColumnElement[bool]]:
        """Return the conditions on episodes."""
        manager, clinician = ids.uuid_of(self.manager), ids.uuid_of(self.clinician)
        return [
            Episode.phase == self.phase if self.phase else listing.OPEN,
            *([Episode.manager_id == manager] if manager else []),
            *([Episode.practitioner_id == clinician] if clinician else []),
        ]


@registry.get("/caseload")
@permissions.signed_in("caseload.read")
def show() -> str:
    """Show the registry; that it was read is written down."""
    clinic, wanted = sessions.clinic(), Wanted.of_request(layout.the_staff())
    with db.unit_of_work(clinic.id) as session:
        people = team.everyone(session, clinic.id)
        every, counts = _read(session, clinic, wanted, people, "page")
        return layout.page(
            session,
            "staff/caseload.html",
            here="caseload",
            model=care_model.of_clinic(clinic),
            wanted=wanted,
            rows=every,
            counts=[(key, words.say("care_reasons", key), counts[key]) for key in due.KEYS if counts[key]],
            managers=_of_role(people, episodes.MANAGERS),
            clinicians=_of_role(people, ("clinician",)),
            phases=[(phase, words.say("care_phases", phase)) for phase in PHASES],
            asking=counts.total(),
        )


@registry.get("/caseload.csv")
@permissions.signed_in("caseload.read", fresh=True)
def sheet() -> Response:
    """Return the same rows as CSV; that they were taken is written down."""
    clinic, wanted = sessions.clinic(), Wanted.of_request(layout.the_staff())
    with db.unit_of_work(clinic.id) as session:
        rows, _ = _read(session, clinic, wanted, team.everyone(session, clinic.id), "csv")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(words.table_of("care_columns").values())
    for row in rows:
        writer.writerow([csv_files.as_text(value) for value in _cells(row)])
    named = {"Content-Disposition": f'attachment; filename="caseload-{episodes.today_of(clinic)}.csv"'}
    return Response(out.getvalue(), mimetype="text/csv", headers=named)


def reached(session: Session) -> list[ColumnElement[bool]]:
    """Return the condition on episodes that leaves the reader those of patients whom they reach."""
    only = layout.sight(session).only
    return [] if only is None else [Episode.patient_id.in_(only)]


def _cells(row: care_view.Line) -> list[str]:
    """The cells of a row in the order of [care_columns]."""
    reasons = "; ".join(each.mark.words for each in row.due)
    first = [row.name, row.age, row.phase, row.manager, str(row.weeks), row.scale, row.baseline, row.last]
    return [*first, row.last_day, row.change, row.state.words, row.contact, str(row.contacts), row.review, reasons]


def _read(
    session: Session, clinic: Clinic, wanted: Wanted, people: dict[UUID | None, Staff], form: str
) -> tuple[list[care_view.Line], Counter[str]]:
    """Return the rows that are wanted, sorted, and how many there are for each reason."""
    if not care_model.of_clinic(clinic).registry:
        return [], Counter()
    rows = listing.read(session, clinic, *wanted.where(), *reached(session))
    actor = layout.the_actor()
    audit.record(session, clinic.id, actor, "caseload.opened", f"clinic:{clinic.id}", form=form, rows=len(rows))
    today = episodes.today_of(clinic)
    lines = [care_view.line(row, people, today) for row in rows]
    counts = Counter(each.key for line in lines for each in line.due)
    return _sorted([line for line in lines if _is_for(line, wanted.reason)], wanted.sort), counts


def _is_for(line: care_view.Line, reason: str) -> bool:
    return not reason or reason in [each.key for each in line.due]


def _sorted(lines: Sequence[care_view.Line], by: str) -> list[care_view.Line]:
    if by == "name":
        return sorted(lines, key=lambda line: line.name.casefold())
    return sorted(lines, key=lambda line: (line.sort[by], line.name.casefold()))


def _of_role(people: dict[UUID | None, Staff], roles: Sequence[str]) -> list[tuple[UUID, str]]:
    return [(colleague.id, colleague.name) for colleague in people.values() if colleague.role in roles]
