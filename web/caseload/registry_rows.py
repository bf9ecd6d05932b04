"""The rows of the registry as they stand on its page: each is made once of what was read for it, and then remembered.

A caseload is looked at many times a day, and of most people nothing has changed since. A row is known by everything
that it is made of, so that nothing has to be told when something does: the standing of the episode today, the sealed
name and birth date, what was done this month, and who cares for them.
"""

from collections.abc import Mapping, Sequence
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
    """An episode's standing, its patient's row of `patient_view.NAMED`, whose key is loaded, and what was done this
    month."""

    standing: listing.Standing
    patient: Any
    month: listing.InMonth


def opened(session: Session, clinic: Clinic, of: Sequence[listing.Standing]) -> list[Opened]:
    """Return what is shown of these, in their order."""
    found = among(session, Patient.id, Many(each.patient_id for each in of))
    patients = {row.id: row for row in session.execute(select(*patient_view.NAMED).where(found))}
    db.load_keys(session, (row.key_id for row in patients.values()))
    month = listing.in_month(session, clinic, of)
    return [Opened(each, patients[each.patient_id], month[each.id]) for each in of]


def rows(of: Sequence[Opened], people: Mapping[UUID | None, Staff]) -> list[Markup]:
    """Return each as its row of the table."""
    known, made = _known(), []
    written, address = current_app.jinja_env.get_template("staff/_registry_row.html").module, _Addresses()
    names = {staff_id: person.name for staff_id, person in people.items()}
    for each in of:
        standing, patient, month = each
        facts = (standing, patient[3:], month, names.get(standing.manager_id))
        kept = known.get(standing.id)
        if kept is not None and kept[0] == facts:
            row = kept[1]
        else:
            row = written.row(care_view.line(*each, people), address)  # type: ignore[attr-defined]
            known.put(standing.id, (facts, row))
        made.append(row)
    return made


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
