"""What a screen says to a person: the alerting answer first, else that it is positive, and how it ends."""

import json
from collections.abc import Sequence

from sqlalchemy.orm import Session

from intake_links import doubts, links, scoring
from intake_links.models import Screen
from messaging import reasons
from messaging.models import Patient
from messaging.reasons import Reason

UNFINISHED = Reason("unfinished")


def answers_of(screen: Screen) -> tuple[int | None, ...]:
    """Return the opened answers, None where there is none. Raises keys.WrongKey when they do not open."""
    return tuple(json.loads(screen.answers or "[]"))


def score_of(session: Session, screen: Screen) -> scoring.Score:
    """Score the answers anew, with the sex on the patient's record."""
    return scoring.score(screen.instrument, answers_of(screen), sex_of(session, screen), doubts.told_total(screen))


def sex_of(session: Session, screen: Screen) -> scoring.Sex | None:
    """Return the sex on the patient's record where a cut depends on it, else None."""
    if not scoring.instrument(screen.instrument).by_sex:
        return None  # nearly all: no need to read the record at each answer
    return scoring.sex_of(session.get_one(Patient, screen.patient_id).sex)


def title_of(screen: Screen) -> str:
    """Return the instrument's name as staff know it."""
    return scoring.instrument(screen.instrument).title


def say(findings: Sequence[Reason]) -> str:
    """Return in words what was found, as an item says it in one line."""
    words, line = links.staff_words(), ""
    before = ""
    for finding in findings:
        line += words["alerts_joined"] if finding.key == before == "alert" else ""
        line += reasons.Sentences(words).words(finding)
        before = finding.key
    return line


def findings_of(session: Session, screen: Screen, score: scoring.Score) -> list[Reason]:
    """Return what a person must know first: the alerting answer, else that the screen is positive."""
    definition, answers = scoring.instrument(screen.instrument), answers_of(screen)
    findings = [
        _alert(definition, rule.item, answers[rule.item - 1])
        for rule in definition.alerts
        if (answers[rule.item - 1] or 0) >= rule.at_least
    ]
    if score.alerts and not findings:
        findings = doubts.alert_by_total(definition, doubts.told_total(screen))
    unclear = doubts.reasons(screen, answers)
    if not findings and (score.positive or not unclear):
        findings = [_positive(session, screen, score)]
    end = total(session, screen, score)
    if screen.state == "started":
        end = UNFINISHED if score.alerts else Reason("stopped")
    return [*_where(screen), *findings, *unclear, end]


def _alert(definition: scoring.Instrument, item: int, value: int | None) -> Reason:
    answer = answer_words(definition, item - 1, value)
    return Reason("alert", {"item": item, "instrument": definition.title, "answer": answer})


def short_form(session: Session, screen: Screen, score: scoring.Score) -> scoring.Instrument | None:
    """Return the short form this screen began as, where it was positive and the longer one was not answered whole.

    Without this a patient who declines the further questions would be lost, whose first two were a positive screen.
    """
    began = scoring.instrument(screen.detail.get("began", screen.instrument))
    if began.id == screen.instrument or score.total is not None:
        return None
    first = scoring.score(began.id, answers_of(screen)[: len(began.items)], sex_of(session, screen))
    return began if first.positive else None


def short_within(session: Session, screen: Screen) -> scoring.Instrument | None:
    """Return the short form whose questions open this one,
    where they were answered and are a positive screen by themselves."""
    answers = answers_of(screen)
    for short in scoring.instruments().values():
        if short.grows_into == screen.instrument:
            score = scoring.score(short.id, answers[: len(short.items)], sex_of(session, screen))
            if score.positive:
                return short
    return None


def _positive(session: Session, screen: Screen, score: scoring.Score) -> Reason:
    short = None if score.positive else short_form(session, screen, score)
    if screen.state == "started" and not score.positive:
        short = short_within(session, screen)
        if short is not None:
            return Reason("positive_within", {"short": short.title, "instrument": title_of(screen)})
    if short is None:
        return Reason("positive", {"instrument": title_of(screen)})
    return Reason("positive_short", {"short": short.title, "instrument": title_of(screen)})


def is_past(screen: Screen) -> bool:
    """Whether a person has said that this form does not tell how the patient is now."""
    return bool(screen.detail.get("past"))


def _where(screen: Screen) -> list[Reason]:
    if is_past(screen):
        day = screen.started_at
        return [
            Reason("past" if "asked_by" in screen.detail else "past_told", {"day": f"{day.day} {day:%b} {day.year}"})
        ]
    return [Reason("in_building")] if screen.detail.get("place") == links.TABLET else []


def total(session: Session, screen: Screen, score: scoring.Score) -> Reason:
    """Return the total with its band, or how many answers are missing for one."""
    definition = scoring.instrument(screen.instrument)
    if score.total is None:
        return Reason("total_missing", {"missing": score.missing, "items": len(definition.items)})
    band = next(band for band in definition.bands(sex_of(session, screen)) if band.name == score.band)
    return Reason("total", {"total": score.total, "band": _small(band.words["en"])})


def answer_words(definition: scoring.Instrument, index: int, value: int | None) -> str:
    """Return an answer in words, as it stands within a sentence."""
    for answer in definition.items[index].answers:
        if answer.value == value:
            return _small(answer.text["en"])
    return links.staff_words()["no_answer"]


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]
