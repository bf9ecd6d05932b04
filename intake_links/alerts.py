"""What a screen owes a person: its item in the inbox, in words staff understand at once."""

import contextlib
import json
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db, keys
from intake_links import links, scoring
from intake_links.models import Screen
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient

# After so long without another answer a form counts as left; a visit on a phone ends by then too (links.IDLE).
STOPPED_AFTER = timedelta(minutes=30)


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
    summary: str,
    again: str = "",
    score: scoring.Score | None = None,
) -> InboxItem:
    """Open the item of one kind about this screen; `again` makes a further one for a further reason.

    With its score the clinic's rules about who gets what can ask for the band.
    """
    db.load_keys(session, {clinic.key_id})
    item = items.open_item(
        session,
        clinic,
        kind=kind,  # type: ignore[arg-type,unused-ignore]
        about=f"screen:{screen.id}",
        dedupe=f"screen:{screen.id}:{kind}{again}",
        summary=summary,
        patient_id=screen.patient_id,
    )
    _say_what_was_screened(session, item, screen, score)
    return item


def _say_what_was_screened(
    session: Session, item: InboxItem, screen: Screen, score: scoring.Score | None
) -> None:
    reached: list[str] = []
    if score is not None and score.band is not None:
        names = [band.name for band in scoring.instrument(screen.instrument).bands(sex_of(session, screen))]
        reached = names[: names.index(score.band) + 1]
    said = json.dumps({"instrument": screen.instrument, "bands": reached})
    if item.screened != said:
        item.screened = said


def safety_item(session: Session, screen: Screen) -> InboxItem | None:
    """Return the first safety item of this screen."""
    return session.scalar(
        select(InboxItem).where(
            InboxItem.clinic_id == screen.clinic_id, InboxItem.dedupe == f"screen:{screen.id}:safety"
        )
    )


def raise_alert(session: Session, clinic: Clinic, screen: Screen, score: scoring.Score) -> None:
    """Tell a person of the alerting answers, at once; a graver answer than before rewrites what the item says."""
    summary = summary_of(session, screen, score)
    if screen.owed != "safety":
        screen.owed = "safety"
        note(session, screen, "alerted", audit.Actor.system("intake"), alerts=",".join(score.alerts))
    item = open_item(session, clinic, screen, "safety", summary, score=score)
    if item.summary == summary:
        return
    if item.acknowledged_at is not None:
        # A person has dealt with the milder answer: the graver one is news, and its clock starts anew.
        again = f":{clock.iso(clock.now())}"
        open_item(session, clinic, screen, "safety", summary, again, score)
    else:
        _rewrite(session, item, summary)


def say_it_changed(session: Session, screen: Screen, index: int, value: int | None) -> None:
    """Add to the item that the alerting answer was changed to a milder one; what was said first stays said."""
    item = safety_item(session, screen)
    if item is not None:
        words = links.staff_words()
        now = _answer_words(scoring.instrument(screen.instrument), index, value)
        kept = (item.summary or "").replace(words["unfinished"], "")
        _rewrite(session, item, kept + words["changed"].format(answer=now) + words["unfinished"])


def say_it_is_finished(session: Session, screen: Screen, score: scoring.Score) -> None:
    """Put the total in the place of "not finished" on an item that was made by a single answer."""
    item = safety_item(session, screen)
    if item is not None:
        kept = (item.summary or "").replace(links.staff_words()["unfinished"], "")
        _rewrite(session, item, kept + _total(session, screen, score))
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
    open_item(session, clinic, screen, "screen", summary_of(session, screen, score_of(session, screen)))


def say_it_went_on(session: Session, clinic: Clinic, screen: Screen, score: scoring.Score) -> None:
    """A form that was left midway has been handed in after all: its item says how it ended."""
    summary = _total(session, screen, score)
    if score.positive or short_form(session, screen, score) is not None:
        summary = summary_of(session, screen, score)
    else:
        summary = links.staff_words()["went_on"].format(instrument=title_of(screen)) + summary
    item = open_item(session, clinic, screen, "screen", summary)
    if item.summary != summary:
        _rewrite(session, item, summary)


def _short_within(session: Session, screen: Screen) -> scoring.Instrument | None:
    """The short form whose questions open this one, where they were answered and are a positive screen by themselves."""
    answers = answers_of(screen)
    for short in scoring.instruments().values():
        if short.grows_into == screen.instrument:
            score = scoring.score(short.id, answers[: len(short.items)], sex_of(session, screen))
            if score.positive:
                return short
    return None


def _rewrite(session: Session, item: InboxItem, summary: str) -> None:
    item.summary = summary
    items.note_event(session, item, audit.Actor.system("intake"), "updated")


def repair(session: Session, clinic: Clinic, screen: Screen) -> InboxItem:
    """Open the item a screen owes a person and has not: the reconciler's one act."""
    kind = screen.owed or "safety"
    summary, score = links.staff_words()["lost"].format(instrument=title_of(screen)), None
    with contextlib.suppress(keys.WrongKey, scoring.BadAnswer):
        score = score_of(session, screen)
        if score.alerts or kind != "safety":
            summary = summary_of(session, screen, score)
    note(session, screen, "repaired", audit.Actor.system("intake"), kind=kind)
    return open_item(session, clinic, screen, kind, summary, score=score)


def summary_of(session: Session, screen: Screen, score: scoring.Score) -> str:
    """Return in plain words what a person must know first: the alerting answer, else that the screen is positive."""
    words, definition, answers = (
        links.staff_words(),
        scoring.instrument(screen.instrument),
        answers_of(screen),
    )
    said = [
        words["alert"].format(
            item=rule.item,
            instrument=definition.title,
            answer=_answer_words(definition, rule.item - 1, answers[rule.item - 1]),
        )
        for rule in definition.alerts
        if (answers[rule.item - 1] or 0) >= rule.at_least
    ] or [_positive(session, screen, score)]
    end = _total(session, screen, score)
    if screen.state == "started":
        end = words["unfinished" if score.alerts else "stopped"]
    return _where(screen) + words["alerts_joined"].join(said) + end


def short_form(session: Session, screen: Screen, score: scoring.Score) -> scoring.Instrument | None:
    """Return the short form this screen began as, where it was positive and the longer one was not answered whole.

    Without this a patient who declines the further questions would be lost, whose first two were a positive screen.
    """
    began = scoring.instrument(screen.detail.get("began", screen.instrument))
    if began.id == screen.instrument or score.total is not None:
        return None
    first = scoring.score(began.id, answers_of(screen)[: len(began.items)], sex_of(session, screen))
    return began if first.positive else None


def _positive(session: Session, screen: Screen, score: scoring.Score) -> str:
    short = None if score.positive else short_form(session, screen, score)
    if screen.state == "started" and not score.positive:
        short = _short_within(session, screen)
        if short is not None:
            return links.staff_words()["positive_within"].format(
                short=short.title, instrument=title_of(screen)
            )
    if short is None:
        return links.staff_words()["positive"].format(instrument=title_of(screen))
    return links.staff_words()["positive_short"].format(short=short.title, instrument=title_of(screen))


def _where(screen: Screen) -> str:
    here = screen.detail.get("place") == links.TABLET
    return links.staff_words()["in_building"] if here else ""


def _total(session: Session, screen: Screen, score: scoring.Score) -> str:
    definition, words = scoring.instrument(screen.instrument), links.staff_words()
    if score.total is None:
        return words["total_missing"].format(missing=score.missing, items=len(definition.items))
    band = next(band for band in definition.bands(sex_of(session, screen)) if band.name == score.band)
    return words["total"].format(total=score.total, band=_small(band.words["en"]))


def _answer_words(definition: scoring.Instrument, index: int, value: int | None) -> str:
    for answer in definition.items[index].answers:
        if answer.value == value:
            return _small(answer.text["en"])
    return links.staff_words()["no_answer"]


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]
