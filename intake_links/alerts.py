"""What a screen owes a person: its item in the inbox, in words staff understand at once."""

import contextlib
import json
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db, keys
from intake_links import links, scoring
from intake_links.models import Screen
from messaging import reasons
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient
from messaging.reasons import Reason

# After so long without another answer a form counts as left; an opened link closes by then too (links.IDLE).
STOPPED_AFTER = timedelta(minutes=30)
UNFINISHED = Reason("unfinished")


def answers_of(screen: Screen) -> tuple[int | None, ...]:
    """Return the opened answers, None where there is none. Raises keys.WrongKey when they do not open."""
    return tuple(json.loads(screen.answers or "[]"))


def score_of(session: Session, screen: Screen) -> scoring.Score:
    """Score the answers anew, with the sex on the patient's record."""
    return scoring.score(screen.instrument, answers_of(screen), sex_of(session, screen))


def sex_of(session: Session, screen: Screen) -> scoring.Sex | None:
    """Return the sex on the patient's record where a cut depends on it, else None."""
    if not scoring.instrument(screen.instrument).by_sex:
        return None  # nearly all: no need to read the record at each answer
    return scoring.sex_of(session.get_one(Patient, screen.patient_id).sex)


def title_of(screen: Screen) -> str:
    """Return the instrument's name as staff know it."""
    return scoring.instrument(screen.instrument).title


def note(session: Session, screen: Screen, act: str, actor: str, **detail: str | int | None) -> None:
    """Write an act on a screen into the audit log."""
    audit.record(session, screen.clinic_id, actor, f"screen.{act}", f"screen:{screen.id}", **detail)


def open_item(
    session: Session,
    clinic: Clinic,
    screen: Screen,
    kind: str,
    findings: Sequence[Reason],
    again: str = "",
    score: scoring.Score | None = None,
) -> InboxItem:
    """Open the item of one kind about this screen, with what was found;
    `again` makes a further one for a further reason.

    With its score the clinic's rules about who gets what can ask for the band.
    """
    db.load_keys(session, {clinic.key_id})
    summary = say(findings)
    item = items.open_item(
        session,
        clinic,
        kind=kind,  # type: ignore[arg-type,unused-ignore]
        about=f"screen:{screen.id}",
        dedupe=f"screen:{screen.id}:{kind}{again}",
        summary=summary,
        patient_id=screen.patient_id,
    )
    if item.summary == summary:
        _keep(item, findings)
    _say_what_was_screened(session, item, screen, score)
    return item


def say(findings: Sequence[Reason]) -> str:
    """Return in words what was found, as an item says it in one line."""
    words, line = links.staff_words(), ""
    before = ""
    for finding in findings:
        line += words["alerts_joined"] if finding.key == before == "alert" else ""
        line += reasons.Sentences(words).words(finding)
        before = finding.key
    return line


def _keep(item: InboxItem, findings: Sequence[Reason]) -> None:
    kept = json.dumps([finding.stored() for finding in findings])
    if item.findings != kept:
        item.findings = kept


def _kept(item: InboxItem) -> list[Reason]:
    """What the item says, but not that the form is unfinished. Of an old item only its sentence is known."""
    if item.findings is None:
        return [Reason("as_written", {"text": item.summary or ""})]
    findings = map(reasons.read, json.loads(item.findings))
    return [finding for finding in findings if finding != UNFINISHED]


def _say_what_was_screened(session: Session, item: InboxItem, screen: Screen, score: scoring.Score | None) -> None:
    reached: list[str] = []
    if score is not None and score.band is not None:
        names = [band.name for band in scoring.instrument(screen.instrument).bands(sex_of(session, screen))]
        reached = names[: names.index(score.band) + 1]
    screened = json.dumps({"instrument": screen.instrument, "bands": reached})
    if item.screened != screened:
        item.screened = screened


def safety_item(session: Session, screen: Screen) -> InboxItem | None:
    """Return the first safety item of this screen."""
    return session.scalar(
        select(InboxItem).where(
            InboxItem.clinic_id == screen.clinic_id, InboxItem.dedupe == f"screen:{screen.id}:safety"
        )
    )


def raise_alert(session: Session, clinic: Clinic, screen: Screen, score: scoring.Score) -> None:
    """Tell a person of the alerting answers, at once; a graver answer than before rewrites what the item says."""
    findings = findings_of(session, screen, score)
    if screen.owed != "safety":
        screen.owed = "safety"
        note(session, screen, "alerted", audit.Actor.system("intake"), alerts=",".join(score.alerts))
    item = open_item(session, clinic, screen, "safety", findings, score=score)
    if item.summary == say(findings):
        return
    if item.acknowledged_at is not None:
        # A person has dealt with the milder answer: the graver one is news, and its clock starts anew.
        again = f":{clock.iso(clock.now())}"
        open_item(session, clinic, screen, "safety", findings, again, score)
    else:
        _rewrite(session, item, findings)


def say_it_changed(session: Session, screen: Screen, index: int, value: int | None) -> None:
    """Add to the item that the alerting answer was changed to a milder one; what was said first stays said."""
    item = safety_item(session, screen)
    if item is not None:
        now = _answer_words(scoring.instrument(screen.instrument), index, value)
        _rewrite(session, item, [*_kept(item), Reason("changed", {"answer": now}), UNFINISHED])


def say_it_is_finished(session: Session, screen: Screen, score: scoring.Score) -> None:
    """Put the total in the place of "not finished" on an item that was made by a single answer."""
    item = safety_item(session, screen)
    if item is not None:
        _rewrite(session, item, [*_kept(item), _total(session, screen, score)])
        _say_what_was_screened(session, item, screen, score)


def watch(session: Session, screen: Screen, score: scoring.Score) -> None:
    """Have a form that is positive already looked at, unless it goes on: nobody may be lost by stopping midway."""
    positive = screen.owed is None and (score.positive or _short_within(session, screen) is not None)
    screen.look_at = clock.now() + STOPPED_AFTER if positive else None


def tell_it_stopped(session: Session, clinic: Clinic, screen: Screen) -> None:
    """Tell a person of a positive form that was left: as a screen, with what is still open."""
    screen.look_at = None
    if screen.state != "started" or screen.owed is not None:
        return
    screen.owed = "screen"
    note(session, screen, "stopped", audit.Actor.system("intake"))
    open_item(session, clinic, screen, "screen", findings_of(session, screen, score_of(session, screen)))


def say_it_went_on(session: Session, clinic: Clinic, screen: Screen, score: scoring.Score) -> None:
    """A form that was left midway has been handed in after all: its item says how it ended."""
    if score.positive or short_form(session, screen, score) is not None:
        findings = findings_of(session, screen, score)
    else:
        went_on = Reason("went_on", {"instrument": title_of(screen)})
        findings = [went_on, _total(session, screen, score)]
    item = open_item(session, clinic, screen, "screen", findings)
    if item.summary != say(findings):
        _rewrite(session, item, findings)


def _short_within(session: Session, screen: Screen) -> scoring.Instrument | None:
    """The short form whose questions open this one,
    where they were answered and are a positive screen by themselves."""
    answers = answers_of(screen)
    for short in scoring.instruments().values():
        if short.grows_into == screen.instrument:
            score = scoring.score(short.id, answers[: len(short.items)], sex_of(session, screen))
            if score.positive:
                return short
    return None


def _rewrite(session: Session, item: InboxItem, findings: Sequence[Reason]) -> None:
    item.summary = say(findings)
    _keep(item, findings)
    items.note_event(session, item, audit.Actor.system("intake"), "updated")


def repair(session: Session, clinic: Clinic, screen: Screen) -> InboxItem:
    """Open the item a screen owes a person and has not: the reconciler's one act."""
    kind = screen.owed or "safety"
    findings, score = [Reason("lost", {"instrument": title_of(screen)})], None
    with contextlib.suppress(keys.WrongKey, scoring.BadAnswer):
        score = score_of(session, screen)
        if score.alerts or kind != "safety":
            findings = findings_of(session, screen, score)
    note(session, screen, "repaired", audit.Actor.system("intake"), kind=kind)
    return open_item(session, clinic, screen, kind, findings, score=score)


def findings_of(session: Session, screen: Screen, score: scoring.Score) -> list[Reason]:
    """Return what a person must know first: the alerting answer, else that the screen is positive."""
    definition, answers = scoring.instrument(screen.instrument), answers_of(screen)
    findings = [
        _alert(definition, rule.item, answers[rule.item - 1])
        for rule in definition.alerts
        if (answers[rule.item - 1] or 0) >= rule.at_least
    ] or [_positive(session, screen, score)]
    end = _total(session, screen, score)
    if screen.state == "started":
        end = UNFINISHED if score.alerts else Reason("stopped")
    return [*_where(screen), *findings, end]


def _alert(definition: scoring.Instrument, item: int, value: int | None) -> Reason:
    answer = _answer_words(definition, item - 1, value)
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


def _positive(session: Session, screen: Screen, score: scoring.Score) -> Reason:
    short = None if score.positive else short_form(session, screen, score)
    if screen.state == "started" and not score.positive:
        short = _short_within(session, screen)
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
        return [Reason("past", {"day": f"{day.day} {day:%b} {day.year}"})]
    return [Reason("in_building")] if screen.detail.get("place") == links.TABLET else []


def _total(session: Session, screen: Screen, score: scoring.Score) -> Reason:
    definition = scoring.instrument(screen.instrument)
    if score.total is None:
        return Reason("total_missing", {"missing": score.missing, "items": len(definition.items)})
    band = next(band for band in definition.bands(sex_of(session, screen)) if band.name == score.band)
    return Reason("total", {"total": score.total, "band": _small(band.words["en"])})


def _answer_words(definition: scoring.Instrument, index: int, value: int | None) -> str:
    for answer in definition.items[index].answers:
        if answer.value == value:
            return _small(answer.text["en"])
    return links.staff_words()["no_answer"]


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]
