"""The registry: everybody in care on one page, what is due for whom, sorted, filtered, printed and as CSV."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Response, request
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from caseload import episodes, listing
from caseload.models import OPEN, Episode
from caseload.registry import due
from caseload.standing import Standing
from config import audit, clock, db
from messaging.models import Clinic, Staff
from reminders import care_model
from web import csv_sheets, ids, layout, permissions, sessions, team, words
from web.caseload import registry_rows, registry_sheet
from web.presenters import care_view, filters, patient_view, timer_view

registry = layout.room("registry", __name__)
SORTS = (*care_view.COLUMNS, "name")
A_PAGE = 1000
PHASES = ("active", "relapse_prevention", "discharged")


@dataclass(frozen=True)
class Wanted:
    """What the reader wants to see: whose, at which site (the place of the nearest visit), in which phase (empty: all
    that are open), doing how (progress.State), for which reason, sorted by what and which way, and which page, from 1.

    `turned`: the other way round than the column usually is.
    """

    manager: str
    clinician: str
    site: str
    phase: str
    state: str
    reason: str
    sort: str
    turned: bool
    page: int

    @classmethod
    def of_request(cls, staff: Staff) -> "Wanted":
        """Read the address; a care manager begins with their own, everybody else with all."""
        asked = request.args
        mine = str(staff.id) if staff.role == "care_manager" else "all"
        phase, reason, sort = asked.get("phase", ""), asked.get("reason", ""), asked.get("sort", "due")
        state = asked.get("state", "")
        return cls(
            manager=asked.get("manager", mine),
            clinician=asked.get("clinician", ""),
            site=asked.get("site", "")[:120],
            phase=phase if phase in PHASES else "",
            state=state if state in words.table_of("care_states") else "",
            reason=reason if reason in due.KEYS else "",
            sort=sort if sort in SORTS else "due",
            turned="turned" in asked,
            page=max(1, asked.get("page", 1, int)),
        )

    def args(self, **changed: object) -> dict[str, object]:
        """Return the address of the same list with something changed, from its first page on."""
        wanted = {**vars(self), "turned": "yes" if self.turned else "", "page": "", **changed}
        return {name: value for name, value in wanted.items() if value}

    def by(self, column: str) -> dict[str, object]:
        """Return the address of the list by a column: the other way round where it is sorted by that one already."""
        return self.args(sort=column, turned="yes" if column == self.sort and not self.turned else "")

    def direction(self, column: str) -> str:
        """Return "ascending" or "descending" for the column that it is sorted by, as it is read; "" for others."""
        if column != self.sort:
            return ""
        return "ascending" if (column == "name") != self.turned else "descending"

    def where(self) -> list[ColumnElement[bool]]:
        """Return the conditions on episodes."""
        manager, clinician = ids.uuid_of(self.manager), ids.uuid_of(self.clinician)
        return [
            Episode.phase == self.phase if self.phase else OPEN,
            *([Episode.manager_id == manager] if manager else []),
            *([Episode.practitioner_id == clinician] if clinician else []),
            *([filters.nearest_place(clock.now(), Episode) == self.site] if self.site else []),
        ]


@dataclass(frozen=True)
class Listed:
    """Who is wanted, sorted, and how many there are for each reason."""

    chosen: Sequence[Standing]
    counts: Counter[str]

    def part(self, page: int) -> tuple[int, Sequence[Standing]]:
        """Return which page this is, the last one at most, and who is on it."""
        page = min(page, self.pages)
        return page, self.chosen[(page - 1) * A_PAGE : page * A_PAGE]

    def reasons(self) -> list[tuple[str, str, int]]:
        """Return each reason that there is with its words and for how many, the gravest first."""
        return [(key, words.say("care_reasons", key), self.counts[key]) for key in due.KEYS if self.counts[key]]

    @property
    def pages(self) -> int:
        """How many pages there are, one at least."""
        return max(1, math.ceil(len(self.chosen) / A_PAGE))


@registry.get("/caseload")
@permissions.signed_in("caseload.read")
def show() -> str:
    """Show a page of the registry; that it was read is written down."""
    clinic, wanted = sessions.clinic(), Wanted.of_request(layout.the_staff())
    with db.unit_of_work(clinic.id) as session:
        people, listed = team.everyone(session, clinic.id), _listed(session, clinic, wanted)
        page, part = listed.part(wanted.page)
        return layout.page(
            session,
            "staff/caseload.html",
            here="caseload",
            model=care_model.of_clinic(clinic),
            timed=timer_view.waiting(session, layout.the_staff()),
            wanted=wanted,
            rows=registry_rows.rows(session, _opened(session, clinic, part, "page"), people),
            page=page,
            pages=listed.pages,
            first=(page - 1) * A_PAGE + 1,
            last=(page - 1) * A_PAGE + len(part),
            size=len(listed.chosen),
            counts=listed.reasons(),
            managers=of_role(people, episodes.MANAGERS),
            clinicians=of_role(people, ("clinician",)),
            sites=filters.places(session, clinic.id),
            sorts=list(words.table_of("care_sorts").items()),
            phases=[(phase, words.say("care_phases", phase)) for phase in PHASES],
            states=list(words.table_of("care_states").items()),
        )


@registry.get("/caseload.csv")
@permissions.signed_in("caseload.read", fresh=True)
def sheet() -> Response:
    """Return everybody who is wanted, on one sheet; that they were taken is written down."""
    clinic, wanted = sessions.clinic(), Wanted.of_request(layout.the_staff())
    with db.unit_of_work(clinic.id) as session:
        chosen = _listed(session, clinic, wanted).chosen
        people = team.everyone(session, clinic.id)
        rows = listing.rows(session, clinic, _opened(session, clinic, chosen, "csv"))
        lines = registry_rows.lines(session, rows, people)
        cells = [registry_sheet.cells(line, row) for line, row in zip(lines, rows, strict=True)]
    name = f"caseload-{episodes.today_of(clinic)}.csv"
    return csv_sheets.answer(name, words.table_of("care_columns").values(), cells)


def reached(session: Session) -> list[ColumnElement[bool]]:
    """Return the condition on episodes that leaves the reader those of patients whom they reach."""
    only = layout.sight(session).only
    return [] if only is None else [Episode.patient_id.in_(only)]


def _listed(session: Session, clinic: Clinic, wanted: Wanted) -> Listed:
    """Return who is wanted, sorted, nobody's name opened but to sort by it."""
    if not care_model.of_clinic(clinic).registry:
        return Listed([], Counter())
    every = listing.standings(session, clinic, *wanted.where(), *reached(session))
    if wanted.state:
        every = [standing for standing in every if standing.progress.state == wanted.state]
    counts = Counter(each.key for standing in every for each in standing.due)
    chosen = [standing for standing in every if _is_for(standing, wanted.reason)] if wanted.reason else every
    if wanted.sort == "name":
        db.load_keys(session, (each.named.key_id for each in chosen))
        return Listed(sorted(chosen, key=_name, reverse=wanted.turned), counts)
    return Listed(care_view.sorted_by(wanted.sort, chosen, turned=wanted.turned), counts)


def _name(standing: Standing) -> tuple[str, UUID]:
    return patient_view.full_name(standing.named).casefold(), standing.id


def _is_for(standing: Standing, reason: str) -> bool:
    return reason in [each.key for each in standing.due]


def _opened(session: Session, clinic: Clinic, of: Sequence[Standing], form: str) -> Sequence[Standing]:
    """Return these, where there is a registry; that they were opened is written down."""
    if care_model.of_clinic(clinic).registry:
        about = f"clinic:{clinic.id}"
        audit.record(session, clinic.id, layout.the_actor(), "caseload.opened", about, form=form, rows=len(of))
    return of


def of_role(people: Mapping[UUID | None, Staff], roles: Sequence[str]) -> list[tuple[UUID, str]]:
    """Return colleagues of these roles, to choose from."""
    return [(colleague.id, colleague.name) for colleague in people.values() if colleague.role in roles]
