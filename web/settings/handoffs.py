"""The page on which a clinic decides how its handoffs go: who is asked first, how long each step may take."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, takewhile
from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from messaging.models import Clinic, Staff
from reminders.handoff import telling, terms
from reminders.handoff.decision import HANDOFFS
from web import layout, permissions, words
from web.settings import decision_form, decision_pages

handoff_terms = layout.room("handoff_terms", __name__)
decision_pages.EDITORS["handoffs"] = "handoff_terms.show"
# The times of the form, each with what is counted.
TIMES = {
    **dict.fromkeys(("answer", "urgent", "arrive", "leaving", "stay", "outcome", "call_after"), "minutes"),
    "contact": "days",
}
ASKED = ("care_manager", "clinician", "clinic_admin")


@dataclass(frozen=True)
class Colleague:
    """A colleague on the form, `role` in words, and what is said of them (`said`, as in the definition)."""

    name: str
    email: str
    role: str
    said: Mapping[str, Any]


@handoff_terms.get("/settings/handoffs")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show how handoffs go, and the draft of a change."""
    return decision_form.show(HANDOFFS, _page)


@handoff_terms.post("/settings/handoffs")
@permissions.signed_in("clinic.settings", fresh=True)
def save() -> Response | tuple[str, int]:
    """Keep what was typed as a draft; nothing is in force by that."""
    return decision_form.save(HANDOFFS, _page, given(request.form))


def given(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return what was typed in the shape of the definition; colleagues of whom nothing is said are not in it."""
    rows = takewhile(lambda at: f"{at}.email" in form, (f"people[{row}]" for row in count()))
    people = [_person(form, at) for at in rows]
    return {
        "order": [value for row in range(len(terms.ORDER)) if (value := form.get(f"order[{row}]", ""))],
        "at_once": form.get("at_once", ""),
        **{name: form.get(name, "").strip() for name in TIMES},
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
    return layout.page(
        session,
        "staff/handoff_terms.html",
        here="handoff_terms",
        sheet=sheet,
        raw=sheet.raw,
        problems=sheet.problems,
        desk=decision_pages.desk(session, clinic, HANDOFFS),
        times=[(name, unit, *terms.Terms.bounds(name)) for name, unit in TIMES.items()],
        at_once=terms.Terms.bounds("at_once"),
        order=terms.ORDER,
        team=_team(session, clinic, {person["email"]: person for person in sheet.raw["people"]}),
        reasons=list(telling.reasons().items()),
        edits=layout.may("clinic.settings"),
    )


def _team(session: Session, clinic: Clinic, said: Mapping[str, Mapping[str, Any]]) -> list[Colleague]:
    """Whoever may be asked, and everybody of whom something is said: what is not on the page is not saved by it."""
    everyone = select(Staff).where(Staff.clinic_id == clinic.id).order_by(Staff.name)
    here = [
        colleague
        for colleague in session.scalars(everyone)
        if colleague.email in said or (colleague.active and colleague.role in ASKED)
    ]
    gone = words.say("handoff_terms", "gone")
    listed = [
        Colleague(
            colleague.name,
            colleague.email,
            words.say("roles", colleague.role) if colleague.active else gone,
            said.get(colleague.email, {}),
        )
        for colleague in here
    ]
    unknown = said.keys() - {colleague.email for colleague in here}
    return [*listed, *(Colleague(email, email, gone, said[email]) for email in sorted(unknown))]
