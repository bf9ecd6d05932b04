"""The course of an episode as a picture and a table: totals of forms and of a file, above them in a row each what was
said of medicine, live contacts, visits kept and missed, and what was changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload import contacts, kept_scores, relapse_plans
from caseload.models import CaseReview, Episode
from config import clock
from intake_links import scoring
from messaging.models import Patient
from reminders.models import Appointment
from web import times, words
from web.presenters import charts
from web.presenters.screen_history import Taken

ADHERENCE = "adherence"
# How each answer about medicine looks beside the scores: tone and shape, by the band of its instrument.
MEDICINE = {
    "taken": ("calm", "●"),
    "missed_some": ("plain", "◐"),
    "missed_most": ("soon", "○"),
    "no_medicine": ("plain", "–"),
}
# What happened in the episode, by a key of [care_course]: its row, below medicine, and its sign.
HAPPENED = {
    "contact": (1, "+"),
    "arrived": (2, "■"),
    "no_show": (2, "□"),
    **dict.fromkeys(("recommended", "plan", "relapse_prevention"), (3, "◆")),
}


@dataclass(frozen=True)
class Told:
    """A line of the table: the day, the total ("" for an answer about medicine), what stands beside it."""

    day: str
    total: str
    words: str


@dataclass(frozen=True)
class Course:
    """The picture with its caption and what else it shows, the table's lines, latest first, and what each sign means.

    `told`: a total came with a file, and is drawn hollow; `rings`: one has a ring, as its self-harm item is positive.
    """

    finding: str
    picture: str
    trend: charts.Trend
    rows: list[Told]
    signs: list[tuple[str, str]]
    told: bool
    rings: bool


def happened(session: Session, episode: Episode, said: Sequence[CaseReview], zone: str) -> list[charts.Event]:
    """Return what happened from the first day of an episode on: a live contact a day, visits kept and missed, what the
    consultant recommended (`said`), plans against a relapse that were written, and when that phase began."""
    place, patient_id = ZoneInfo(zone), episode.patient_id
    spoken = {at.astimezone(place).date(): at for at in contacts.moments(session, [patient_id]).get(patient_id, ())}
    visits = select(Appointment.starts_at, Appointment.state).where(
        Appointment.patient_id == patient_id, Appointment.state.in_(("arrived", "no_show"))
    )
    every = [
        *((at, "contact") for at in spoken.values()),
        *((at, state) for at, state in session.execute(visits)),
        *((each.at, "recommended") for each in said if each.decision == "recommend"),
        *((plan.at, "plan") for plan in relapse_plans.KIND.history(session, patient_id)),
        *([(episode.phase_at, episode.phase)] if episode.phase == "relapse_prevention" else []),
    ]
    begins = datetime.combine(episode.enrolled_on, time(), place)
    return [
        charts.Event(at, HAPPENED[what][1], words.say("care_course", what), HAPPENED[what][0])
        for at, what in sorted(every)
        if at >= begins
    ]


def of_episode(
    episode: Episode,
    patient: Patient,
    scores: Sequence[Taken],
    medicine: Sequence[Taken],
    beside: Sequence[charts.Event],
    zone: str,
) -> Course | None:
    """Return the course of an episode whose key is loaded; None where neither a picture nor a comparison comes of it.

    `scores` and `medicine` are the forms of the episode's scale and those about medicine, oldest first; `beside` is
    what else `happened`.
    """
    answered = [taken for taken in scores if taken.score.total is not None]
    readings = sorted(
        [*(_reading(taken, zone) for taken in answered), *_imported(episode, answered, zone)], key=lambda each: each.at
    )
    if not readings or (len(readings) < 2 and not medicine):
        return None
    events = [*_events(medicine), *beside]
    definition, sex = scoring.instrument(episode.scale), scoring.sex_of(patient.sex)
    bands = [(band.lowest, band.words["en"].lower()) for band in definition.bands(sex)]
    title = words.say("care_course", "finding", title=definition.title)
    return Course(
        finding=title,
        picture=", ".join(f"{each.label} {each.total}" for each in readings),
        trend=charts.trend(readings, bands, definition.highest_total, _goals(definition, readings, sex), events),
        rows=_rows(readings, events, zone),
        signs=list(dict.fromkeys((event.sign, event.words) for event in events)),
        told=any(each.told for each in readings),
        rings=any(each.alert for each in readings),
    )


def _reading(taken: Taken, zone: str) -> charts.Reading:
    label = times.month(taken.at, clock.now(), zone)
    return charts.Reading(taken.at, taken.score.total or 0, label, bool(taken.score.alerts))


def _imported(episode: Episode, answered: Sequence[Taken], zone: str) -> list[charts.Reading]:
    """The totals that came without a form, where no form is of that day: a form knows more."""
    place = ZoneInfo(zone)
    days = {taken.at.astimezone(place).date() for taken in answered}
    noons = [
        (datetime.combine(point.on, time(12), place), point.total)
        for point in kept_scores.imported_of(episode)
        if point.on not in days
    ]
    return [charts.Reading(at, total, times.month(at, clock.now(), zone), told=True) for at, total in noons]


def _events(medicine: Sequence[Taken]) -> list[charts.Event]:
    bands = {band.name: band.words["en"] for band in scoring.instrument(ADHERENCE).bands()}
    return [
        charts.Event(taken.at, MEDICINE[taken.score.band][1], bands[taken.score.band])
        for taken in medicine
        if taken.score.band is not None
    ]


def _goals(
    definition: scoring.Instrument, readings: Sequence[charts.Reading], sex: Literal["female", "male"] | None
) -> list[tuple[str, float, str]]:
    """Response and remission, said of those who began with a positive screen (instruments/README)."""
    start = readings[0].total
    goals = [("start", float(start), words.say("goals", "start", points=start))]
    if start >= definition.cut(sex) and definition.response_percent is not None:
        goals.append(("response", start * (100 - definition.response_percent) / 100, words.say("goals", "response")))
    if start >= definition.cut(sex) and definition.remission_below is not None:
        below = definition.remission_below
        goals.append(("remission", float(below), words.say("goals", "remission", points=below)))
    return goals


def _rows(readings: Sequence[charts.Reading], events: Sequence[charts.Event], zone: str) -> list[Told]:
    now = clock.now()
    lines = [
        (each.at, str(each.total), words.say("care_course", "imported" if each.told else "answered"))
        for each in readings
    ]
    lines += [(each.at, "", _line(each)) for each in events]
    return [Told(times.day(at, now, zone), total, said) for at, total, said in sorted(lines, reverse=True)]


def _line(event: charts.Event) -> str:
    return event.words if event.lane else words.say("care_course", "medicine", said=event.words.lower())
