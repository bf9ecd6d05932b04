"""What a screen owes a person: its item in the inbox, in words staff understand at once."""

import contextlib
import json
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db, keys
from intake_links import finding, scoring
from intake_links.models import Screen
from messaging import reasons
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic
from messaging.reasons import Reason

# After so long without another answer a form counts as left; an opened link closes by then too (links.IDLE).
STOPPED_AFTER = timedelta(minutes=30)


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
    summary = finding.say(findings)
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


def _keep(item: InboxItem, findings: Sequence[Reason]) -> None:
    kept = json.dumps([each.stored() for each in findings])
    if item.findings != kept:
        item.findings = kept


def _kept(item: InboxItem) -> list[Reason]:
    """What the item says, but not that the form is unfinished. Of an old item only its sentence is known."""
    if item.findings is None:
        return [Reason("as_written", {"text": item.summary or ""})]
    findings = map(reasons.read, json.loads(item.findings))
    return [each for each in findings if each != finding.UNFINISHED]


def _say_what_was_screened(session: Session, item: InboxItem, screen: Screen, score: scoring.Score | None) -> None:
    reached: list[str] = []
    if score is not None and score.band is not None:
        names = [band.name for band in scoring.instrument(screen.instrument).bands(finding.sex_of(session, screen))]
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
    findings = finding.findings_of(session, screen, score)
    if screen.owed != "safety":
        screen.owed = "safety"
        note(session, screen, "alerted", audit.Actor.system("intake"), alerts=",".join(score.alerts))
    item = open_item(session, clinic, screen, "safety", findings, score=score)
    if item.summary == finding.say(findings):
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
        now = finding.answer_words(scoring.instrument(screen.instrument), index, value)
        _rewrite(session, item, [*_kept(item), Reason("changed", {"answer": now}), finding.UNFINISHED])


def say_it_is_finished(session: Session, screen: Screen, score: scoring.Score) -> None:
    """Put the total in the place of "not finished" on an item that was made by a single answer."""
    item = safety_item(session, screen)
    if item is not None:
        _rewrite(session, item, [*_kept(item), finding.total(session, screen, score)])
        _say_what_was_screened(session, item, screen, score)


def watch(session: Session, screen: Screen, score: scoring.Score) -> None:
    """Have a form that is positive already looked at, unless it goes on: nobody may be lost by stopping midway."""
    positive = screen.owed is None and (score.positive or finding.short_within(session, screen) is not None)
    screen.look_at = clock.now() + STOPPED_AFTER if positive else None


def tell_it_stopped(session: Session, clinic: Clinic, screen: Screen) -> None:
    """Tell a person of a positive form that was left: as a screen, with what is still open."""
    screen.look_at = None
    if screen.state != "started" or screen.owed is not None:
        return
    screen.owed = "screen"
    note(session, screen, "stopped", audit.Actor.system("intake"))
    open_item(
        session, clinic, screen, "screen", finding.findings_of(session, screen, finding.score_of(session, screen))
    )


def say_it_went_on(session: Session, clinic: Clinic, screen: Screen, score: scoring.Score) -> None:
    """A form that was left midway has been handed in after all: its item says how it ended."""
    if score.positive or finding.short_form(session, screen, score) is not None:
        findings = finding.findings_of(session, screen, score)
    else:
        went_on = Reason("went_on", {"instrument": finding.title_of(screen)})
        findings = [went_on, finding.total(session, screen, score)]
    say_now(session, clinic, screen, "screen", findings)


def _rewrite(session: Session, item: InboxItem, findings: Sequence[Reason]) -> None:
    item.summary = finding.say(findings)
    _keep(item, findings)
    items.note_event(session, item, audit.Actor.system("intake"), "updated")


def say_now(
    session: Session,
    clinic: Clinic,
    screen: Screen,
    kind: str,
    findings: Sequence[Reason],
    score: scoring.Score | None = None,
) -> None:
    """Open the item of this kind, or have the one that is open say what is found by now."""
    item = open_item(session, clinic, screen, kind, findings, score=score)
    if item.summary != finding.say(findings):
        _rewrite(session, item, findings)


def say_it_was_told_anew(session: Session, screen: Screen, score: scoring.Score, changed: Sequence[Reason]) -> None:
    """Have the item about an EHR's result say how it stands by now; what was said first stays said."""
    dedupe = f"screen:{screen.id}:{screen.owed}"
    item = session.scalar(select(InboxItem).where(InboxItem.clinic_id == screen.clinic_id, InboxItem.dedupe == dedupe))
    if item is not None:
        said = [each for each in _kept(item) if each.key not in ("total", "total_missing", "corrected")]
        _rewrite(session, item, [*said, *changed, finding.total(session, screen, score)])
        _say_what_was_screened(session, item, screen, score)


def repair(session: Session, clinic: Clinic, screen: Screen) -> InboxItem:
    """Open the item a screen owes a person and has not: the reconciler's one act."""
    kind = screen.owed or "safety"
    findings, score = [Reason("lost", {"instrument": finding.title_of(screen)})], None
    with contextlib.suppress(keys.WrongKey, scoring.BadAnswer):
        score = finding.score_of(session, screen)
        if score.alerts or kind != "safety":
            findings = finding.findings_of(session, screen, score)
    note(session, screen, "repaired", audit.Actor.system("intake"), kind=kind)
    return open_item(session, clinic, screen, kind, findings, score=score)
