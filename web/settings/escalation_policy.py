"""Routing and escalation as a page: read in words, drafted in a form, tried out on a moment, with coverage gaps."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock
from intake_links import scoring
from messaging.inbox import items
from messaging.inbox.routing import assign, coverage_gaps, escalation_policy, hours, policy_definition, topics
from messaging.inbox.staff import roster
from messaging.models import Clinic
from messaging.versions.problems import Problem
from messaging.wording import text_templates
from reminders.decision_kinds import RULES
from web import layout, permissions, times, words
from web.presenters import assignment, coverage_charts
from web.settings import decision_form, decision_pages, policy_form

settings = layout.room("settings", __name__)
decision_pages.EDITORS[RULES.name] = "settings.show"
TEXTED = assign.TEXTED
OK = 200


@settings.get("/ladder")
@permissions.signed_in("inbox.read")
def show() -> str:
    """Show the live policy: to read for everyone who works the inbox, to change for who decides for the clinic."""
    return decision_form.show(RULES, _shown)


@settings.post("/ladder")
@permissions.signed_in("clinic.settings", fresh=True)
def save() -> Response | tuple[str, int]:
    """Keep a draft; what cannot be read is refused at its field, and what a colleague has saved is not written over."""
    return decision_form.save(RULES, _page, policy_form.given(request.form))


def _shown(session: Session, clinic: Clinic, sheet: decision_form.Sheet) -> str:
    """The page as it stands: its draft in the form, with hours as people write them."""
    return _page(session, clinic, replace(sheet, raw=_raw(sheet)))


def _raw(sheet: decision_form.Sheet) -> dict[str, Any]:
    return policy_form.of_policy(policy_definition.read(sheet.raw), twelve=times.style().twelve)


def _page(session: Session, clinic: Clinic, sheet: decision_form.Sheet) -> str:
    rules, people = assign.Rules.of(clinic.rules), roster.people(session, clinic)
    written = policy_definition.present(clinic.rules, people)
    desk = decision_pages.desk(session, clinic, RULES)
    holds = written.model_dump(mode="json")
    gaps = decision_pages.spoken(session, clinic, RULES, RULES.check(session, clinic, holds), holds)
    names = {person.email: person.name for person in people}
    problems = _at_fields(desk.problems if sheet.code == OK else sheet.wrong)
    wrong_rows = [_row(field) for field, said in problems.items() if said]
    return layout.page(
        session,
        "staff/ladder.html",
        here="ladder",
        desk=desk,
        by_kind=[_spoken(name, written.kind(name), rules) for name in assign.KINDS],
        rules=[(route.name, assignment.rule_words(route, names)) for route in written.route],
        hours=hours.say(written.hours, twelve=times.style().twelve),
        holidays=written.holidays,
        sheet=sheet,
        raw=sheet.raw,
        problems=problems,
        wrong_rows=wrong_rows,
        wrong_rules=[field.partition("]")[0] + "]" for field in problems if field.startswith("route[")],
        opened=wrong_rows[0] if wrong_rows else request.args.get("open"),
        on_call_names=[person.name for person in people if sheet.raw["on_call"].get(person.email)],
        gaps=gaps,
        rows=range(policy_form.ROWS),
        more_rules=len(sheet.raw["route"]) < policy_definition.MOST_ROUTES,
        choices=_choices(people),
        kinds=_kinds(),
        topics=[(topic, said, topic in topics.OF_THE_DESK) for topic, said in items.words()["topics"].items()],
        asked=[(receiver, words.say("rungs", receiver)) for receiver in escalation_policy.ASKED],
        people=people,
        edits=layout.may("clinic.settings"),
        week=coverage_charts.week(coverage_gaps.week(people, rules)),
        **_trial(clinic, people, rules),
        call_list=rules.call_list,
        fallback=[person.name for email in rules.fallback for person in people if person.email == email],
    )


def _kinds() -> list[tuple[str, str, bool, bool]]:
    """Each kind of item with its words, whether it is told by text, and whether its clock runs day and night."""
    return [(name, words.say("kinds", name), name in TEXTED, name in assign.ALWAYS_RUNNING) for name in assign.KINDS]


def _at_fields(problems: Sequence[Problem]) -> dict[str, str]:
    """What is wrong by the field of the form: all the days that the clinic is closed stand in one."""
    days = "; ".join(problem.message for problem in problems if problem.field.startswith("holidays"))
    return {problem.field: problem.message for problem in reversed(problems)} | {"holidays": days}


def _row(field: str) -> str:
    """The section of the form that a field stands in."""
    return {"backup": "fallback", "holidays": "hours"}.get(name := re.split(r"[.\[]", field)[0], name)


def _choices(people: Sequence[escalation_policy.Person]) -> dict[str, list[tuple[str, str]]]:
    """What a rule can ask for and give to, each with its words."""
    screens = []
    for name in sorted(scoring.instruments()):
        instrument = scoring.instrument(name)
        screens.append((name, instrument.title))
        screens += [
            (f"{name}:{band.name}", words.say("rules", "at_least", title=instrument.title, band=band.words["en"]))
            for band in instrument.bands()[1:]
        ]
    return {
        "screens": screens,
        "languages": [(language, words.say("languages", language)) for language in text_templates.LANGUAGES],
        "panels": [(panel, panel) for panel in sorted({panel for each in people for panel in each.panels})],
        "to": [(receiver, words.say("receivers", receiver)) for receiver in words.table_of("receivers")],
    }


def _spoken(name: str, kind: policy_definition.Kind, rules: assign.Rules) -> tuple[str, str, str, str]:
    """A kind in words: its name, until when, whom the policy asks while the clinic is open, and while it is closed."""
    due = words.say("ladder", "within", time=times.length(timedelta(minutes=kind.answer)))
    if kind.clock == "business":
        due += words.say("ladder", "in_business")
    if kind.before_leaving:
        due += words.say("ladder", "before_leaving")
    if name not in TEXTED:
        return words.say("kinds", name), due, words.say("ladder", "in_the_list"), ""
    ladders = [
        ", ".join(
            words.say("ladder", "rung", who=words.say("rungs", step.ask), minutes=step.wait)
            for step in rules.steps_of(name, is_open=is_open)
        )
        for is_open in (True, False)
    ]
    return words.say("kinds", name), due, ladders[0], ladders[1] if ladders[1] != ladders[0] else ""


def _trial(clinic: Clinic, people: Sequence[escalation_policy.Person], rules: assign.Rules) -> dict[str, Any]:
    """The moment to try out, and what would happen then."""
    moment, kind = _moment(clinic), request.args.get("kind", "safety")
    kind = kind if kind in TEXTED else "safety"
    return {
        "tried": _tried(clinic, people, rules, kind, moment),
        "tried_kind": kind,
        "tried_at": times.typed_moment(moment, clinic.zone),
    }


def _tried(
    clinic: Clinic,
    people: Sequence[escalation_policy.Person],
    rules: assign.Rules,
    kind: str,
    moment: datetime,
) -> list[tuple[str, str, str]]:
    lines = escalation_policy.preview(assign.Need(kind), people, rules, moment, clinic.zone)
    days = [times.day(line.at, clock.now(), clinic.zone) for line in lines]
    return [
        (
            times.time_of(line.at, clinic.zone) if day == before else times.moment(line.at, clock.now(), clinic.zone),
            words.say("rungs", line.ask),
            ", ".join(line.names) or words.say("ladder", "nobody"),
        )
        for line, day, before in zip(lines, days, ["", *days], strict=False)
    ]


def _moment(clinic: Clinic) -> datetime:
    """The moment to try out: the one asked for, else the next Saturday at 3:00, when a gap is most likely."""
    if asked := times.moment_of(request.args.get("at", ""), clinic.zone):
        return asked
    local = clock.now().astimezone(ZoneInfo(clinic.zone))
    saturday = local + timedelta(days=(5 - local.weekday()) % 7 or 7)
    return saturday.replace(hour=3, minute=0, second=0, microsecond=0).astimezone(UTC)
