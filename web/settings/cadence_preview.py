"""A made-up visit and what the clinic's reminders do to it, as a page shows it: picture, words, what is dropped."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy.orm import Session

from config import clock, runtime
from messaging.models import Clinic
from messaging.versions import publishing
from messaging.weekdays import WEEKDAYS
from messaging.wording import text_templates
from reminders import clinic_profile, planner, reasons
from reminders.cadence import cadence_definition
from reminders.rules import anchors, conditions, zones
from reminders.trials import made_up_visit
from web import times, words
from web.settings import cadence_picture

KIND = "cadence"
BOOKED = {
    "month": timedelta(days=30),
    "week": timedelta(days=7),
    "day": timedelta(days=1),
    "same": timedelta(hours=3),
}
MARKED = ("", *conditions.OUTCOMES)
ASKED = ("day", "time", "booked", "zone", "language", "privacy", "marked")
TICKS = ("confirmed", "answered")
PRIVACY = ("place", "details", "generic")
ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles",
    "America/Anchorage", "Pacific/Honolulu", "America/Puerto_Rico",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One step of a pane: its name, what it is `called`, its number in the picture (None: dropped), when, why, its
    words and what they cost."""

    step: str
    called: str
    number: int | None
    when: str
    why: list[str]
    body: str
    segments: int
    moved: bool


@dataclass(frozen=True)
class Pane:
    """What one version does for the made-up visit: `key` live | draft."""

    key: str
    picture: cadence_picture.Timeline
    lines: list[Line]


@dataclass
class Asked:
    """The made-up visit as it was asked for, and as the form shows it again; problems by field."""

    day: str
    time: str
    booked: str
    zone: str
    language: str
    privacy: str
    kind: str
    marked: str
    confirmed: bool
    answered: bool
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def query(self) -> dict[str, str]:
        """What leads to the same made-up visit again."""
        shown = {name: getattr(self, name) for name in ASKED}
        ticked = {name: "on" for name in TICKS if getattr(self, name)}
        return shown | {"visit_kind": self.kind} | ticked


def asked_for(clinic: Clinic, args: Mapping[str, str]) -> tuple[Asked, made_up_visit.Example]:
    """Read a made-up visit from a form or an address; what cannot be read is named, and the usual stands in for it."""
    today = zones.to_local(clock.now(), zones.zone(clinic.zone)).date()
    usual = today + timedelta(days=7)
    usual += timedelta(days=max(0, 7 - usual.weekday()) if usual.weekday() > 4 else 0)
    asked = Asked(
        args.get("day") or usual.isoformat(),
        args.get("time") or "9:00",
        _one_of(args.get("booked"), tuple(BOOKED)),
        args.get("zone", "").strip(),
        _one_of(args.get("language"), text_templates.LANGUAGES),
        _one_of(args.get("privacy"), PRIVACY),
        args.get("visit_kind", "").strip()[:40],
        _one_of(args.get("marked"), MARKED),
        confirmed=bool(args.get("confirmed")),
        answered=bool(args.get("answered")),
    )
    day, hour, zone = _read(asked, usual)
    wall = datetime.combine(day, hour)
    starts_at = zones.local_to_utc(wall, zones.zone(clinic.zone))
    example = made_up_visit.Example(
        starts_at=starts_at,
        booked_at=starts_at - BOOKED[asked.booked],
        zone=clinic.zone,
        patient_zone=zone,
        language=asked.language,
        privacy=asked.privacy,
        kind=asked.kind or None,
        confirmed=asked.confirmed,
        answered=asked.answered,
        marked=asked.marked or None,
    )
    return asked, example


def _read(asked: Asked, usual: date) -> tuple[date, time, str | None]:
    """The day, the time and the patient's zone; what cannot be read is named in `asked.problems`."""
    day, hour, zone = usual, time(9), asked.zone or None
    try:
        parsed = date.fromisoformat(asked.day)
        if parsed.year not in range(2000, 2100):
            raise ValueError
        day = parsed
    except ValueError:
        asked.problems["day"] = words.say("cadence", "bad_day")
    try:
        hour = time.fromisoformat(asked.time.zfill(5)).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        asked.problems["time"] = words.say("cadence", "bad_time")
    try:
        if asked.zone:
            zones.of_place(asked.zone)
    except zones.UnknownZone:
        asked.problems["zone"], zone = words.say("cadence", "bad_zone"), None
    return day, hour, zone


def _one_of(value: str | None, allowed: tuple[str, ...]) -> str:
    return value if value in allowed else allowed[0]


def preview(session: Session, clinic: Clinic, args: Mapping[str, str]) -> dict[str, Any]:
    """Return what the page shows of a made-up visit: the live version, and the draft beside it where there is one."""
    asked, example = asked_for(clinic, args)
    place = zones.zone(clinic.zone)
    change = zones.next_change(clock.now(), place)
    changes_on = zones.to_local(change, place).date() if change else None
    return {
        "asked": asked,
        "panes": [
            _pane(session, clinic, key, cadence, example) for key, cadence in versions_of(session, clinic).items()
        ],
        "visit_said": _when(example.starts_at, clinic.zone),
        "changes_on": changes_on,
        # Two days later every usual step lies on the other side of the change.
        "after_change": (changes_on + timedelta(days=2)).isoformat() if changes_on else None,
        "zone_names": list(dict.fromkeys([*ZONES, *filter(None, [asked.zone])])),
        "languages": [(language, words.say("languages", language)) for language in text_templates.LANGUAGES],
        "privacies": [(level, words.say("privacy", level)) for level in PRIVACY],
        "bookings": [(booking, words.say("cadence_booked", booking)) for booking in BOOKED],
        "markings": [(marking, words.say("cadence_marked", marking or "open")) for marking in MARKED],
        "query": asked.query,
    }


def versions_of(session: Session, clinic: Clinic) -> dict[str, cadence_definition.Cadence]:
    """Return the cadence in force as "live", and the "draft" if there is one, both in the hours the clinic leaves."""
    versions = {"live": planner.cadence_of(session, clinic.id)}
    draft = publishing.draft(session, clinic.id, KIND)
    if draft is not None:
        versions["draft"] = clinic_profile.narrowed(cadence_definition.from_mapping(draft.definition), clinic)
    return versions


def _pane(
    session: Session,
    clinic: Clinic,
    key: str,
    cadence: cadence_definition.Cadence,
    example: made_up_visit.Example,
) -> Pane:
    shown = made_up_visit.show(session, clinic, cadence, example, runtime.settings().public_url)
    going = sorted((text for text in shown if text.at), key=lambda text: text.at or example.starts_at)
    zone = example.patient_zone or example.zone
    called = {step.name: _called(step) for of in (cadence.steps, *cadence.kinds.values()) for step in of}
    lines = [_line(text, called, number, zone) for number, text in enumerate(going, 1)]
    lines += [_line(text, called, None, zone) for text in shown if text.at is None]
    quiet = cadence.quiet_hours
    picture = cadence_picture.draw(
        [(text.at, text.moved) for text in going if text.at],
        example.starts_at,
        example.booked_at,
        zones.zone(zone),
        (quiet.start.hour + quiet.start.minute / 60, quiet.end.hour + quiet.end.minute / 60),
    )
    return Pane(key, picture, lines)


def _line(text: made_up_visit.Shown, called: Mapping[str, str], number: int | None, zone: str) -> Line:
    when = _when(text.at, zone) if text.at else ""
    why = [reasons.plain(reason, times.typed_clock) for reason in text.why]
    return Line(text.step, called.get(text.step, text.step), number, when, why, text.body, text.segments, text.moved)


def _called(step: anchors.Anchored) -> str:
    """Return when a step is sent as people say it: "72 hours before the visit"; by its weekday where it has one."""
    if step.weekday is not None:
        return words.say("around_a_visit", "weekday", day=calendar.day_name[WEEKDAYS.index(step.weekday)])
    side = "after" if step.before is None else "before"
    return words.say("around_a_visit", side, span=str(step.after if step.before is None else step.before))


def _when(at: datetime, zone: str) -> str:
    local = zones.to_local(at, zones.zone(zone))
    name = local.tzname() or ""
    return f"{times.weekday_date(local, local)}, {times.clock_time(local)}{f' {name}' if name.isalpha() else ''}"
