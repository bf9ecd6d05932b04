"""The page on which a clinic decides which questionnaires it asks, of whom and how often, tried on made-up visits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from config import clock
from intake_links import scoring
from messaging.models import Clinic
from messaging.wording import text_templates
from reminders import care_model, schedules
from reminders.questionnaires import SCHEDULE, of_clinic
from reminders.rules import zones
from web import layout, permissions, times, words
from web.settings import decision_form, decision_pages

questionnaires = layout.room("questionnaires", __name__)
decision_pages.EDITORS["schedule"] = "questionnaires.show"
MOST, SPARE, TAKEN = 10, 1, 3
WHO = ("everyone", "in_treatment", "not_in_treatment", *schedules.PHASES)
# The made-up patient comes on these days after the first one.
VISITS = (0, 14, 28, 56, 90, 180, 365, 379)


@dataclass(frozen=True)
class Visit:
    """A made-up visit: its day, what it would ask, and why the rest is not asked."""

    day: str
    asked: list[str]
    not_asked: list[str]


@questionnaires.get("/settings/schedule")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show the schedule, the draft of a change, and what both ask of a made-up patient."""
    return decision_form.show(SCHEDULE, _page)


@questionnaires.post("/settings/schedule")
@permissions.signed_in("clinic.settings")
def save() -> Response | tuple[str, int]:
    """Keep what was typed as a draft; nothing is in force by that."""
    return decision_form.save(SCHEDULE, _page, given(request.form))


def given(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return what was typed in the shape of the definition; rows without a name and a questionnaire are not there.

    Names are kept without spaces and shown with them.
    """
    rows = [
        {
            "name": "_".join(form.get(f"asks[{row}].name", "").split()),
            "instruments": form.getlist(f"asks[{row}].instruments"),
            "who": form.get(f"asks[{row}].who", ""),
            "every": form.get(f"asks[{row}].every", "").strip(),
            **{name: typed for name in ("first", "then") if (typed := form.get(f"asks[{row}].{name}", "").strip())},
        }
        for row in range(MOST)
    ]
    return {"asks": [row for row in rows if row["name"] or row["instruments"]]}


def _page(session: Session, clinic: Clinic, sheet: decision_form.Sheet) -> str:
    raw, offered = _with_phases(clinic, sheet.raw)
    desk = decision_pages.desk(session, clinic, SCHEDULE)
    trial = _trial(request.args, zones.to_local(clock.now(), zones.zone(clinic.zone)).date())
    drafted = schedules.from_mapping(desk.draft.definition) if desk.draft else None
    return layout.page(
        session,
        "staff/schedule.html",
        here="schedule",
        sheet=sheet,
        raw=raw,
        offers_phases=offered and "phases" not in request.args,
        problems=sheet.problems,
        desk=desk,
        rows=range(min(len(raw["asks"]) + SPARE, MOST)),
        who=[(who, words.say("schedule_who", who)) for who in WHO],
        phases=[(phase, words.say("schedule_who", phase)) for phase in schedules.PHASES],
        instruments=[
            (name, instrument.title)
            for name, instrument in sorted(scoring.instruments().items())
            if not instrument.ages
        ],
        languages=[(language, words.say("languages", language)) for language in text_templates.LANGUAGES],
        trial=trial,
        lines=_lines(of_clinic(session, clinic), trial),
        then=_lines(drafted, trial) if drafted else None,
        tried=range(TAKEN),
        edits=layout.may("clinic.settings"),
    )


def _with_phases(clinic: Clinic, raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """The schedule before whoever edits it, with the usual entries by phase where they ask for them; and whether the
    clinic, which has a registry, has none of its own."""
    asks = raw["asks"]
    lacking = care_model.of_clinic(clinic).registry and not any(ask.get("who") in schedules.PHASES for ask in asks)
    if not lacking or "phases" not in request.args or len(asks) + len(schedules.USUAL) > MOST:
        return raw, lacking
    return {**raw, "asks": [*schedules.USUAL, *asks]}, lacking


def _trial(args: Mapping[str, str], today: date) -> dict[str, Any]:
    """The made-up patient that is asked for; what cannot be read is left out."""
    start = _day(args.get("from", "")) or today
    taken = [{"instrument": args.get(f"taken{row}", ""), "day": args.get(f"on{row}", "")} for row in range(TAKEN)]
    return {
        "from": start,
        "in_treatment": args.get("in_treatment") == "on",
        "phase": phase if (phase := args.get("phase")) in schedules.PHASES else "",
        "language": args.get("language", "en"),
        "taken": taken,
        "known": tuple(
            schedules.Taken(entry["instrument"], day)
            for entry in taken
            if entry["instrument"] in scoring.instruments() and (day := _day(entry["day"]))
        ),
    }


def _day(typed: str) -> date | None:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


def _lines(schedule: schedules.Schedule, trial: Mapping[str, Any]) -> list[Visit]:
    """What each of the made-up visits asks, if the patient answers each time."""
    taken, visits = trial["known"], []
    for after in VISITS:
        day = trial["from"] + timedelta(days=after)
        facts = schedules.Facts(
            day,
            trial["language"],
            trial["in_treatment"],
            taken=taken,
            phase=trial["phase"] or None,
            phase_on=trial["from"] if trial["phase"] else None,
        )
        verdicts = schedules.due(schedule, facts)
        instruments = [verdict.instrument for verdict in verdicts if verdict.due]
        taken = (*taken, *(schedules.Taken(name, day) for name in instruments))
        visits.append(Visit(times.weekday_date(day), _titles(instruments), _reasons(verdicts)))
    return visits


def _reasons(verdicts: Sequence[schedules.Verdict]) -> list[str]:
    return [
        words.say(
            "schedule_why",
            verdict.why,
            what=_titles([verdict.instrument])[0],
            until=times.date_of(verdict.until) if verdict.until else "",
        )
        for verdict in verdicts
        if not verdict.due
    ]


def _titles(names: Sequence[str]) -> list[str]:
    return [scoring.instrument(name).title for name in names]
