"""No text names a day or an hour that is wrong when it leaves, by the visit's clock or by the patient's."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from messaging.models import Clinic, Patient
from messaging.wording import clinic_words, situations
from reminders import phrasing
from reminders.models import Appointment
from reminders.rules import planning, zones
from tests.reminders.rules.test_planning_properties import DEFAULT, HARD_TO_FIND, ZONES, some_case, some_visit, useful

SECOND = timedelta(seconds=1)
CLINIC = Clinic(name="Elm Clinic", phone="+13035550101", rules={})
FILLED = {"place": "Room 4", "link": "https://clinic.example/i/abc"}
KEYS = [key for key, text in situations.every().items() if text.of_visit and not key.startswith(("generic_", "place_"))]
# What clinics may have published before such words were refused.
LITERAL = [
    {},
    {"en": dict.fromkeys(KEYS, "See you today at {time}!"), "es": dict.fromkeys(KEYS, "Nos vemos hoy, {time}")},
    {"en": dict.fromkeys(KEYS, "Tomorrow, {time}: us"), "es": dict.fromkeys(KEYS, "MAÑANA le esperamos, {time}")},
    {"en": dict.fromkeys(KEYS, "Tonight, {time}"), "es": dict.fromkeys(KEYS, "Pasado mañana: {time}")},
    {"en": dict.fromkeys(KEYS, "{day} ({date}), not the day after tomorrow"), "es": dict.fromkeys(KEYS, "{day}")},
]
ENGLISH = {"days": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday", "today": "today", "tomorrow": "tomorrow"}
SPANISH = {"days": "lunes martes miércoles jueves viernes sábado domingo", "today": "hoy", "tomorrow": "mañana"}
MONTHS = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
DATE = {
    "en": r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?P<month>[A-Z][a-z]{2}) (?P<day>\d+)",
    "es": r"(?:lun|mar|mié|jue|vie|sáb|dom) (?P<day>\d+) de (?P<month>[a-z]+)",
}
HOUR = r"(?P<hour>\d+):(?P<minute>\d\d) (?P<half>AM|PM|am|pm)"
ELSEWHERE = r"today|tonight|tomorrow|yesterday|hoy|mañana|ayer|esta noche|esta tarde"


def wrong(text, language, visit, patient, at):
    """What a text says of a visit that is not so at `at`, told from both clocks and not by the rules that word it."""
    here = ZoneInfo(visit.zone)
    theirs = ZoneInfo(patient.zone or visit.zone)
    days = [(at.astimezone(clock).date(), visit.starts_at.astimezone(clock).date()) for clock in (here, theirs)]
    ahead = {(day - today).days for today, day in days}
    start, own = visit.starts_at.astimezone(here), visit.starts_at.astimezone(theirs)
    labels = {f" {name}" for name in (start.tzname(), f"UTC{start:%z}") if name != own.tzname()}
    found = []
    for date in re.finditer(DATE[language], text):
        meant = (MONTHS[language].split().index(date["month"]) + 1, int(date["day"]))
        named = any(text[date.end() :].startswith(label) for label in labels)
        if meant != (start.month, start.day) or (own.date() != start.date() and not named):
            found.append(date[0])
    for hour in re.finditer(HOUR, text):
        meant = (int(hour["hour"]) % 12 + 12 * (hour["half"].lower() == "pm"), int(hour["minute"]))
        named = any(text[hour.end() :].startswith(label) for label in labels)
        if meant != (start.hour, start.minute) or (own.utcoffset() != start.utcoffset() and not named):
            found.append(hour[0])
    rest, said = re.sub(DATE[language], "", text), SPANISH if language == "es" else ENGLISH
    near = {said["today"]: {0}, said["tomorrow"]: {1}, said["days"].split()[start.weekday()]: set(range(7))}
    for word in re.findall(rf"\b(?:{said['days'].replace(' ', '|')}|{ELSEWHERE})\b", rest, re.IGNORECASE):
        if len(set(days)) > 1 or not ahead <= near.get(word, near.get(word.lower(), set())):
            found.append(word)
    return found


def said_of(visit, patient, language, own, now):
    """Every text about the visit as it is written at `now`, and until when it may leave."""
    words = phrasing.words(CLINIC, patient, visit, now) | FILLED
    for key in KEYS:
        said = words | {"codes": f"1) {words['date']} {words['time']}"}
        if "codes" in situations.every()[key].places:
            del said["day"]
        ends = phrasing.day_ends(patient, visit, now)
        yield phrasing.say(own, key, patient, said), phrasing.said_until(own, key, patient, said, ends)


def holds(seen, now, language, privacy, literal):
    visit = Appointment(starts_at=seen.starts_at, zone=seen.zone.key)
    patient = Patient(language=language, privacy=privacy, zone=seen.patient_zone and seen.patient_zone.key)
    limit = seen.starts_at if seen.outcome is None else now + timedelta(days=3)
    for text, until in said_of(visit, patient, language, clinic_words.Words(literal), now):
        last = max(now, min(until or limit, limit) - SECOND)
        assert until is None or until - now >= timedelta(minutes=15) or literal
        assert [wrong(text, language, visit, patient, at) for at in (now, last)] == [[], []], text


def seen_at(wall, zone, patient_zone=None):
    start = zones.local_to_utc(datetime.fromisoformat(wall), ZoneInfo(zone))
    return planning.Visit(start, ZoneInfo(zone), start - timedelta(days=30), patient_zone and ZoneInfo(patient_zone))


HOW = {
    "language": st.sampled_from(["en", "es"]),
    "privacy": st.sampled_from(["place", "details"]),
    "literal": st.sampled_from(LITERAL),
}


@settings(max_examples=150, deadline=None, suppress_health_check=HARD_TO_FIND)
@given(seen=some_visit(), minutes=st.one_of(st.integers(1, 3 * 1440), st.integers(1, 9 * 1440)), **HOW)
@example(seen_at("2027-03-10T08:30", "America/Denver"), 750, "en", "place", {})
@example(seen_at("2027-03-10T00:30", "America/New_York", "America/Los_Angeles"), 20, "en", "details", {})
@example(seen_at("2027-03-10T00:05", "Pacific/Apia", "Pacific/Pago_Pago"), 10, "es", "place", LITERAL[2])
@example(seen_at("2027-09-05T09:00", "America/Santiago", "America/New_York"), 541, "en", "place", LITERAL[1])
@example(seen_at("2027-11-07T09:00", "America/Chicago", "Asia/Shanghai"), 60, "en", "place", {})
def test_whenever_a_text_about_a_visit_leaves_its_day_and_hour_are_right(seen, minutes, language, privacy, literal):
    early = -minutes if seen.outcome is None else minutes
    holds(seen, seen.starts_at + timedelta(minutes=early), language, privacy, literal)


@settings(max_examples=150, deadline=None, suppress_health_check=HARD_TO_FIND)
@given(case=some_case() | st.tuples(some_visit(), st.just(DEFAULT)), late=st.integers(0, 1440), **HOW)
def test_every_step_of_every_cadence_says_the_right_day_however_late_it_leaves(case, late, language, privacy, literal):
    seen, cadence = case
    for step in planning.plan(seen, cadence):
        now = step.at and step.at + timedelta(minutes=late)
        if now and useful(step, now, seen, cadence):
            holds(seen, now, language, privacy, literal)


@given(st.sampled_from(ZONES), st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)))
def test_the_next_midnight_is_the_first_moment_of_the_next_day(zone, at):
    at, place = at.replace(tzinfo=UTC), ZoneInfo(zone)
    midnight = zones.next_midnight(at, place)
    assert at < midnight
    assert (midnight - SECOND).astimezone(place).date() == at.astimezone(place).date()
    assert midnight.astimezone(place).date() == at.astimezone(place).date() + timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2027-03-09T19:45", "tomorrow"),
        ("2027-03-10T00:10", "today"),
        ("2027-03-09T23:44", "tomorrow"),
        ("2027-03-09T23:50", "Wed, Mar 10"),  # too near to midnight for a busy queue
        ("2027-03-07T12:00", "Wednesday"),
        ("2027-03-03T12:00", "Wed, Mar 10"),  # a week ahead a weekday is two days
    ],
)
def test_the_day_is_said_as_it_is_seen_from_the_moment_of_leaving(now, day):
    seen = seen_at("2027-03-10T08:30", "America/Denver")
    at = zones.local_to_utc(datetime.fromisoformat(now), seen.zone)
    visit = Appointment(starts_at=seen.starts_at, zone="America/Denver")
    assert phrasing.words(CLINIC, Patient(language="en", privacy="place"), visit, at)["day"] == day


@pytest.mark.parametrize(
    ("visit_at", "zone", "theirs", "hours", "day", "time"),
    [
        ("2027-03-10T08:30", "America/Denver", "America/Phoenix", 10, "tomorrow", "8:30 AM"),
        ("2027-03-10T08:30", "America/Denver", "America/New_York", 10, "Wed, Mar 10", "8:30 AM MST"),
        ("2027-03-10T22:30", "America/Los_Angeles", "America/New_York", 3, "Wed, Mar 10 PST", "10:30 PM PST"),
        ("2027-03-10T08:30", "Pacific/Apia", "Pacific/Pago_Pago", 3, "Wed, Mar 10 UTC+1300", "8:30 AM UTC+1300"),
        ("2027-03-10T10:00", "America/Chicago", "Asia/Shanghai", 1, "Wed, Mar 10 UTC-0600", "10:00 AM UTC-0600"),
    ],
)
def test_a_patient_on_another_clock_is_told_a_day_that_both_clocks_know(visit_at, zone, theirs, hours, day, time):
    seen = seen_at(visit_at, zone, theirs)
    visit = Appointment(starts_at=seen.starts_at, zone=zone)
    patient = Patient(language="en", privacy="place", zone=theirs)
    said = phrasing.words(CLINIC, patient, visit, seen.starts_at - timedelta(hours=hours))
    assert (said["day"], said["time"]) == (day, time)
