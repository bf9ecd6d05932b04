"""Trying a cadence out before patients feel it: the real coming week, a text to one's own phone, and how far it is."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import flash, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db, runtime
from messaging import outbox
from messaging.models import Clinic, Patient, Staff
from messaging.wording import clinic_names
from reminders import replanning
from reminders.models import Replanning
from reminders.trials import coming_week, made_up_visit
from web import layout, permissions, sessions, times, words
from web.presenters import patient_view
from web.settings import cadence_preview

rehearsals = layout.room("rehearsals", __name__)
PEOPLE = 20
ENDED_LATELY = timedelta(hours=1)


@rehearsals.post("/settings/cadence/test")
@permissions.signed_in("clinic.agree")
def test() -> Response:
    """Send the text of one step to the phone of who asks, marked as a test."""
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        staff = session.get_one(Staff, layout.the_staff().id)
        db.load_keys(session, [staff.key_id, clinic.key_id])
        outcome = _send_test(session, clinic, staff)
        flash(words.say("cadence", outcome), "done" if outcome == "test_sent" else "refused")
        asked, _ = cadence_preview.asked_for(clinic, request.form)
    return redirect(url_for("cadences.show") + f"?{urlencode(asked.query)}#preview", 303)


def _send_test(session: Session, clinic: Clinic, staff: Staff) -> str:
    _, example = cadence_preview.asked_for(clinic, request.form)
    cadence = cadence_preview.versions_of(session, clinic).get(request.form.get("edition", "live"))
    url, step = runtime.settings().public_url, request.form.get("step", "")
    shown = made_up_visit.show(session, clinic, cadence, example, url) if cadence else []
    body = next((text.body for text in shown if text.step == step and text.body), None)
    if body is None:
        return "test_gone"
    # Pressed twice in a minute it is one text.
    dedupe = f"test:{staff.id}:{step}:{example.language}:{clock.now():%Y%m%d%H%M}"
    marked = words.say("cadence", "test_body", clinic=clinic_names.in_texts(clinic, "en"), text=body)
    if outbox.text_staff(session, clinic, staff, body=marked, dedupe=dedupe, lane="bulk") is None:
        return "test_no_number"
    audit.record(session, clinic.id, audit.Actor.staff(staff.id), "cadence.tested", f"staff:{staff.id}", step=step)
    return "test_sent"


@rehearsals.get("/settings/cadence/week")
@permissions.signed_in("clinic.look")
def week() -> str:
    """Show what the draft would do in the clinic's real coming week, beside the cadence in force."""
    now, clinic_id = clock.now(), sessions.clinic().id
    with db.unit_of_work(clinic_id, read_only=True) as session:
        clinic = session.get_one(Clinic, clinic_id)
        both = cadence_preview.versions_of(session, clinic)
        comparison = coming_week.of_week(session, clinic, both["live"], both.get("draft"), now)
        more, fewer = comparison.people(1), comparison.people(-1)
        names = _names(session, [who for who, _ in more[:PEOPLE] + fewer[:PEOPLE]])
    with db.unit_of_work(clinic_id) as session:
        actor = layout.the_actor()
        audit.record(
            session,
            clinic_id,
            actor,
            "cadence.rehearsed",
            f"clinic:{clinic_id}",
            count=comparison.visits,
            named=len(names),
        )
    with db.unit_of_work(clinic_id, read_only=True) as session:
        return layout.page(
            session,
            "staff/cadence_week.html",
            here="cadence",
            found=comparison,
            drafted="draft" in both,
            most=coming_week.MOST,
            sides=[(key, getattr(comparison, key)) for key in both],
            skips=_skips(comparison, both),
            changed=[
                (key, len(who), [(names[patient_id], patient_id, count) for patient_id, count in who[:PEOPLE]])
                for key, who in (("more", more), ("fewer", fewer))
            ],
            named=layout.may("patients.read"),
        )


def _skips(comparison: coming_week.Week, both: Mapping[str, object]) -> list[tuple[str, list[int]]]:
    """Every reason in words with how many each version skips for it, the most frequent first."""
    sides = [getattr(comparison, key).skipped for key in both]
    reasons = sorted(
        {reason for side in sides for reason in side}, key=lambda reason: (-max(s[reason] for s in sides), reason)
    )
    return [(_reason(reason), [side[reason] for side in sides]) for reason in reasons]


def _reason(key: str) -> str:
    for table in ("cadence_skips", "unreached"):
        if key in words.table_of(table):
            return words.say(table, key)
    return key[:1].upper() + key[1:]


def _names(session: Session, ids: list[UUID]) -> dict[UUID, str]:
    """Whoever may see patients gets their names; others initials, enough to ask about and too little to tell."""
    patients = session.scalars(select(Patient).where(Patient.id.in_(ids))).all()
    db.load_keys(session, (patient.key_id for patient in patients))
    if layout.may("patients.read"):
        return {patient.id: patient_view.full_name(patient) for patient in patients}
    return {
        patient.id: " ".join(f"{name[0]}." for name in (patient.first_name, patient.last_name) if name)
        for patient in patients
    }


@rehearsals.get("/settings/cadence/progress")
@permissions.signed_in("clinic.look")
def progress() -> str:
    """Show how far planning again has come; the page asks again by itself until it is over."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        standing = how_far(session, session.get_one(Clinic, sessions.clinic().id))
        return layout.page(session, "staff/cadence_progress.html", here="cadence", standing=standing)


def how_far(session: Session, clinic: Clinic) -> dict[str, Any] | None:
    """Return how far planning again is, None where nothing was begun or it ended a while ago."""
    row: Replanning | None = replanning.latest(session, clinic.id)
    now = clock.now()
    if row is None or (row.ended_at and row.state != "failed" and now - row.ended_at > ENDED_LATELY):
        return None
    return {
        "state": row.state,
        "done": min(row.done, row.total) if row.state == "waiting" else row.done,
        "total": max(row.total, row.done),
        "since": times.moment(row.ended_at or row.started_at, now, clinic.zone, running=True),
    }
