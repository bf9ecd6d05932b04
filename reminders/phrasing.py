"""How a visit is spoken of: its day and hour, in the patient's language, as openly as the patient wants."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

from messaging import models as messaging
from messaging import phone
from messaging.wording import clinic_names, clinic_words, situations, text_templates
from reminders import clinic_profile
from reminders.models import Appointment
from reminders.rules import zones

# A text that stands in a busy queue takes minutes to leave: by then "tomorrow" must not have become another day.
ROOM_TO_SEND = timedelta(minutes=15)


def words(
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    appointment: Appointment,
    now: datetime,
    language: str | None = None,
) -> dict[str, str]:
    """Return what a text may say of a visit, in the patient's language,
    by the variable's name; the visit's own clock."""
    spoken = texts(language or patient.language)
    start = zones.to_local(appointment.starts_at, zones.zone(appointment.zone))
    half = {
        "hour": (start.hour - 1) % 12 + 1,
        "minute": start.minute,
        "half": spoken["halves"][start.hour // 12],
    }
    short_day = spoken["short_days"][start.weekday()]
    named = spoken["date"].format(short_day=short_day, month=spoken["months"][start.month - 1], day=start.day)
    clock = _other_clock(start, patient)
    if _own_day(patient, appointment, appointment.starts_at) != start.date():
        named += clock
    day = _near_day(spoken, patient, appointment, now) or named
    of_visit = {"day": day, "date": named, "short_day": short_day, "time": spoken["time"].format(**half) + clock}
    return of_visit | about_clinic(clinic, patient, language) | place_of(clinic, appointment.place)


def day_ends(patient: messaging.Patient, appointment: Appointment, now: datetime) -> datetime:
    """Return the next midnight (UTC) after `now` by the patient's clock or by the visit's, whichever comes first."""
    clocks = (appointment.zone, patient.zone or appointment.zone)
    return min(zones.next_midnight(now, zones.zone(name)) for name in clocks)


def _own_day(patient: messaging.Patient, appointment: Appointment, at: datetime) -> date:
    """The day that the patient's own clock shows at `at`."""
    return zones.to_local(at, zones.zone(patient.zone or appointment.zone)).date()


def _near_day(
    spoken: Mapping[str, Any], patient: messaging.Patient, appointment: Appointment, now: datetime
) -> str | None:
    """The visit's day as "today", "tomorrow" or a weekday; None where it is far, or where that may be misread.

    It may be where the patient's calendar and the visit's differ, now or at the visit, and where the day soon ends.
    """
    today, day = (zones.to_local(at, zones.zone(appointment.zone)).date() for at in (now, appointment.starts_at))
    theirs = tuple(_own_day(patient, appointment, at) for at in (now, appointment.starts_at))
    if theirs != (today, day) or day_ends(patient, appointment, now) - now < ROOM_TO_SEND:
        return None
    near = {0: spoken["today"], 1: spoken["tomorrow"]} | {days: spoken["days"][day.weekday()] for days in range(2, 7)}
    return near.get((day - today).days)


def of_moment(language: str, zone: str, at: datetime, now: datetime) -> dict[str, str]:
    """Return a moment within a week as a text says it, by the clock of `zone`: {day} "today", {time} "2:30 PM"."""
    spoken, local = texts(language), zones.to_local(at, zones.zone(zone))
    days = (local.date() - zones.to_local(now, zones.zone(zone)).date()).days
    day = {0: spoken["today"], 1: spoken["tomorrow"]}.get(days, spoken["days"][local.weekday()])
    half = {"hour": (local.hour - 1) % 12 + 1, "minute": local.minute, "half": spoken["halves"][local.hour // 12]}
    return {"day": day, "time": spoken["time"].format(**half)}


def place_of(clinic: messaging.Clinic, place: str | None) -> dict[str, str]:
    """Return where to come as a text may say it: nothing where the books name more than a room."""
    spoken = clinic_profile.spoken_place(clinic, place) if place else ""
    return {"place": spoken} if spoken and clinic_names.tells_nothing(spoken) else {}


def about_clinic(clinic: messaging.Clinic, patient: messaging.Patient, language: str | None = None) -> dict[str, str]:
    """Return the variables that need no visit: the patient's first name, the clinic and its phone."""
    return {
        "first_name": patient.first_name or "",
        "clinic": clinic_names.in_texts(clinic, language or patient.language),
        "clinic_phone": phone.display(clinic.phone),
        "care_team": texts(patient.language)["care_team"],
    }


def _other_clock(start: datetime, patient: messaging.Patient) -> str:
    """The name of the visit's zone, where the patient's own clock shows another hour."""
    theirs = zones.to_local(start, zones.zone(patient.zone)) if patient.zone else start
    if theirs.utcoffset() == start.utcoffset():
        return ""
    name = start.tzname() or ""
    # Some zones have no name but their offset, and "CST" is Chicago's and Shanghai's.
    return f" {name}" if name.isalpha() and name != theirs.tzname() else f" UTC{start:%z}"


def say(
    own: clinic_words.Words,
    key: str,
    patient: messaging.Patient,
    variables: Mapping[str, str],
    language: str | None = None,
    *,
    openness: str | None = None,
) -> str:
    """Return the text of `key` as the clinic words it, in the patient's language,
    as open as the patient wants texts to be.

    `openness` is how much may be said now (people.openness), without it what the patient chose.
    """
    chosen = chosen_for(key, openness or patient.privacy, place=variables.get("place"))
    return own.say(chosen, language or patient.language, variables)


def said_until(
    own: clinic_words.Words,
    key: str,
    patient: messaging.Patient,
    said: Mapping[str, str],
    ends: datetime | None,
    *,
    openness: str | None = None,
) -> datetime | None:
    """Return until when the text that `say` makes of these may leave: `ends` (see day_ends) where it names a day by a
    word that is right only until then, None where it names none."""
    chosen = chosen_for(key, openness or patient.privacy, place=said.get("place"))
    text = own.template(chosen, patient.language, said)
    near = "{day}" in text and said["day"] != said["date"]
    return ends if near or situations.near_days(text) else None


def chosen_for(key: str, privacy: str, *, place: str | None) -> str:
    """Return which text stands for `key` where somebody wants texts this open.

    Privacy generic says nothing of the visit; place names day, time and clinic; details also the place in it.
    `openness` is how much may be said now (people.openness), without it what the patient chose.
    """
    ours = text_templates.texts("en")
    if privacy == "generic" and f"generic_{key}" in ours:
        return f"generic_{key}"
    if privacy == "generic" and key.startswith("reminder"):
        return "generic_reminder"
    if f"place_{key}" in ours and (privacy != "details" or not place):
        return f"place_{key}"
    return key if key in ours else "reminder_day"


def staff_words(
    clinic: messaging.Clinic, patient: messaging.Patient, appointment: Appointment, now: datetime
) -> dict[str, str]:
    """Return the day and time of a visit as staff read them."""
    variables = words(clinic, patient, appointment, now, language="en")
    return {name: variables[name] for name in ("short_day", "date", "time")}


@cache
def texts(language: str) -> Mapping[str, Any]:
    """Return this room's words in `language` ("es", "es-MX"), in English where we have no other."""
    file = resources.files("reminders").joinpath("texts", f"{text_templates.spoken(language)}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
