"""A screen as staff read it: its total in words, each answer, what rang, and where the score has gone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from intake_links import scoring
from intake_links.models import Screen
from messaging.models import Patient
from web import charts, times, words

KEPT_ON_CHART = 12


@dataclass(frozen=True)
class Answered:
    """One item: its number, question and answer in words; `rang` where its answer is an alert."""

    number: int
    question: str
    answer: str
    points: int | None
    rang: bool


@dataclass(frozen=True)
class Before:
    """An earlier score of the same instrument."""

    when: str
    total: int
    band: str
    alert: bool


@dataclass(frozen=True)
class ScreenView:
    """Everything a page says about one screen. `alerts` are sentences; `finding` is the title of the picture."""

    title: str
    when: str
    finished: bool
    given: int
    asked: int
    total: int | None
    highest: int
    band: str
    previous: str | None
    alerts: list[str]
    telling: list[Answered]
    answers: list[Answered]
    trend: charts.Trend | None
    finding: str
    before: list[Before]
    licence: str


@dataclass(frozen=True)
class _Read:
    screen: Screen
    answers: list[int | None]
    score: scoring.Score
    at: datetime


def view(session: Session, screen: Screen, patient: Patient, zone: str) -> ScreenView:
    """Return the screen in words, with the earlier ones of the same instrument."""
    definition = scoring.instrument(screen.instrument)
    now, this = clock.now(), _read(screen, patient)
    series = [*_earlier(session, screen, patient), this]
    scored = [one for one in series if one.score.total is not None]
    answers = _answers(definition, this)
    highest = sum(max(item.values) for item in definition.items)
    previous = scored[-2] if len(scored) > 1 and scored[-1] is this else None
    drawable = len(scored) > 1
    return ScreenView(
        title=definition.title,
        when=times.moment(this.at, now, zone),
        finished=screen.submitted_at is not None,
        given=sum(answer is not None for answer in this.answers),
        asked=len(scoring.applicable(definition, this.answers)),
        total=this.score.total,
        highest=highest,
        band=_band(definition, patient, this.score),
        previous=_was(previous, now, zone) if previous else None,
        alerts=_alerts(definition, this),
        telling=_telling(answers),
        answers=answers,
        trend=_trend(definition, patient, scored, now, zone, highest) if drawable else None,
        finding=_finding(definition.title, scored) if drawable else "",
        before=[_before(definition, patient, one, now, zone) for one in reversed(scored)] if drawable else [],
        licence=definition.licence.get("en", ""),
    )


def _read(screen: Screen, patient: Patient) -> _Read:
    answers: list[int | None] = json.loads(screen.answers or "[]")
    sex = patient.sex if patient.sex in ("female", "male") else None
    size = len(scoring.instrument(screen.instrument).items)
    answers = (answers + [None] * size)[:size]
    score = scoring.score(screen.instrument, answers, sex)  # type: ignore[arg-type]
    return _Read(screen, answers, score, screen.submitted_at or screen.started_at)


def _earlier(session: Session, screen: Screen, patient: Patient) -> list[_Read]:
    rows = session.scalars(
        select(Screen)
        .where(
            Screen.patient_id == patient.id,
            Screen.instrument == screen.instrument,
            Screen.submitted_at.is_not(None),
            Screen.submitted_at < (screen.submitted_at or clock.now()),
            Screen.id != screen.id,
        )
        .order_by(Screen.submitted_at.desc())
        .limit(KEPT_ON_CHART)
    ).all()
    db.load_keys(session, (row.key_id for row in rows))
    return [_read(row, patient) for row in reversed(rows)]


def _answers(definition: scoring.Instrument, this: _Read) -> list[Answered]:
    rules = {rule.item: rule.at_least for rule in definition.alerts}
    found = []
    for number, (item, points) in enumerate(zip(definition.items, this.answers, strict=True), start=1):
        said = {answer.value: answer.text["en"] for answer in item.answers}
        rang = number in rules and (points or 0) >= rules[number]
        answer = "no answer" if points is None else said[points]
        found.append(Answered(number, item.text["en"], answer, points, rang))
    return found


def _telling(answers: Sequence[Answered]) -> list[Answered]:
    # What rang stands first, then what weighs most, so that four lines tell the story.
    weighed = sorted(answers, key=lambda one: (not one.rang, -(one.points or 0), one.number))
    return [one for one in weighed if one.points][:4]


def _alerts(definition: scoring.Instrument, this: _Read) -> list[str]:
    answers = _answers(definition, this)
    said = []
    for rule in definition.alerts:
        one = answers[rule.item - 1]
        if rule.name in this.score.alerts and one.rang:
            said.append(words.say("alerts", rule.name, answer=one.answer[0].lower() + one.answer[1:]))
    return said


def _band(definition: scoring.Instrument, patient: Patient, score: scoring.Score) -> str:
    sex = patient.sex if patient.sex in ("female", "male") else None
    for band in definition.bands(sex):  # type: ignore[arg-type]
        if band.name == score.band:
            return band.words["en"]
    return ""


def _was(previous: _Read, now: datetime, zone: str) -> str:
    return f"was {previous.score.total}, {times.month(previous.at, now, zone)}"


def _before(definition: scoring.Instrument, patient: Patient, one: _Read, now: datetime, zone: str) -> Before:
    band = _band(definition, patient, one.score)
    return Before(times.day(one.at, now, zone), one.score.total or 0, band, bool(one.score.alerts))


def _trend(
    definition: scoring.Instrument,
    patient: Patient,
    scored: Sequence[_Read],
    now: datetime,
    zone: str,
    highest: int,
) -> charts.Trend:
    sex = patient.sex if patient.sex in ("female", "male") else None
    bands = [(band.lowest, band.words["en"].lower()) for band in definition.bands(sex)]  # type: ignore[arg-type]
    readings = [
        charts.Reading(one.at, one.score.total or 0, times.month(one.at, now, zone), bool(one.score.alerts))
        for one in scored
    ]
    return charts.trend(readings, bands, highest)


def _finding(title: str, scored: Sequence[_Read]) -> str:
    first, last = scored[0].score.total or 0, scored[-1].score.total or 0
    span = times.roughly(scored[-1].at - scored[0].at)
    if first == last:
        return f"{title} is {last}, as it was {span} ago"
    return f"{title} {'rose' if last > first else 'fell'} from {first} to {last} in {span}"
