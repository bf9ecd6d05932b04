"""Scores a screening form by its published rules: answers in, a total, a band and alerts out."""

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from intake_links.instruments import (
    AlertRule,
    Answer,
    Band,
    Instrument,
    InstrumentError,
    Item,
    Sex,
    SkipRule,
    Texts,
    UnknownInstrument,
    instrument,
    instruments,
    language_of,
    speaks,
)

__all__ = [
    "AlertRule",
    "Answer",
    "BadAnswer",
    "Band",
    "Instrument",
    "InstrumentError",
    "Item",
    "Score",
    "Sex",
    "SkipRule",
    "Texts",
    "UnknownInstrument",
    "applicable",
    "contradicts",
    "explain",
    "form_after",
    "instrument",
    "instruments",
    "language_of",
    "length",
    "next_question",
    "score",
    "speaks",
]


class BadAnswer(ValueError):
    """An answer the instrument does not have, or the wrong number of answers.

    `index` counts from 0 and is None, like `item_id`, when the vector as a whole is wrong. The message repeats the
    answer, so it belongs in a reply to whoever sent it and never in a log.
    """

    def __init__(self, message: str, index: int | None = None, item_id: str | None = None) -> None:
        super().__init__(message)
        self.index = index
        self.item_id = item_id


@dataclass(frozen=True)
class Score:
    """What a form says.

    `total`: points, None while an answer is missing. `prorated`: an estimate in points, never a total and never to be
    reported as one. `band`: the name of the total's band. `positive`: None while it is open. `missing`: how many
    answers are. `alerts`: names of the alert rules that rang, in the instrument's order.
    """

    total: int | None
    prorated: float | None
    band: str | None
    positive: bool | None
    missing: int
    alerts: tuple[str, ...]


def score(
    instrument_id: str, answers: Sequence[int | None], sex: Sex | None = None, told_total: int | None = None
) -> Score:
    """The score of `answers` (a list or tuple: points of each scored item in order, None where there is no answer).

    `told_total` is the total as it was told from elsewhere: it counts where answers are missing, and there is none
    where the two contradict each other; then the graver of them decides whether the screen is positive.
    Alerts ring and a cut once reached stays reached whatever else is missing. Published rules: bands and cuts as
    in the instrument's file; AUDIT-C positive from 3 (women, and where the sex is unknown) or 4 (men) points.
    Raises UnknownInstrument, BadAnswer, and ValueError for a sex other than "female", "male" or None.
    """
    definition = instrument(instrument_id)
    _check_sex(sex)
    _check_answers(definition, answers)
    counts = [item.scored for item in definition.items]
    points_given = [answer for answer, counted in zip(answers, counts, strict=True) if counted and answer is not None]
    points = sum(points_given)
    missing = sum(counts[index] and answers[index] is None for index in applicable(definition, answers))
    total = points if not missing else told_total
    if contradicts(definition, answers, told_total):
        total = None
    return Score(
        total=total,
        prorated=_prorated(definition, points_given, missing) if told_total is None else None,
        band=None if total is None else _band_of(definition.bands(sex), total),
        positive=True if max(points, told_total or 0) >= definition.cut(sex) else (None if total is None else False),
        missing=missing,
        alerts=_alerts(definition, answers, told_total),
    )


def contradicts(definition: Instrument, answers: Sequence[int | None], told_total: int | None) -> bool:
    """Whether no answers to what is still open could make these answers add up to the total that was told."""
    if told_total is None:
        return False
    points = _points(definition, answers)
    return not points <= told_total <= points + _most_open(definition, answers)


def _points(definition: Instrument, answers: Sequence[int | None]) -> int:
    return sum(answer or 0 for item, answer in zip(definition.items, answers, strict=True) if item.scored)


def _most_open(definition: Instrument, answers: Sequence[int | None]) -> int:
    """The most points that the questions without an answer could give."""
    still = [definition.items[index] for index in applicable(definition, answers) if answers[index] is None]
    return sum(max(item.values) for item in still if item.scored)


def applicable(definition: Instrument, answers: Sequence[int | None]) -> list[int]:
    """Indexes (from 0) of the items to be asked, given the answers so far; the vector may still be short."""
    skipped = {
        number - 1
        for rule in definition.skips
        if len(answers) >= rule.item and answers[rule.item - 1] == rule.equals
        for number in rule.items
    }
    return [index for index in range(len(definition.items)) if index not in skipped]


def length(definition: Instrument, answers: Sequence[int | None]) -> int | None:
    """How many questions there are to be asked; None while an answer still to come may make them more or fewer."""
    if definition.grows_into or any(answers[rule.item - 1] is None for rule in definition.skips):
        return None
    return len(applicable(definition, answers))


def form_after(began: Instrument, answers: Sequence[int | None]) -> Instrument:
    """The form that is being answered by now: `began`, or the longer one it grew into.

    A PHQ-2 (GAD-2) of 3 points or more goes on as a PHQ-9 (GAD-7), its two answers kept
    (cut: Arroll and others 2010, PMC2906530). It goes back only while nothing else was answered on the longer form.
    """
    if began.grows_into is None:
        return began
    short = len(began.items)
    further = any(answer is not None for answer in answers[short:])
    points = sum(answer or 0 for answer in answers[:short])
    return instrument(began.grows_into) if further or points >= began.cut() else began


def next_question(definition: Instrument, answers_so_far: Sequence[int | None]) -> int | None:
    """Index (from 0) of the first item still open, None when all that apply are answered; the vector may be short."""
    for index in applicable(definition, answers_so_far):
        if index >= len(answers_so_far) or answers_so_far[index] is None:
            return index
    return None


def explain(record: Mapping[str, object]) -> dict[str, object]:
    """One line of `warmthread explain score`: a record as parsed from JSON in, the score or {"error": why} out.

    Takes {"instrument", "answers", "sex"?}, gives {"total", "band", "positive", "missing", "alerts"}; never raises.
    """
    try:
        result = score(*_arguments(record))
    except (UnknownInstrument, ValueError) as error:
        return {"error": str(error)}
    return {
        "total": result.total,
        "band": result.band,
        "positive": result.positive,
        "missing": result.missing,
        "alerts": list(result.alerts),
    }


def _arguments(record: object) -> tuple[str, Sequence[int | None], Sex | None]:
    """The arguments of `score`; the answers themselves, and a sex that is given, are left to it to check."""
    if not isinstance(record, Mapping):
        raise ValueError("not an object")
    for key in record:
        if key not in ("instrument", "answers", "sex"):
            raise ValueError(f"{_shown(key)} is not one of instrument, answers, sex")
    name = record.get("instrument")
    if not isinstance(name, str):
        raise ValueError("instrument: missing, or not a text")
    if "sex" in record:
        _check_sex(record["sex"], allowed=("female", "male"))
    return name, cast("Sequence[int | None]", record.get("answers")), cast("Sex | None", record.get("sex"))


def sex_of(recorded: str | None) -> Sex | None:
    """Return the sex that stands on a record where a cut may depend on it, else None."""
    return "female" if recorded == "female" else "male" if recorded == "male" else None


def _check_sex(sex: object, allowed: tuple[str | None, ...] = ("female", "male", None)) -> None:
    if sex not in allowed:
        raise ValueError(f"sex: {_shown(sex)} is not one of female, male")


def _check_answers(definition: Instrument, answers: object) -> None:
    """Takes whole numbers and None alone: False, 1.0 and "1" equal or resemble an answer without being one."""
    if not isinstance(answers, (list, tuple)):
        raise BadAnswer("answers: not a list")
    if len(answers) != len(definition.items):
        raise BadAnswer(f"answers: {len(answers)} given, {definition.id} has {len(definition.items)} items")
    for index, (item, answer) in enumerate(zip(definition.items, answers, strict=True)):
        if answer is not None and (type(answer) is not int or answer not in item.values):
            own = ", ".join(str(value) for value in item.values)
            message = f"answers[{index}]: {_shown(answer)} is not one of {own} ({item.id})"
            raise BadAnswer(message, index, item.id)


def _shown(value: object) -> str:
    """The value short enough for a message; Python refuses to write out a whole number of thousands of digits."""
    if isinstance(value, (str, float, bool)) or value is None or (type(value) is int and abs(value) < 10**9):
        return reprlib.repr(value)
    return f"a value of type {type(value).__name__}"


def _prorated(definition: Instrument, points: Sequence[int], missing: int) -> float | None:
    """The mean of the answered items in place of the missing ones, in points, not rounded (NHS Data Dictionary)."""
    if not points or not 1 <= missing <= definition.prorate_up_to:
        return None
    return sum(points) * (len(points) + missing) / len(points)


def _band_of(bands: Sequence[Band], total: int) -> str:
    return next(band.name for band in bands if total <= band.highest)


def _alerts(definition: Instrument, answers: Sequence[int | None], told_total: int | None) -> tuple[str, ...]:
    rang = [rule.name for rule in definition.alerts if _least(definition, answers, told_total, rule) >= rule.at_least]
    return tuple(dict.fromkeys(rang))


def _least(definition: Instrument, answers: Sequence[int | None], told_total: int | None, rule: AlertRule) -> int:
    """The points an alerting item has at least: its answer, or what a total leaves for it when all others are full."""
    index = rule.item - 1
    given, item = answers[index], definition.items[index]
    if given is not None or told_total is None or not item.scored:
        return given or 0
    others = _most_open(definition, answers) - max(item.values)
    return told_total - _points(definition, answers) - others
