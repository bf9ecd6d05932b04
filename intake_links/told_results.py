"""Files what an EHR tells of a form that was answered elsewhere: each part once, the newest of it, and in the same
transaction what it asks of a person, exactly as if it had been answered here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from intake_links import alerts, doubts, finding, scoring, submissions
from intake_links.models import Screen
from messaging.models import Clinic, Patient
from messaging.reasons import Reason

TOTAL = "total"
# What the item about a message is about whose form could not be filed with a patient.
UNFILED = "feed_message"
# The marks of a source of this kind, before the name of the feed.
OF_EHR = "ehr:"


class Part(NamedTuple):
    """The points of one part, None where it was withdrawn; `replaces` what was known of it before."""

    value: int | None
    replaces: bool


@dataclass(frozen=True)
class Result:
    """What one message tells of one form: its parts by TOTAL or the number of the item, as text from 0.

    `at` is when it was answered as the EHR says it, `said_at` since when it is so, `received_at` when it came here.
    `unclear` are parts that came as what they cannot be, each with the kind of item it asks for: safety | screen.
    """

    instrument: str
    at: datetime
    said_at: datetime
    received_at: datetime
    parts: Mapping[str, Part]
    unclear: Mapping[str, str]

    @property
    def answers(self) -> list[int | None]:
        """Return the answers of this message alone, in the instrument's order."""
        items = scoring.instrument(self.instrument).items
        return [self.parts[str(n)].value if str(n) in self.parts else None for n in range(len(items))]

    @property
    def total(self) -> int | None:
        """Return the total of this message alone."""
        return self.parts[TOTAL].value if TOTAL in self.parts else None

    @property
    def is_past(self) -> bool:
        """Whether it was old already when it came: nobody can tell whether it still says how the patient is."""
        return submissions.is_old(self.at, self.received_at)

    @property
    def asks_for(self) -> str | None:
        """Return the kind of item that this message alone asks for: safety | screen, None for nothing."""
        score = scoring.score(self.instrument, self.answers, None, self.total)
        if not self.is_past and (score.alerts or "safety" in self.unclear.values()):
            return "safety"
        return "screen" if score.alerts or score.positive or self.unclear else None


@dataclass(frozen=True)
class Filed:
    """What came of a result: whether anything changed, and the codes of what a person must look at or is told."""

    changed: bool
    problems: tuple[str, ...] = ()


def file(session: Session, clinic: Clinic, patient: Patient, result: Result, source: str) -> Filed:
    """File a result with the patient, whose lock the caller holds; the same again changes nothing.

    A part that was told newer before stays; one that differs and is no correction is kept beside, and a person asked.
    """
    screen = _known(session, patient, result, source) or _begun(session, patient, result, source)
    told, problems, others = _sorted_out(screen, result)
    if others:
        _keep_beside(session, clinic, screen, others)
    unclear = {part: kind for part, kind in _unclear(screen, result).items() if part not in told}
    if told or unclear != screen.detail.get("unclear", {}):
        before = _alerting(screen)
        _write(screen, told, unclear, result)
        _settle(session, clinic, screen, before, source)
    if scoring.contradicts(
        scoring.instrument(screen.instrument), finding.answers_of(screen), doubts.told_total(screen)
    ):
        problems.append("score_contradicts")
    return Filed(bool(told or others), tuple(dict.fromkeys(problems)))


def _event(owner: str, result: Result) -> str:
    return f"{owner}:{result.instrument}:{clock.iso(result.at)}"


def _known(session: Session, patient: Patient, result: Result, source: str) -> Screen | None:
    """The form that this feed has told of before, also where the record it was told of has been merged since."""
    theirs = select(Screen).where(
        Screen.clinic_id == patient.clinic_id,
        Screen.source == source,
        Screen.patient_id == patient.id,
        Screen.event.endswith(_event("", result), autoescape=True),
    )
    return session.scalar(theirs.order_by(Screen.id).limit(1))


def _begun(session: Session, patient: Patient, result: Result, source: str) -> Screen:
    definition = scoring.instrument(result.instrument)
    none = [None] * len(definition.items)
    language = scoring.language_of(definition, patient.language)
    screen = submissions.new(session, patient, definition, none, language, source, _event(str(patient.id), result))
    screen.started_at = min(result.at, clock.now())
    screen.state = "closed"
    screen.detail = {"past": True} if result.is_past else {}
    session.add(screen)
    session.flush()
    return screen


def _values(screen: Screen) -> dict[str, int | None]:
    answers = {str(number): answer for number, answer in enumerate(finding.answers_of(screen))}
    return answers | {TOTAL: doubts.told_total(screen)}


def _sorted_out(screen: Screen, result: Result) -> tuple[dict[str, Part], list[str], dict[str, Part]]:
    """Return the parts that are to be written, what must be told of the others, and those that differ."""
    now, said = _values(screen), screen.detail.get("said", {})
    told: dict[str, Part] = {}
    others: dict[str, Part] = {}
    problems = []
    for name, part in result.parts.items():
        if name in said and datetime.fromisoformat(said[name]) > result.said_at:
            problems.append("score_older")
        elif name not in said or part.replaces or now[name] is None:
            told |= {name: part} if name not in said or part.value != now[name] else {}
        elif part.value != now[name]:
            others[name] = part
    return told, problems, others


def _unclear(screen: Screen, result: Result) -> dict[str, str]:
    """The parts that cannot be right: those of before that nobody has told rightly since, and the new ones."""
    said = screen.detail.get("said", {})
    stays = {part: kind for part, kind in screen.detail.get("unclear", {}).items() if part not in result.parts}
    return stays | {part: kind for part, kind in result.unclear.items() if part not in said}


def _write(screen: Screen, told: Mapping[str, Part], unclear: Mapping[str, str], result: Result) -> None:
    values = _values(screen) | {name: part.value for name, part in told.items()}
    total = values.pop(TOTAL)
    screen.answers = json.dumps([values[str(number)] for number in range(len(values))])
    screen.told_total = None if total is None else str(total)
    said = screen.detail.get("said", {}) | dict.fromkeys(told, result.said_at.isoformat())
    screen.detail = screen.detail | {"said": said, "unclear": dict(unclear)}


def _alerting(screen: Screen) -> list[Any]:
    """How grave the alerting answers are, item by item: whether what is told now is graver than what was known."""
    answers, told = finding.answers_of(screen), doubts.told_total(screen)
    score = scoring.score(screen.instrument, answers, None, told)
    items = {rule.item for rule in scoring.instrument(screen.instrument).alerts}
    return [bool(score.alerts), doubts.unclear(screen) == "safety", *(answers[item - 1] or 0 for item in sorted(items))]


def _settle(session: Session, clinic: Clinic, screen: Screen, before: Sequence[Any], source: str) -> None:
    """Score the form anew and make or mend the item it owes a person."""
    score = finding.score_of(session, screen)
    first, empty = screen.scored_at is None, score.total is None and not any(_has(value) for value in _told(screen))
    screen.result = None if empty else json.dumps(asdict(score))
    screen.state, screen.submitted_at = ("closed", None) if empty else ("submitted", screen.started_at)
    screen.scored_at = clock.now()
    act = "submitted" if first else "withdrawn" if empty else "amended"
    alerts.note(session, screen, act, audit.Actor.system(source), instrument=screen.instrument)
    rings, unclear = bool(score.alerts) or doubts.unclear(screen) == "safety", doubts.unclear(screen)
    graver = any(now > then for now, then in zip(_alerting(screen), before, strict=True))
    if rings and not finding.is_past(screen) and (graver or screen.owed != "safety"):
        alerts.raise_alert(session, clinic, screen, score)
    elif screen.owed != "safety" and (rings or unclear or score.positive):
        screen.owed = "screen"
        alerts.say_now(session, clinic, screen, "screen", finding.findings_of(session, screen, score), score)
    elif screen.owed is not None:
        changed = [] if rings or (screen.owed == "screen" and score.positive) else [Reason("corrected")]
        alerts.say_it_was_told_anew(session, screen, score, changed)


def _told(screen: Screen) -> list[int | None]:
    return [*finding.answers_of(screen), doubts.told_total(screen)]


def _has(value: int | None) -> bool:
    return value is not None


def _keep_beside(session: Session, clinic: Clinic, screen: Screen, others: Mapping[str, Part]) -> None:
    values = _values(screen) | {name: part.value for name, part in others.items()}
    total = values.pop(TOTAL)
    answers = [values[str(number)] for number in range(len(values))]
    submissions.keep_beside(session, clinic, screen, answers, told_total=total)
