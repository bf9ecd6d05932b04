"""How a visit is spoken of: its day and hour, in the patient's language, as openly as the patient wants."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from messaging import models as messaging
from messaging import phone, wording
from reminders.models import Appointment
from reminders.rules import zones


def words(
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    appointment: Appointment,
    now: datetime,
    language: str | None = None,
) -> dict[str, str]:
    """Return what a text may say of a visit, in the patient's language, by the variable's name; the visit's own clock."""
    spoken = texts(language or patient.language)
    start = zones.to_local(appointment.starts_at, zones.zone(appointment.zone))
    ahead = start.date() - zones.to_local(now, zones.zone(appointment.zone)).date()
    half = {
        "hour": (start.hour - 1) % 12 + 1,
        "minute": start.minute,
        "half": spoken["halves"][start.hour // 12],
    }
    short_day = spoken["short_days"][start.weekday()]
    date = spoken["date"].format(short_day=short_day, month=spoken["months"][start.month - 1], day=start.day)
    near = {0: spoken["today"], 1: spoken["tomorrow"]} | {
        days: spoken["days"][start.weekday()] for days in range(2, 7)
    }
    time = spoken["time"].format(**half) + _other_clock(start, patient)
    said = {"day": near.get(ahead.days, date), "date": date, "short_day": short_day, "time": time}
    place = {"place": appointment.place} if appointment.place else {}
    return said | about_clinic(clinic, patient) | place


def about_clinic(clinic: messaging.Clinic, patient: messaging.Patient) -> dict[str, str]:
    """Return the variables that need no visit: the patient's first name, the clinic and its phone."""
    return {
        "first_name": patient.first_name or "",
        "clinic": clinic.name,
        "clinic_phone": phone.display(clinic.phone),
        "care_team": texts(patient.language)["care_team"],
    }


def _other_clock(start: datetime, patient: messaging.Patient) -> str:
    """The name of the visit's zone, where the patient's own clock shows another hour."""
    if not patient.zone or zones.to_local(start, zones.zone(patient.zone)).utcoffset() == start.utcoffset():
        return ""
    name = start.tzname() or ""
    return f" {name}" if name.isalpha() else ""


def text_for(key: str, patient: messaging.Patient, *, place: str | None = None) -> str:
    """Return the wording of `key` in the patient's language, as open as the patient wants texts to be.

    Privacy generic says nothing of the visit; place names day, time and clinic; details also the place in it.
    """
    return said_as(key, patient.language, patient.privacy, place=place)


def said_as(key: str, language: str, privacy: str, *, place: str | None = None) -> str:
    """Return what `text_for` would for a patient with this language and privacy."""
    own, common = texts(language), wording.texts(language)
    if privacy == "generic" and (key in own["generic"] or key.startswith("reminder")):
        return str(own["generic"].get(key) or own["generic"]["reminder"])
    if key in own["place"] and (privacy != "details" or not place):
        return str(own["place"][key])
    return common.get(key) or common["reminder_day"]


def staff_words(
    clinic: messaging.Clinic, patient: messaging.Patient, appointment: Appointment, now: datetime
) -> dict[str, str]:
    """Return the day and time of a visit as staff read them."""
    said = words(clinic, patient, appointment, now, language="en")
    return {name: said[name] for name in ("short_day", "date", "time")}


@cache
def texts(language: str) -> Mapping[str, Any]:
    """Return this room's words in `language` ("es", "es-MX"), in English where we have no other."""
    primary = language.lower().replace("_", "-").split("-")[0]
    chosen = primary if primary in wording.LANGUAGES else "en"
    file = resources.files("reminders").joinpath("texts", f"{chosen}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
