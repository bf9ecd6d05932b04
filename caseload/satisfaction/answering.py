"""Takes what somebody answers when asked how the clinic did, and reads their words as a reply would be read.

The answers may be promised to be read without a name. Words that may speak of a crisis are put before a person by
name in the same transaction, whatever was promised of the rest: the form says so before anything is written.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload.models import SatisfactionAsked
from config import audit, clock, db, keys
from intake_links.models import IntakeLink
from messaging.inbox import items
from messaging.inbox.routing import topics
from messaging.models import Clinic
from messaging.reading import likeness, read_reply, rulebook, tiers
from messaging.reading.rulebook import Scope
from messaging.second_reading import hearing, standing
from reminders import satisfaction


@dataclass(frozen=True)
class Given:
    """What was handed in: 1 to 5 by the id of the question, the free text, in which language the form was shown, and
    whether it said that the care team reads it by name."""

    said: Mapping[str, int]
    words: str
    language: str
    named: bool


@dataclass(frozen=True)
class Heard:
    """How grave the words are, as far as the clinic acts on it, why, and which texts they put an end to."""

    tier: tiers.Tier | None = None
    why: tuple[str, ...] = ()
    ends: Scope | None = None


def be_ready() -> None:
    """Make both readers, before a transaction: that takes a second, and nobody else could write meanwhile."""
    rulebook.rules()
    likeness.check()


def asked_by(session: Session, link: IntakeLink, *, acting: bool = False) -> SatisfactionAsked | None:
    """Return what this link asks, its key loaded; `acting` locks it, so that two tabs take turns."""
    asked = select(SatisfactionAsked).where(SatisfactionAsked.link_id == link.id)
    row = session.scalar(asked.with_for_update().execution_options(populate_existing=True) if acting else asked)
    if row is not None:
        db.load_keys(session, [row.key_id])
    return row


def take(session: Session, clinic: Clinic, link: IntakeLink, given: Given) -> Heard:
    """Keep the answers, once, and put words that may be a crisis or a worry before a person; return what was heard.

    Handed in again, the first marks stand, and other words are kept beside the first. Raises LookupError for a link
    that asks nothing.
    """
    row = asked_by(session, link, acting=True)
    if row is None:
        raise LookupError("nothing is asked by this link")
    heard = hear(clinic, given.words, given.language)
    _raise(session, clinic, link, row, given.words, heard)
    known = row.words or ""
    if row.answered_at is None:
        said = {key: value for key, value in given.said.items() if key in satisfaction.ever_asked(session, clinic)}
        row.answered_at, row.answered_in, row.named = clock.now(), given.language, given.named
        row.said, row.words = json.dumps(said), given.words or None
        link.state, link.answered_at = "answered", clock.now()
        _note(session, row, audit.Actor.patient(link.patient_id), "answered")
    elif given.words and given.words not in known:
        row.words = f"{known}\n{given.words}".strip()
    row.spoke = bool(row.words)
    return heard


def hear_late(session: Session, clinic: Clinic, link: IntakeLink, words: str, language: str) -> Heard:
    """Read words that came when nobody could be asked any more who writes them: a crisis is told, the rest is kept by
    the page they came from until the birth date is right."""
    row = asked_by(session, link, acting=True)
    heard = hear(clinic, words, language)
    if row is not None and heard.tier == "crisis":
        _raise(session, clinic, link, row, words, heard, "crisis_late")
    return heard


def hear(clinic: Clinic, words: str, language: str) -> Heard:
    """Return what both readers say of the words, exactly as of a reply that answers no reminder."""
    if not words.strip():
        return Heard()
    read = read_reply.read(words, language, awaiting=False)
    alike = hearing.most_alike([words], language)
    acted = hearing.judge(read, alike, standing.of(clinic), free=read.content).acted
    return Heard(acted.tier, acted.reasons, read.scope if read.consent == "stop" else None)


def _raise(
    session: Session,
    clinic: Clinic,
    link: IntakeLink,
    row: SatisfactionAsked,
    words: str,
    heard: Heard,
    key: str = "",
) -> None:
    if heard.tier is None:
        return
    db.load_keys(session, [clinic.key_id])
    # The same words twice are one item; others are another, whoever has dealt with the first.
    once = keys.token_hash(words).hex()[:16]
    items.open_item(
        session,
        clinic,
        kind="safety" if heard.tier == "crisis" else "reply",
        about=f"satisfaction_asked:{row.id}",
        dedupe=f"satisfaction_asked:{row.id}:{once}",
        summary=_words()[key or heard.tier].replace("{words}", words),
        patient_id=link.patient_id,
        reason=[topics.of_worry(heard.why)] if heard.tier == "worry" else [],
    )
    row.raised = True
    _note(session, row, audit.Actor.system("caseload"), "raised", tier=heard.tier)


@cache
def _words() -> dict[str, str]:
    text = resources.files("caseload.satisfaction").joinpath("texts/staff.toml").read_text(encoding="utf-8")
    summaries: dict[str, str] = tomllib.loads(text)["summaries"]
    return summaries


def _note(session: Session, row: SatisfactionAsked, actor: str, act: str, **detail: str) -> None:
    audit.record(session, row.clinic_id, actor, f"satisfaction.{act}", f"satisfaction_asked:{row.id}", **detail)
