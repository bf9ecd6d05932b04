"""A screen as staff read it: its total in words, each answer and what changed, and where the score has gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from config import clock
from intake_links import doubts, finding, scoring, told_results
from intake_links.models import Screen
from messaging.models import Patient
from web import times, words
from web.presenters import charts, screen_history
from web.presenters.screen_history import Taken

STRIP = 6


@dataclass(frozen=True)
class Answered:
    """One item: its question and answer in words; `rang` where its answer is an alert.

    `turn` is worse | better | same, or empty where there is nothing to compare with; `change` says it in words.
    """

    number: int
    question: str
    answer: str
    points: int | None
    rang: bool
    turn: str = ""
    change: str = ""


@dataclass(frozen=True)
class Before:
    """An earlier score of the same instrument, with what it changed since the one before."""

    when: str
    total: int
    band: str
    alert: bool
    change: str


@dataclass(frozen=True)
class Cell:
    """An answer in the strip: points as text, how dark (charts.shade), whether it rang."""

    points: str
    shade: int
    rang: bool


@dataclass(frozen=True)
class Strip:
    """Items down, dates across: which symptom moves."""

    dates: list[str]
    rows: list[tuple[int, str, list[Cell]]]


@dataclass(frozen=True)
class ScreenView:
    """Everything a page says about one screen.

    `alerts` and `doubts` are sentences; `finding` is the caption of the picture, `picture` what else it shows, or "".
    """

    title: str
    when: str
    finished: bool
    again: bool
    given: int
    asked: int
    total: int | None
    points: int
    highest: int
    band: str
    previous: str | None
    compared: str
    alerts: list[str]
    doubts: list[str]
    telling: list[Answered]
    answers: list[Answered]
    trend: charts.Trend | None
    finding: str
    picture: str
    before: list[Before]
    strip: Strip | None
    licence: str


def view(session: Session, screen: Screen, patient: Patient, zone: str) -> ScreenView:
    """Return the screen in words, with the earlier ones of the same instrument."""
    return of_series(
        patient, screen_history.take(screen, patient), screen_history.before(session, screen, patient), zone
    )


def every(session: Session, patient: Patient, zone: str) -> list[ScreenView]:
    """Return the last screen of each instrument with its history, the one answered last first."""
    series = screen_history.by_instrument(session, patient)
    return [of_series(patient, taken[-1], taken[:-1], zone) for taken in series.values()]


def of_series(patient: Patient, current: Taken, earlier: Sequence[Taken], zone: str) -> ScreenView:
    """Return the last of a series in words; what was sent again is compared, and is no point of the picture."""
    definition, now = scoring.instrument(current.screen.instrument), clock.now()
    scored = [taken for taken in [*earlier, *([] if current.again else [current])] if taken.score.total is not None]
    last = earlier[-1] if earlier else None
    answers = _answers(definition, current, last)
    drawable = len(scored) > 1
    trend, goals = _trend(definition, patient, scored, now, zone) if drawable else (None, "")
    title = _finding(definition.title, scored) if drawable else ""
    return ScreenView(
        title=definition.title,
        when=times.moment(current.at, now, zone) + _source(current.screen),
        finished=current.screen.submitted_at is not None or current.screen.state == "closed",
        again=current.again,
        given=sum(answer is not None for answer in current.answers),
        asked=len(scoring.applicable(definition, current.answers)),
        total=current.score.total,
        points=sum(points or 0 for item, points in zip(definition.items, current.answers, strict=True) if item.scored),
        highest=definition.highest_total,
        band=_band(definition, patient, current.score),
        previous=_was(last, now, zone) if last else None,
        compared=times.month(last.at, now, zone) if last else "",
        alerts=_alerts(definition, current),
        doubts=_doubts(definition, current),
        telling=_telling(answers),
        answers=answers,
        trend=trend,
        finding=title,
        picture=". ".join(part for part in (goals, _rings(scored, now, zone)) if part),
        before=_before(definition, patient, scored, now, zone) if drawable else [],
        strip=_strip(definition, [*earlier, current][-STRIP:], now, zone) if earlier else None,
        licence=definition.licence.get("en", ""),
    )


def _source(screen: Screen) -> str:
    """Return how the answers came, where it was not the patient's own phone."""
    if screen.source.startswith(told_results.OF_EHR):
        return f", {words.say('screen_sources', 'ehr', feed=screen.source.removeprefix(told_results.OF_EHR))}"
    way = screen.detail.get("place") or screen.source
    return f", {words.say('screen_sources', way)}" if way in words.table_of("screen_sources") else ""


def _answers(definition: scoring.Instrument, current: Taken, last: Taken | None) -> list[Answered]:
    applicable = set(scoring.applicable(definition, current.answers))
    answered = []
    for index, (item, points) in enumerate(zip(definition.items, current.answers, strict=True)):
        texts = {answer.value: answer.text["en"] for answer in item.answers}
        missing = "no answer" if index in applicable else "not asked"
        answer = missing if points is None else texts.get(points, str(points))
        turn, change = _change(points, last.answers[index]) if last else ("", "")
        rang = _rang(definition, index + 1, points)
        answered.append(Answered(index + 1, item.text["en"], answer, points, rang, turn, change))
    return answered


def _rang(definition: scoring.Instrument, number: int, points: int | None) -> bool:
    return any(rule.item == number and (points or 0) >= rule.at_least for rule in definition.alerts)


def _change(points: int | None, before: int | None) -> tuple[str, str]:
    if points is None or before is None:
        return "", words.say("changes", "unknown" if points is not None else "gone")
    turn = "worse" if points > before else "better" if points < before else "same"
    return turn, words.say("changes", turn, by=abs(points - before))


def _telling(answers: Sequence[Answered]) -> list[Answered]:
    # What rang stands first, then what weighs most, so that four lines tell the story.
    weighed = sorted(
        answers, key=lambda answer: (not answer.rang, -(answer.points or 0), answer.turn != "worse", answer.number)
    )
    return [answer for answer in weighed if answer.points][:4]


def _alerts(definition: scoring.Instrument, current: Taken) -> list[str]:
    answers = _answers(definition, current, None)
    lines = []
    for rule in definition.alerts:
        answer = answers[rule.item - 1]
        if rule.name in current.score.alerts and answer.rang:
            lines.append(words.say("alerts", rule.name, answer=answer.answer[0].lower() + answer.answer[1:]))
    return lines


def _doubts(definition: scoring.Instrument, current: Taken) -> list[str]:
    """What of an EHR's result cannot be right, or can only mean an alarm, a sentence each."""
    found = doubts.reasons(current.screen, current.answers)
    rang = any(_rang(definition, number, points) for number, points in enumerate(current.answers, 1))
    if current.score.alerts and not rang:
        found = [*doubts.alert_by_total(definition, doubts.told_total(current.screen)), *found]
    return [f"{finding.say([reason]).lstrip('. ')}." for reason in found]


def _band(definition: scoring.Instrument, patient: Patient, score: scoring.Score) -> str:
    fitting = (band for band in definition.bands(scoring.sex_of(patient.sex)) if band.name == score.band)
    return next((band.words["en"] for band in fitting), "")


def _was(last: Taken, now: datetime, zone: str) -> str:
    total = "not complete" if last.score.total is None else str(last.score.total)
    return f"was {total}, {times.month(last.at, now, zone)}"


def _before(
    definition: scoring.Instrument, patient: Patient, scored: Sequence[Taken], now: datetime, zone: str
) -> list[Before]:
    rows = []
    for at, taken in enumerate(scored):
        moved = (taken.score.total or 0) - (scored[at - 1].score.total or 0) if at else None
        turn = "" if moved is None else "worse" if moved > 0 else "better" if moved < 0 else "same"
        change = words.say("changes", turn, by=abs(moved or 0)) if turn else words.say("changes", "start")
        band = _band(definition, patient, taken.score)
        day = times.day(taken.at, now, zone)
        rows.append(Before(day, taken.score.total or 0, band, bool(taken.score.alerts), change))
    return rows[::-1]


def _trend(
    definition: scoring.Instrument, patient: Patient, scored: Sequence[Taken], now: datetime, zone: str
) -> tuple[charts.Trend, str]:
    """Return the picture and what it says of the goals, if the instrument has any and they fit this patient."""
    sex = scoring.sex_of(patient.sex)
    bands = [(band.lowest, band.words["en"].lower()) for band in definition.bands(sex)]
    readings = [
        charts.Reading(taken.at, taken.score.total or 0, times.month(taken.at, now, zone), bool(taken.score.alerts))
        for taken in scored
    ]
    start, last = readings[0].total, readings[-1].total
    goals = [("start", float(start), words.say("goals", "start", points=start))]
    reached = ""
    # Response and remission are said of those who began with a positive screen (instruments/README).
    if start >= definition.cut(sex):
        if definition.response_percent is not None:
            half = start * (100 - definition.response_percent) / 100
            goals.append(("response", half, words.say("goals", "response")))
            reached = words.say("goals", "response_reached") if last <= half else reached
        if definition.remission_below is not None:
            below = definition.remission_below
            goals.append(("remission", float(below), words.say("goals", "remission", points=below)))
            reached = words.say("goals", "remission_reached", points=below) if last < below else reached
        if len(goals) > 1 and not reached:
            reached = words.say("goals", "not_yet")
    return charts.trend(readings, bands, definition.highest_total, goals), reached


def _finding(title: str, scored: Sequence[Taken]) -> str:
    first, last = scored[0].score.total or 0, scored[-1].score.total or 0
    span = times.roughly(scored[-1].at - scored[0].at)
    if first == last:
        sentence = f"{title} is {last}, as it was {span} ago"
    else:
        sentence = f"{title} {'rose' if last > first else 'fell'} from {first} to {last} in {span}"
    # A fall over months must not hide that the last step went up.
    before = scored[-2].score.total or 0
    return (
        f"{sentence}, but rose by {last - before} since the last time" if last > before and last <= first else sentence
    )


def _rings(scored: Sequence[Taken], now: datetime, zone: str) -> str:
    rang = [times.month(taken.at, now, zone) for taken in scored if taken.score.alerts]
    return words.say("goals", "rings", dates=", ".join(rang)) if rang else ""


def _strip(definition: scoring.Instrument, shown: Sequence[Taken], now: datetime, zone: str) -> Strip:
    rows = []
    for index, item in enumerate(definition.items):
        cells = []
        for taken in shown:
            points = taken.answers[index]
            rang = _rang(definition, index + 1, points)
            label = "–" if points is None else str(points)
            cells.append(Cell(label, charts.shade(points, max(item.values)), rang))
        rows.append((index + 1, item.text["en"], cells))
    return Strip([times.month(taken.at, now, zone) for taken in shown], rows)
