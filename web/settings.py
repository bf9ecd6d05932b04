"""The clinic's ladder as a page: read in words, changed in a form, tried out on a moment, with its hole in the week."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from messaging.inbox import hours, publishing, roster, routing
from messaging.inbox import ladder as rungs
from messaging.models import Clinic
from web import curves, layout, permissions, sessions, times, words

settings = layout.room("settings", __name__)
TEXTED = ("safety", "screen", "handoff")
ROWS = publishing.MOST
TYPED = "%Y-%m-%dT%H:%M"
_RUNG = re.compile(r"(?P<kind>[a-z]+)\.(?P<when>open|closed)\[(?P<row>\d)\]\.ask")


@settings.get("/ladder")
@permissions.signed_in("inbox.read")
def show() -> str:
    """Show the ladder in force: to read for everyone who works the inbox, to change for who decides for the clinic."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        people = roster.people(session, clinic)
        written = publishing.present(clinic.rules, people)
        problems = publishing.check(written, people, clinic.zone)
        return _page(session, clinic, people, written, _raw(written), problems, refused=False)


@settings.post("/ladder")
@permissions.signed_in("clinic.settings")
def save() -> Response | tuple[str, int]:
    """Publish the ladder; one with a hole is refused with its reasons at their fields, and the old one stays."""
    raw = _given(request.form)
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        people = roster.people(session, clinic)
        written = publishing.present(clinic.rules, people)
        try:
            roster.publish(session, clinic.id, publishing.read(raw), f"staff:{layout.the_staff().id}")
        except publishing.BadLadder as wrong:
            return _page(session, clinic, people, written, raw, wrong.problems, refused=True), 422
    flash(words.say("ladder", "published"))
    return redirect(url_for("settings.show"), 303)


def _page(
    session: Session,
    clinic: Clinic,
    people: Sequence[rungs.Person],
    written: publishing.Ladder,
    raw: Mapping[str, Any],
    problems: Sequence[rungs.Problem],
    *,
    refused: bool,
) -> str:
    rules = routing.Rules.of(clinic.rules)
    moment, kind = _moment(clinic), request.args.get("kind", "safety")
    kind = kind if kind in TEXTED else "safety"
    placed = {one.field: one.message for one in problems}
    return layout.page(
        session,
        "staff/ladder.html",
        here="ladder",
        spoken=[_spoken(name, written.kind(name), rules) for name in routing.KINDS],
        hours=hours.say(written.hours),
        holidays=written.holidays,
        raw=raw,
        rows=range(ROWS),
        kinds=[
            (name, words.say("kinds", name), name in TEXTED, name in routing.ALWAYS_RUNNING)
            for name in routing.KINDS
        ],
        asked=[(one, words.say("rungs", one)) for one in rungs.ASKED],
        people=people,
        problems=placed,
        listed=problems,
        refused=refused,
        edits=layout.may("clinic.settings"),
        week=curves.week(rungs.week(people, rules)),
        tried=_tried(clinic, people, rules, kind, moment),
        tried_kind=kind,
        tried_at=f"{moment.astimezone(ZoneInfo(clinic.zone)):{TYPED}}",
        call_list=rules.call_list,
        fallback=[one.name for email in rules.fallback for one in people if one.email == email],
    )


def _spoken(name: str, kind: publishing.Kind, rules: routing.Rules) -> tuple[str, str, str, str]:
    """A kind in words: its name, until when, whom the ladder asks while the clinic is open, and while it is closed."""
    due = words.say("ladder", "within", time=times.length(timedelta(minutes=kind.answer)))
    if kind.clock == "business":
        due += words.say("ladder", "in_business")
    if kind.before_leaving:
        due += words.say("ladder", "before_leaving")
    if name not in TEXTED:
        return words.say("kinds", name), due, words.say("ladder", "in_the_list"), ""
    said = [
        ", ".join(
            words.say("ladder", "rung", who=words.say("rungs", one.ask), minutes=one.wait)
            for one in rules.ladder_of(name, is_open=is_open)
        )
        for is_open in (True, False)
    ]
    return words.say("kinds", name), due, said[0], said[1] if said[1] != said[0] else ""


def _tried(
    clinic: Clinic, people: Sequence[rungs.Person], rules: routing.Rules, kind: str, moment: datetime
) -> list[tuple[str, str, str]]:
    lines = rungs.preview(routing.Need(kind), people, rules, moment, clinic.zone)
    here = [times.moment(one.at, clock.now(), clinic.zone) for one in lines]
    return [
        (
            when
            if place == 0 or when.rsplit(" ", 1)[0] != here[place - 1].rsplit(" ", 1)[0]
            else when.rsplit(" ", 1)[1],
            words.say("rungs", one.ask),
            ", ".join(one.names) or words.say("ladder", "nobody"),
        )
        for place, (when, one) in enumerate(zip(here, lines, strict=True))
    ]


def _moment(clinic: Clinic) -> datetime:
    """The moment to try out: the one asked for, else the next Saturday at 3:00, when a hole is most likely."""
    zone = ZoneInfo(clinic.zone)
    try:
        asked = datetime.fromisoformat(request.args.get("at", ""))
        if asked.tzinfo is None and 2000 <= asked.year <= 2200:
            return asked.replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        pass
    local = clock.now().astimezone(zone)
    saturday = local + timedelta(days=(5 - local.weekday()) % 7 or 7)
    return saturday.replace(hour=3, minute=0, second=0, microsecond=0).astimezone(UTC)


def _raw(written: publishing.Ladder) -> dict[str, Any]:
    """A ladder as the form holds it: as its file, with hours as people write them."""
    raw = written.model_dump(mode="json")
    raw["hours"] = hours.say(written.hours)
    raw["on_call"] = {email: hours.say(week) for email, week in written.on_call.items()}
    return raw


def _given(form: Mapping[str, str]) -> dict[str, Any]:
    """What was typed, in the shape of the file; rows left empty are not there."""
    raw: dict[str, Any] = {
        "hours": form.get("hours", ""),
        "holidays": form.get("holidays", "").replace(",", " ").split(),
        "repeat": form.get("repeat", ""),
        "fallback": [form[f"fallback[{row}]"] for row in range(ROWS) if form.get(f"fallback[{row}]")],
        "backup": _pairs(form, "backup."),
        "on_call": _pairs(form, "on_call."),
        "call": [one for one in (_call(form, row) for row in range(ROWS)) if one["name"] or one["phone"]],
    }
    for kind in routing.KINDS:
        raw[kind] = {
            "answer": form.get(f"{kind}.answer", ""),
            "clock": form.get(f"{kind}.clock") or "always",
            "before_leaving": form.get(f"{kind}.before_leaving") == "on",
            "open": [],
            "closed": [],
        }
    for name in sorted(form):
        found = _RUNG.fullmatch(name)
        if found and form[name] and found["kind"] in TEXTED:
            wait = form.get(name.removesuffix("ask") + "wait") or "10"
            raw[found["kind"]][found["when"]].append({"ask": form[name], "wait": wait})
    return raw


def _pairs(form: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): form[name].strip()
        for name in form
        if name.startswith(prefix) and form[name].strip()
    }


def _call(form: Mapping[str, str], row: int) -> dict[str, str]:
    return {key: form.get(f"call[{row}].{key}", "").strip() for key in ("name", "phone", "when")}
