"""The page of the second reader: whether it acts, who has signed it off, by when a worry is read, how wide it is."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from messaging.inbox.routing import assign
from messaging.models import Clinic
from messaging.second_reading import counting, faults, standing
from messaging.second_reading.standing import SECOND_READING
from web import layout, permissions, sessions, team, times, words
from web.settings import decision_form, decision_pages

second_reading = layout.room("second_reading", __name__)
decision_pages.EDITORS[standing.KEY] = "second_reading.show"


@dataclass(frozen=True)
class Status:
    """Whether it acts and in whose name, why it is off (empty where it is not), and what it has read in thirty days."""

    acts: bool
    signed: str
    fault: str
    counts: list[counting.Count]
    texts: int


@second_reading.get("/settings/second-reading")
@permissions.signed_in("inbox.read")
def show() -> str:
    """Show how it stands, and the draft of a change."""
    return decision_form.show(SECOND_READING, _page)


@second_reading.post("/settings/second-reading")
@permissions.signed_in("clinic.settings")
def save() -> Response | tuple[str, int]:
    """Keep what was typed as a draft; nothing is in force by that."""
    raw = {"minutes": request.form.get("minutes", "").strip(), "widening": request.form.get("widening", "")}
    return decision_form.save(SECOND_READING, _page, raw)


@second_reading.post("/settings/second-reading/sign")
@permissions.signed_in("reading.sign")
def sign() -> Response:
    """Let it act in the name of this colleague, who says that they have read what it finds and misses."""
    if request.form.get("read") != "on":
        flash(words.say("refusals", "reading_unread"), "refused")
        return _back()
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id, with_for_update=True)
        try:
            standing.sign_off(session, clinic, layout.the_staff())
        except ValueError as fault:
            flash(words.say("reading_faults", str(fault)), "refused")
            return _back()
    flash(words.say("notices", "reading_signed"), "done")
    return _back()


@second_reading.post("/settings/second-reading/shadow")
@permissions.signed_in("reading.sign")
def shadow() -> Response:
    """Take the signature back."""
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id, with_for_update=True)
        standing.back_to_shadow(session, clinic, layout.the_staff())
    flash(words.say("notices", "reading_shadow"), "done")
    return _back()


def _back() -> Response:
    return redirect(url_for("second_reading.show"), 303)


def _page(session: Session, clinic: Clinic, sheet: decision_form.Sheet) -> str:
    steps = counting.by_step(session, clinic)
    return layout.page(
        session,
        "staff/second_reading.html",
        here="second_reading",
        sheet=sheet,
        raw=sheet.raw,
        problems=sheet.problems,
        desk=decision_pages.desk(session, clinic, SECOND_READING),
        status=_status(session, clinic),
        steps=[(step, words.say("widenings", step), count) for step, count in steps.items()],
        longest=assign.Rules.of(clinic.rules).answer_within["screen"],
        edits=layout.may("clinic.settings"),
        signs=layout.may("reading.sign"),
        languages=words.table_of("reading_languages"),
    )


def _status(session: Session, clinic: Clinic) -> Status:
    holds, fault, now = standing.of(clinic), faults.key(session, clinic.id), clock.now()
    counts = counting.by_language(session, clinic, now - counting.LATELY, now)
    return Status(
        acts=holds.acts,
        signed=_signed(session, clinic, holds),
        fault=words.say("reading_faults", fault) if fault else "",
        counts=counts,
        texts=sum(count.texts for count in counts),
    )


def _signed(session: Session, clinic: Clinic, holds: standing.Standing) -> str:
    if not holds.acts or holds.signed_at is None:
        return ""
    names: dict[Any, str] = team.names(session, [UUID(holds.signed_by)] if holds.signed_by else [])
    who = next(iter(names.values()), "Somebody")
    at = times.moment(holds.signed_at, clock.now(), clinic.zone, running=True)
    return words.say("second_reading", "signed", who=who, at=at, weights=holds.weights or "")
