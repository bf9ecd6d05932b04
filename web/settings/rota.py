"""The rota: when each colleague works and is on call, what is planned otherwise, and minutes when nobody is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import abort, flash, jsonify, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from messaging.inbox.routing import (
    alert_changes,
    assign,
    coverage_gaps,
    escalation_policy,
    hours,
    policy_checks,
)
from messaging.inbox.staff import coverage_guard, roster, staffing
from messaging.models import Clinic, Staff
from web import layout, permissions, sessions, times, words
from web.account import account_news
from web.presenters import coverage_charts

rota = layout.room("rota", __name__)
FIELDS = ("hours", "on_call")
LONGEST = 300
MOST_COMING = 20


@dataclass(frozen=True)
class Line:
    """One colleague: hours in words, absences to come, and what stands in the two fields of the form."""

    id: UUID
    name: str
    facts: str
    phone: bool
    hours: str
    on_call: str
    away: list[str]
    raw: Mapping[str, str]
    problems: Mapping[str, str]


@rota.get("/settings/rota")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show everyone's week, and where it has gaps."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, None, {}, {})


@rota.get("/settings/hours")
@permissions.signed_in("clinic.look")
def read() -> Response:
    """Return hours as they were typed, read and written back in the clinic's form, for a script; or what is wrong."""
    try:
        week = hours.read(request.args.get("text", "")[:LONGEST])
    except hours.BadHours as wrong:
        return jsonify({"problem": str(wrong)})
    return jsonify({"text": written(week), "week": week})


def written(week: Mapping[str, Any]) -> str:
    """Return a week as this clinic writes its hours."""
    return hours.say(week, twelve=times.style().twelve)


@rota.post("/settings/rota/<uuid:staff_id>")
@permissions.signed_in("clinic.settings", fresh=True)
def save(staff_id: UUID) -> Response | tuple[str, int]:
    """Change a colleague's hours; what cannot be read or would leave a gap is refused at its field."""
    raw = {name: request.form.get(name, "").strip()[:LONGEST] for name in FIELDS}
    weeks, problems = _read(raw)
    with db.unit_of_work(sessions.clinic().id) as session:
        staff = session.get(Staff, staff_id)
        if staff is None or staff.clinic_id != sessions.clinic().id or not staff.active:
            abort(404)
        if not problems:
            problems = _change(session, staff, weeks)
        if problems:
            return _page(session, staff_id, raw, problems), 422
        flash(words.say("rota", "saved", who=staff.name))
    return redirect(url_for("rota.show", _anchor=f"p-{staff_id}"), 303)


def _read(raw: Mapping[str, str]) -> tuple[dict[str, dict[str, list[str]]], dict[str, str]]:
    """The hours that were typed, and what is wrong with each field."""
    read, problems = {}, {}
    for name, typed in raw.items():
        try:
            week = hours.read(typed)
        except hours.BadHours as wrong:
            problems[name] = str(wrong)
            continue
        clash = hours.overlap(week)
        if clash:
            days = [hours.NAMES[day] for day in clash]
            problems[name] = words.say("rota", "overlap", first=days[0], second=days[1])
        read[name] = week
    return read, problems


def _change(session: Session, staff: Staff, read: Mapping[str, dict[str, list[str]]]) -> dict[str, str]:
    """Write the hours, or say at which field why not."""
    gone = alert_changes.taken_away(staff.on_call, read["on_call"])
    if gone:
        return {"on_call": words.say("rota", "taken_away", when=policy_checks.listed(gone))}
    try:
        changed = staffing.set_hours(session, staff.clinic_id, staff.id, **read, actor=layout.the_actor())
    except coverage_guard.MakesGap as refused:
        return {"hours": words.say("rota", "hole", when=refused.when)}
    if changed:
        account_news.tell_of_another(session, staff, "hours", layout.the_actor())
    return {}


def _page(session: Session, changed: UUID | None, raw: Mapping[str, str], problems: Mapping[str, str]) -> str:
    clinic = session.get_one(Clinic, sessions.clinic().id)
    people, rules = roster.people(session, clinic), assign.Rules.of(clinic.rules)
    away = _absences(session, clinic, people)
    gaps = roster.coming_gaps(session, clinic)
    return layout.page(
        session,
        "staff/rota.html",
        here="rota",
        lines=[
            _line(person, away.get(person.id, []), raw, problems)
            if person.id == changed
            else _line(person, away.get(person.id, []), {}, {})
            for person in people
        ],
        week=coverage_charts.week(coverage_gaps.week(people, rules)),
        weekly=[coverage_gaps.say(gap, clinic.zone) for gap in gaps if gap.when == "week"],
        on_holidays=[coverage_gaps.say(gap, clinic.zone) for gap in gaps if gap.when == "holiday"],
        coming=[coverage_gaps.say(gap, clinic.zone) for gap in gaps if gap.when == "away"][:MOST_COMING],
        opening=written(rules.hours.week),
        edits=layout.may("clinic.settings"),
    )


def _line(
    person: escalation_policy.Person, away: list[str], raw: Mapping[str, str], problems: Mapping[str, str]
) -> Line:
    works, called = written(person.hours or {}), written(person.on_call or {})
    spoken = " and ".join(words.say("languages", language) for language in person.languages)
    facts = [words.say("roles", person.role), spoken, *(f"panel of {panel}" for panel in person.panels)]
    return Line(
        id=person.id,
        name=person.name,
        facts=", ".join(fact for fact in facts if fact),
        phone=person.phone,
        hours=works,
        on_call=called,
        away=away,
        raw=raw or {"hours": works, "on_call": called},
        problems=problems,
    )


def _absences(session: Session, clinic: Clinic, people: list[escalation_policy.Person]) -> dict[UUID, list[str]]:
    names, now = {person.id: person.name for person in people}, clock.now()
    by_colleague: dict[UUID, list[str]] = {}
    for absence in roster.absences(session, clinic.id):
        start, end = (times.moment(at, now, clinic.zone, running=True) for at in (absence.starts_at, absence.ends_at))
        cover = names.get(absence.cover_id) if absence.cover_id else None
        key = "away_covered" if cover else "away_alone"
        by_colleague.setdefault(absence.staff_id, []).append(words.say("rota", key, start=start, end=end, cover=cover))
    return by_colleague
