"""The rows of the registry as they stand on its page: each is made once of what was read for it, and then remembered.

A caseload is looked at many times a day, and of most people nothing has changed since. A row is known by everything
that it is made of, so that nothing has to be told when something does: the standing of the episode today, the sealed
name and birth date, what was done this month, and who cares for them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from flask import current_app, url_for
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload import listing
from config import db, runtime
from config.db.sets import Many, among
from config.remembered import Remembered
from messaging.models import Clinic, Patient, Staff
from web.presenters import care_view, patient_view

# No longer than keys: a name stands in a row.
REMEMBERED, SECONDS = 5_000, 300
NOBODY = UUID(int=0)


class Opened(NamedTuple):
    """An episode's standing, its patient's row of `patient_view.NAMED`, and what was done this month."""

    standing: listing.Standing
    patient: Any
    month: listing.InMonth


def opened(session: Session, clinic: Clinic, of: Sequence[listing.Standing]) -> list[Opened]:
    """Return what is shown of these, in their order."""
    found = among(session, Patient.id, Many(each.patient_id for each in of))
    patients = {row.id: row for row in db.tuples(session, select(*patient_view.NAMED).where(found))}
    month = listing.in_month(session, clinic, of)
    return [Opened(each, patients[each.patient_id], month[each.id]) for each in of]


def lines(session: Session, of: Sequence[Opened], people: Mapping[UUID | None, Staff]) -> list[care_view.Line]:
    """Return each in words."""
    db.load_keys(session, (each.patient.key_id for each in of))
    return [care_view.line(*each, people) for each in of]


def rows(session: Session, of: Sequence[Opened], people: Mapping[UUID | None, Staff]) -> list[Markup]:
    """Return each as its row of the table."""
    known, names = _known(), {staff_id: person.name for staff_id, person in people.items()}
    made, changed = dict[UUID, Markup](), []
    for each in of:
        standing, patient, month = each
        facts = (standing, patient[3:], month, names.get(standing.manager_id))
        kept = known.get(standing.id)
        if kept is not None and kept[0] == facts:
            made[standing.id] = kept[1]
        else:
            changed.append((each, facts))
    row, address = _template(), _Addresses()
    for (_, facts), line in zip(changed, lines(session, [each for each, _ in changed], people), strict=True):
        made[line.id] = row(line, address)
        known.put(line.id, (facts, made[line.id]))
    return [made[each.standing.id] for each in of]


def _template() -> Callable[[care_view.Line, "_Addresses"], Markup]:
    module: Any = current_app.jinja_env.get_template("staff/_registry_row.html").module
    row: Callable[[care_view.Line, _Addresses], Markup] = module.row
    return row


def _known() -> Remembered[tuple[tuple[Any, ...], Markup]]:
    return runtime.once("web.registry_rows", lambda: Remembered(REMEMBERED, SECONDS))


class _Addresses:
    """`url_for` of pages about one patient or episode, each page asked for once: a row has half a dozen of them."""

    def __init__(self) -> None:
        self._pages: dict[str, list[str]] = {}

    def __call__(self, endpoint: str, **about: UUID) -> str:
        [(name, which)] = about.items()
        if endpoint not in self._pages:
            nobodys: dict[str, Any] = {name: NOBODY}
            self._pages[endpoint] = url_for(endpoint, **nobodys).split(str(NOBODY))
        return str(which).join(self._pages[endpoint])
