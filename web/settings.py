"""The clinic's routing and ladder as a page: read in words, drafted in a form, tried out on a moment, with its holes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from intake_links import scoring
from messaging import wording
from messaging.editions import differences
from messaging.editions import publishing as verbs
from messaging.editions.problems import Problem
from messaging.inbox import holes, hours, publishing, roster, routing
from messaging.inbox import ladder as rungs
from messaging.models import Clinic
from reminders.decisions import RULES
from web import curves, editions, ladderform, layout, permissions, routes, sessions, times, words

settings = layout.room("settings", __name__)
editions.EDITORS[RULES.name] = "settings.show"
TEXTED = routing.TEXTED
TYPED = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True)
class Typed:
    """A form as it comes back: what stands in it, what is wrong, and, where somebody else has saved meanwhile, the edit
    that is now before the reader and what theirs and this differ in."""

    raw: Mapping[str, Any]
    problems: Sequence[Problem] = ()
    refused: bool = False
    edit: int | None = None
    overtaken: list[differences.Difference] = field(default_factory=list)


@settings.get("/ladder")
@permissions.signed_in("inbox.read")
def show() -> str:
    """Show the ladder in force: to read for everyone who works the inbox, to change for who decides for the clinic."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        return _page(session, clinic, None)


@settings.post("/ladder")
@permissions.signed_in("clinic.settings")
def save() -> Response | tuple[str, int]:
    """Keep a draft; what cannot be read is refused at its field, and what a colleague has saved is not written over."""
    raw, edit = ladderform.given(request.form), editions.edit_of_form()
    try:
        with db.unit_of_work(sessions.clinic().id) as session:
            clinic = session.get_one(Clinic, sessions.clinic().id)
            verbs.save(session, clinic, RULES, raw, edit=edit, actor=editions.actor())
    except verbs.Refused as wrong:
        return _again(Typed(raw, wrong.problems, refused=True, edit=edit)), 422
    except verbs.Overtaken:
        return _overtaken(raw), 409
    flash(words.say("ladder", "drafted"))
    return redirect(url_for("settings.show", _anchor="desk-title"), 303)


def _again(typed: Typed) -> str:
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, session.get_one(Clinic, sessions.clinic().id), typed)


def _overtaken(raw: Mapping[str, Any]) -> str:
    """The form with what was typed, and beside it what the colleague has made of it meanwhile."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        theirs = verbs.draft(session, clinic.id, RULES.name)
        there = theirs.definition if theirs else RULES.present(session, clinic)
        differ = differences.between(there, RULES.read(raw))
        return _page(session, clinic, Typed(raw, edit=theirs.edit if theirs else 0, overtaken=differ))


def _page(session: Session, clinic: Clinic, typed: Typed | None) -> str:
    rules, people = routing.Rules.of(clinic.rules), roster.people(session, clinic)
    written = publishing.present(clinic.rules, people)
    desk = editions.desk(session, clinic, RULES)
    draft = publishing.read(desk.draft.definition) if desk.draft else written
    now_wrong = RULES.check(session, clinic, written.model_dump(mode="json"))
    typed = typed or Typed(ladderform.of_ladder(draft), desk.problems)
    names = {one.email: one.name for one in people}
    return layout.page(
        session,
        "staff/ladder.html",
        here="ladder",
        desk=desk,
        spoken=editions.spoken,
        by_kind=[_spoken(name, written.kind(name), rules) for name in routing.KINDS],
        rules=[(one.name, routes.rule_words(one, names)) for one in written.route],
        hours=hours.say(written.hours),
        holidays=written.holidays,
        typed=typed,
        raw=typed.raw,
        edit=desk.edit if typed.edit is None else typed.edit,
        problems={one.field: one.message for one in reversed(typed.problems)},
        listed=typed.problems if typed.refused else now_wrong,
        rows=range(ladderform.ROWS),
        more_rules=len(typed.raw["route"]) < publishing.MOST_ROUTES,
        choices=_choices(people),
        kinds=[
            (name, words.say("kinds", name), name in TEXTED, name in routing.ALWAYS_RUNNING)
            for name in routing.KINDS
        ],
        asked=[(one, words.say("rungs", one)) for one in rungs.ASKED],
        people=people,
        edits=layout.may("clinic.settings"),
        week=curves.week(holes.week(people, rules)),
        **_trial(clinic, people, rules),
        call_list=rules.call_list,
        fallback=[one.name for email in rules.fallback for one in people if one.email == email],
    )


def _choices(people: Sequence[rungs.Person]) -> dict[str, list[tuple[str, str]]]:
    """What a rule can ask for and give to, each with its words."""
    screens = []
    for name in sorted(scoring.instruments()):
        one = scoring.instrument(name)
        screens.append((name, one.title))
        screens += [
            (f"{name}:{band.name}", words.say("rules", "at_least", title=one.title, band=band.words["en"]))
            for band in one.bands()[1:]
        ]
    return {
        "screens": screens,
        "languages": [(one, words.say("languages", one)) for one in wording.LANGUAGES],
        "panels": [(one, one) for one in sorted({panel for each in people for panel in each.panels})],
        "to": [(one, words.say("receivers", one)) for one in words.table_of("receivers")],
    }


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


def _trial(clinic: Clinic, people: Sequence[rungs.Person], rules: routing.Rules) -> dict[str, Any]:
    """The moment to try out, and what would happen then."""
    moment, kind = _moment(clinic), request.args.get("kind", "safety")
    kind = kind if kind in TEXTED else "safety"
    return {
        "tried": _tried(clinic, people, rules, kind, moment),
        "tried_kind": kind,
        "tried_at": f"{moment.astimezone(ZoneInfo(clinic.zone)):{TYPED}}",
    }


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
