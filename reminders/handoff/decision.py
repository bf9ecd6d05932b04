"""The terms of a clinic's warm handoffs as one of its decisions."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.models import Clinic, Staff
from messaging.versions import publishing
from messaging.versions.field_labels import Names
from messaging.versions.problems import Problem
from reminders import phrasing
from reminders.handoff import terms
from reminders.handoff.terms import Terms

NAME = "handoffs"


def of_clinic(session: Session, clinic: Clinic) -> Terms:
    """Return the terms that are live; a clinic that has published none has those it began with."""
    live = publishing.live(session, clinic.id, NAME)
    return terms.from_mapping(live.definition) if live else _beginning(clinic)


def _beginning(clinic: Clinic) -> Terms:
    # What a clinic's rules said before there was a page for it.
    minutes = clinic.rules.get("handoff_minutes")
    return Terms(answer=min(15, max(1, int(minutes)))) if minutes else Terms()


def _read(definition: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return terms.from_mapping(definition).model_dump(mode="json")
    except terms.BadTerms as wrong:
        raise publishing.Refused(wrong.problems) from None


def _present(session: Session, clinic: Clinic) -> dict[str, Any]:
    return of_clinic(session, clinic).model_dump(mode="json")


def _check(session: Session, clinic: Clinic, definition: Mapping[str, Any]) -> list[Problem]:
    """Return every person that the clinic does not have."""
    emails = set(session.scalars(select(Staff.email).where(Staff.clinic_id == clinic.id, Staff.active)))
    words = phrasing.texts("en")["staff"]["handoff_nobody_here"]
    return [
        Problem(f"people[{place}].email", str(words))
        for place, person in enumerate(definition["people"])
        if person["email"] not in emails
    ]


def _names(session: Session, clinic: Clinic, names: Names) -> Names:
    people = dict(session.execute(select(Staff.email, Staff.name).where(Staff.clinic_id == clinic.id)).all())
    return names.also(
        values={"people[].email": people, "people[].reasons": dict(phrasing.texts("en")["handoff_reasons"])}
    )


HANDOFFS = publishing.Kind(
    NAME,
    read=_read,
    present=_present,
    check=_check,
    model=Terms,
    names=_names,
    texts_patients=lambda old, new: (old["names"], old["video"]) != (new["names"], new["video"]),
    shipped=lambda: Terms().model_dump(mode="json"),
)
