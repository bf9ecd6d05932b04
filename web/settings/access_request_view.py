"""What waits for a second person, as the page of the people and the page of the requests show it."""

from dataclasses import dataclass
from uuid import UUID

from flask import flash, redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock
from messaging import phone
from messaging.inbox.staff import staffing
from messaging.models import Clinic, Staff
from web import layout, times, words
from web.models import AccessRequest
from web.settings import access_requests, handing_links


@dataclass(frozen=True)
class Card:
    """One request: whom it is about, what would be theirs, who asked, who may agree, and what the reader may do.

    `may` is "agree", "go_on" (one's own, after the wait) or ""; `own` is whether the reader has asked.
    """

    id: UUID
    name: str
    email: str
    what: list[str]
    asked: str
    who: str
    may: str
    own: bool


def cards(session: Session, clinic: Clinic) -> list[Card]:
    """Return every request that waits, the oldest first."""
    return [_card(session, clinic, row) for row in access_requests.waiting(session, clinic.id)]


def asked(
    session: Session, clinic: Clinic, what: access_requests.What, facts: staffing.Facts, staff: Staff | None = None
) -> Response:
    """Ask for something that takes two, and say so. Raises staffing.MayNot."""
    row = access_requests.ask(session, clinic, what, facts, layout.the_staff(), staff)
    flash(words.say("access_requests", "asked_nobody" if row.facts["nobody"] else "asked_now", name=facts.name))
    return redirect(url_for("colleagues.show") + "#requests", 303)


def _card(session: Session, clinic: Clinic, row: AccessRequest) -> Card:
    me, now = layout.the_actor(), clock.now()
    staff = session.get(Staff, row.staff_id) if row.staff_id else None
    asker = session.get_one(Staff, row.asked_by)
    until = times.moment(row.asked_at + access_requests.VALID, now, clinic.zone, running=True)
    refusal, own = access_requests.refusal(session, row, me), row.asked_by == layout.the_staff().id
    when = times.moment(row.asked_at, now, clinic.zone)
    return Card(
        id=row.id,
        name=staff.name if staff is not None else row.facts["name"],
        email=row.facts["email"],
        what=_what(session, row, staff),
        asked=words.say("access_requests", "asked", who=asker.name, when=when, until=until),
        who=_who(session, clinic, row, refusal, own=own),
        may="" if refusal or not layout.may("clinic.agree") else "go_on" if own else "agree",
        own=own,
    )


def _what(session: Session, row: AccessRequest, staff: Staff | None) -> list[str]:
    """What would be theirs, and where a link would go."""
    number, role = row.facts["number"], words.say("roles", row.role)
    digits = phone.mask(number) if number else words.say("access_requests", "no_number")
    if row.what == "change" and staff is not None:
        was = {"was": words.say("roles", staff.role), "before": phone.mask(staff.number or "")}
        parts = ["role"] if row.role != staff.role else []
        parts += ["number" if staff.number else "first_number"] if number not in (None, staff.number) else []
        return [words.say("access_requests", part, role=role, digits=digits, **was) for part in parts]
    shown = not number if staff is None else handing_links.way(session, staff) is None
    goes = "shown" if shown else "goes_to" if number else "goes_by_mail"
    return [words.say("access_requests", part, role=role, digits=digits) for part in (row.what, goes)]


def _who(session: Session, clinic: Clinic, row: AccessRequest, refusal: str, *, own: bool) -> str:
    """Who may agree, or why the reader may not."""
    from_when = access_requests.goes_on_at(session, row)
    if from_when is not None:
        when = times.moment(from_when, clock.now(), clinic.zone, running=True)
        return words.say("access_requests", "nobody_own" if own else "nobody", when=when)
    if refusal and refusal not in ("role", "second"):
        return words.say("access_request_refusals", refusal)
    names = [staff.name for staff in access_requests.could_agree(session, row)]
    return (
        words.say("access_requests", "could", names=", ".join(names)) if names else words.say("access_requests", "yet")
    )
