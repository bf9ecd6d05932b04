"""Reads one row of an import as a patient or as a visit, or says in words what is wrong with it."""

import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from config import clock
from messaging import languages, phone
from messaging import models as messaging
from messaging.people import contact_details, directory
from reminders import appointments, clinic_profile
from reminders.imports import dates, faults, value_tables
from reminders.imports.faults import WrongRow
from reminders.rules import zones

Word = TypeVar("Word", bound=str)
LONGEST_KIND = 40
# Zone data is guesswork far from today.
YEARS = range(1970, 2101)


def patient(values: Mapping[str, str], clinic: messaging.Clinic) -> directory.PatientRecord:
    """Read a patient. Raises WrongRow; a number that cannot be texted costs the number only, and `left_out` says so.

    An empty `consent` means yes: who gives a clinic their number agrees to be texted about their care (TCPA prior
    express consent, 47 CFR 64.1200(f)(9) and FCC 15-72).
    """
    number, left_out = _number(values, clinic_profile.abroad(clinic))
    fields = faults.every(
        {
            "record": lambda: needed(values, "record", 80),
            "names": lambda: names_of(values),
            "birth_date": lambda: birth_date_of(values),
            "language": lambda: _language(values),
            "zone": lambda: _zone(values),
            "panel": lambda: text(values, "panel", 120) or None,
            "sex": lambda: meant(values, "patients", "sex") or None,
            "privacy": lambda: _said(values, "privacy", directory.LEVELS),
            "consent": lambda: (meant(values, "patients", "consent") or "yes") == "yes",
            "state": lambda: _said(values, "state", directory.STATES),
        }
    )
    first_name, last_name = fields.pop("names")
    return directory.PatientRecord(
        first_name=first_name,
        last_name=last_name,
        number=number,
        left_out=left_out,
        details=details(values, clinic),
        **fields,
    )


def details(values: Mapping[str, str], clinic: messaging.Clinic) -> contact_details.ContactDetails:
    """Read address and emergency contact; what is too long is cut, so that no patient is lost over it.

    A phone that cannot be read as one stays as it is written: somebody may have to call it.
    """
    lines = {name: ", ".join(values.get(name, "").split("\n")) for name in contact_details.FIELDS}
    written = {name: " ".join(text.split())[: contact_details.LONGEST].strip(" ,") for name, text in lines.items()}
    try:
        dialled = phone.e164(written["emergency_phone"], abroad=clinic_profile.abroad(clinic))
    except phone.NotTextable:
        dialled = written["emergency_phone"]
    return contact_details.ContactDetails(**written | {"emergency_phone": dialled})


def visit(values: Mapping[str, str], clinic: messaging.Clinic) -> appointments.VisitRecord:
    """Read a visit; times without an offset are by the clock of its zone, else of its site. Raises WrongRow."""

    def place() -> str | None:
        return text(values, "place", 120) or None

    def zone() -> str:
        return _zone(values) or clinic_profile.zone_of(clinic, place())

    def starts_at() -> datetime:
        return _instant(needed(values, "starts_at", 40), "starts_at", zone)

    def booked_at() -> datetime:
        booked = text(values, "booked_at", 40)
        return _instant(booked, "booked_at", zone, whole_days=True) if booked else clock.now()

    return appointments.VisitRecord(
        **faults.every(
            {
                "external_id": lambda: needed(values, "visit", 80),
                "record": lambda: needed(values, "patient", 80),
                "starts_at": starts_at,
                "zone": zone,
                "booked_at": booked_at,
                "place": place,
                "clinician": lambda: text(values, "clinician", 120) or None,
                "kind": lambda: _kind(values),
                "state": lambda: meant(values, "appointments", "state") or "booked",
            }
        )
    )


def too_early(row: appointments.VisitRecord) -> str | None:
    """Return why a visit is taken as booked that is said to have been, before its day; None where it is not."""
    said = {"arrived": "have arrived", "no_show": "have missed it"}
    return f"state: taken as booked, since nobody can {said[row.state]} before its day" if row.too_early else None


def _kind(values: Mapping[str, str]) -> str | None:
    """What the books call the visit. What is longer than a cadence can name is cut: no visit is lost over it."""
    return text(values, "kind", 400)[:LONGEST_KIND].strip() or None


def text(values: Mapping[str, str], column: str, longest: int) -> str:
    """Return what stands in a column, "" where nothing does. Raises WrongRow for what is no words in one line."""
    value = values.get(column, "").strip()
    if len(value) > longest:
        raise WrongRow(f"{column}: longer than {longest} characters")
    if not value.isprintable() and any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value
    ):
        raise WrongRow(f"{column}: holds a line break or another character that cannot be shown")
    return value


def needed(values: Mapping[str, str], column: str, longest: int) -> str:
    """Return what stands in a column. Raises WrongRow where nothing does."""
    value = text(values, column, longest)
    if not value:
        raise WrongRow(f"{column}: is empty")
    return value


def _said(values: Mapping[str, str], column: str, allowed: tuple[Word, ...]) -> Word | None:
    """One of the known words of a patient's field, None where the file does not say."""
    word = meant(values, "patients", column)
    return next((candidate for candidate in allowed if candidate == word), None)


def meant(values: Mapping[str, str], kind: str, column: str) -> str:
    """Return our value for what stands there, "" where nothing is said. Raises WrongRow."""
    typed = text(values, column, 60)
    if typed == value_tables.LEFT_OUT:
        raise WrongRow(f"{column}: left out, as was chosen for this value")
    meant = value_tables.meaning(kind, column, typed)
    if meant is None:
        allowed = value_tables.choices(kind, column)
        raise WrongRow(f"{column}: expected {', '.join(allowed[:-1])} or {allowed[-1]}")
    return meant


def names_of(values: Mapping[str, str]) -> tuple[str, str]:
    """Return first and last name. Whoever has one name has it as the first,
    in whichever column it stands: texts greet by it."""
    first, last = text(values, "first_name", 120), text(values, "last_name", 120)
    if "," in first:  # texts would greet by it
        raise WrongRow("first_name: holds a comma, as a whole name does: choose the column as the whole name")
    return (first, last) if first else (needed(values, "last_name", 120), "")


def _number(values: Mapping[str, str], abroad: Collection[str]) -> tuple[str | None, str | None]:
    """The number, and why it is left out where it cannot be texted: the patient is on file either way."""
    try:
        typed = text(values, "phone", 120)
        return (phone.of_cell(typed, abroad) if typed else None), None
    except (phone.NotTextable, WrongRow) as wrong:
        return None, f"taken without the phone number: {str(wrong).removeprefix('phone: ')}"


def birth_date_of(values: Mapping[str, str]) -> date | None:
    """Return when they were born, None where nothing is said. Raises WrongRow."""
    typed = text(values, "birth_date", 40)
    if not typed:
        return None
    # A day more than today: it may already be tomorrow where the clinic is.
    latest = clock.now().date() + timedelta(days=1)
    born = dates.day(typed, until=latest)
    if born is None:
        raise WrongRow("birth_date: expected a date such as 1980-02-29 or 2/29/1980")
    if born.year < 1900 or born > latest:
        raise WrongRow("birth_date: expected a date from 1900 until today")
    return born


def _language(values: Mapping[str, str]) -> str:
    typed = text(values, "language", 80)
    if typed == value_tables.LEFT_OUT:
        raise WrongRow("language: left out, as was chosen for this value")
    try:
        return languages.read(typed) or "en"
    except languages.UnknownLanguage as unknown:
        raise WrongRow(f"language: {unknown}") from None


def _zone(values: Mapping[str, str]) -> str | None:
    name = text(values, "zone", 60)
    if not name:
        return None
    try:
        return zones.of_place(name).key
    except zones.UnknownZone as unknown:
        raise WrongRow(f"zone: {unknown}") from None


def _instant(typed: str, column: str, zone: Callable[[], str], *, whole_days: bool = False) -> datetime:
    at = dates.moment(typed, whole_days=whole_days)
    if at is None:
        raise WrongRow(f"{column}: expected a date and time such as 2026-03-10T09:00")
    if at.year not in YEARS:
        raise WrongRow(f"{column}: expected a year from {YEARS[0]} to {YEARS[-1]}")
    return at.astimezone(UTC) if at.tzinfo else zones.local_to_utc(at, zones.zone(zone()))
