"""The page on which a clinic decides how its handoffs go: who is asked first, how long each step may take."""

from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from messaging.models import Clinic, Staff
from reminders.handoff import telling, terms
from reminders.handoff.decision import HANDOFFS
from web import layout, permissions
from web.settings import decision_form, decision_pages

handoff_terms = layout.room("handoff_terms", __name__)
decision_pages.EDITORS["handoffs"] = "handoff_terms.show"
# The times of the form, each with what is counted, the least and the most.
TIMES = (
    ("answer", "minutes", 1, 15),
    ("urgent", "minutes", 1, 5),
    ("arrive", "minutes", 2, 60),
    ("leaving", "minutes", 2, 60),
    ("stay", "minutes", 15, 480),
    ("outcome", "minutes", 15, 480),
    ("call_after", "minutes", 2, 30),
    ("contact", "days", 1, 30),
)
ASKED = ("care_manager", "clinician", "clinic_admin")


@handoff_terms.get("/settings/handoffs")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show how handoffs go, and the draft of a change."""
    return decision_form.show(HANDOFFS, _page)


@handoff_terms.post("/settings/handoffs")
@permissions.signed_in("clinic.settings")
def save() -> Response | tuple[str, int]:
    """Keep what was typed as a draft; nothing is in force by that."""
    return decision_form.save(HANDOFFS, _page, given(request.form))


def given(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return what was typed in the shape of the definition; colleagues of whom nothing is said are not in it."""
    people = [_person(form, f"people[{row}]") for row in range(terms.MOST_PEOPLE) if f"people[{row}].email" in form]
    return {
        "order": [value for row in range(len(terms.ORDER)) if (value := form.get(f"order[{row}]", ""))],
        "at_once": form.get("at_once", ""),
        **{name: form.get(name, "").strip() for name, *_ in TIMES},
        "names": "names" in form,
        "video": form.get("video", "").strip(),
        "people": [person for person in people if person["reasons"] or person["places"] or person["room"]],
    }


def _person(form: MultiDict[str, str], at: str) -> dict[str, Any]:
    places = [place.strip() for place in form.get(f"{at}.places", "").split(";")]
    return {
        "email": form.get(f"{at}.email", ""),
        "reasons": form.getlist(f"{at}.reasons"),
        "places": [place for place in places if place],
        "room": form.get(f"{at}.room", "").strip(),
    }


def _page(session: Session, clinic: Clinic, sheet: decision_form.Sheet) -> str:
    people = select(Staff).where(Staff.clinic_id == clinic.id, Staff.active, Staff.role.in_(ASKED))
    said = {person["email"]: person for person in sheet.raw["people"]}
    return layout.page(
        session,
        "staff/handoff_terms.html",
        here="handoff_terms",
        sheet=sheet,
        raw=sheet.raw,
        problems=sheet.problems,
        desk=decision_pages.desk(session, clinic, HANDOFFS),
        times=TIMES,
        order=terms.ORDER,
        team=[(staff, said.get(staff.email, {})) for staff in session.scalars(people.order_by(Staff.name))],
        reasons=list(telling.reasons().items()),
        edits=layout.may("clinic.settings"),
    )
