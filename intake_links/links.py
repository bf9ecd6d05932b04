"""Hands out links to forms, and lets in who knows the birth date of the patient a link was made for."""

import hmac
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from config import audit, clock, db, keys, runtime
from intake_links import addresses, scoring
from intake_links.models import VIEWS, IntakeLink, LinkSession
from messaging.inbox import items
from messaging.models import Clinic, Patient

VALID = timedelta(hours=72)
# ASVS 5.0 7.3: a session ends by idleness and by age. Four hours outlast any form, thirty minutes a telephone call.
IDLE = timedelta(minutes=30)
# A tablet is handed on: after two minutes its page hides itself and asks, a minute later nothing opens any more.
IDLE_ON_TABLET = timedelta(minutes=3)
TABLET = "tablet"
# A link without questions: it leads to the patient's own page, and outlives a link to questions and is outlived by it.
OWN = "own"
OLDEST = timedelta(hours=4)
TRIES = 5
LIVE = ("open", "verified")
WITH_QUESTIONS = or_(IntakeLink.place.is_(None), IntakeLink.place.not_in((OWN, VIEWS)))
BIRTH = ("day", "month", "year")


@dataclass(frozen=True)
class OpenedLink:
    """A phone that has passed the birth date. `fresh` is false once it has been idle or open for too long."""

    clinic: Clinic
    link: IntakeLink
    session: LinkSession
    fresh: bool


@cache
def staff_words(table: str = "summaries") -> dict[str, str]:
    """Return the sentences this room writes for staff, by key: those of items, or of the "ledger"."""
    text = (resources.files("intake_links") / "texts" / "staff.toml").read_text("utf-8")
    words: dict[str, str] = tomllib.loads(text)[table]
    return words


def issue(
    session: Session,
    clinic: Clinic,
    patient: Patient,
    instruments: Sequence[str],
    *,
    appointment_id: UUID | None = None,
    valid: timedelta = VALID,
    leads_to: str = OWN,
) -> tuple[IntakeLink, str]:
    """Make a link to `instruments`, in that order, and return it with its URL: the only time the token is known.

    An older link that is still open is withdrawn, so that a patient never has two; what was answered on it stays.
    Without instruments it `leads_to` the patient's own page (OWN) or to what the clinic asks of how it did (VIEWS);
    of these too a patient has one each, beside one with questions.
    Raises scoring.UnknownInstrument, and ValueError for a repeating list or a time that is not ahead.
    """
    wanted = [scoring.instrument(name).id for name in instruments]
    # Who is asked the long form is not asked its first questions in a short one before.
    wanted = [name for name in wanted if scoring.instrument(name).grows_into not in wanted]
    if len(set(wanted)) != len(wanted):
        raise ValueError("a link needs different instruments")
    if valid <= timedelta():
        raise ValueError("a link needs some time ahead of it")
    # The patient's row is the lock, so that two issues at once leave one open link; who only refers to it goes on.
    session.scalar(select(Patient.id).where(Patient.id == patient.id).with_for_update(key_share=True))
    now = clock.now()
    older = select(IntakeLink).where(IntakeLink.patient_id == patient.id, IntakeLink.state.in_(LIVE))
    for link in session.scalars(older.where(WITH_QUESTIONS if wanted else IntakeLink.place == leads_to)):
        withdraw(session, link)
    token = keys.new_token()
    made = IntakeLink(
        clinic_id=clinic.id,
        patient_id=patient.id,
        appointment_id=appointment_id,
        token_hash=keys.token_hash(token),
        instruments=wanted,
        state="open",
        tries=0,
        language=patient.language,
        created_at=now,
        expires_at=now + valid,
        place=None if wanted else leads_to,
    )
    session.add(made)
    session.flush()
    _note(session, made, "issued", audit.Actor.system("intake"))
    return made, f"{runtime.settings().public_url}/i/{token}"


def open_link_of(session: Session, patient_id: UUID) -> IntakeLink | None:
    """Return the link on which the patient can still answer, if there is one."""
    return session.scalar(
        select(IntakeLink).where(
            IntakeLink.patient_id == patient_id,
            WITH_QUESTIONS,
            IntakeLink.state.in_(LIVE),
            IntakeLink.expires_at > clock.now(),
        )
    )


def second_url(session: Session, link: IntakeLink) -> str:
    """Return a second URL of the link, for its follow-up; the first, which nobody knows but the patient, stays good.

    Raises ValueError for a link that is not open any more or has had its second.
    """
    if link.second_hash is not None or not is_open(link, clock.now()):
        raise ValueError("this link gets no second address")
    link.second_hash = keys.token_hash(token := keys.new_token())
    _note(session, link, "second_address", audit.Actor.system("intake"))
    return f"{runtime.settings().public_url}/i/{token}"


def by_token(session: Session, token: str) -> IntakeLink | None:
    """Return the link with this token in whatever state it is; looking changes nothing."""
    hashed = [keys.token_hash(candidate) for candidate in addresses.tokens_in(token)]
    matches = or_(IntakeLink.token_hash.in_(hashed), IntakeLink.second_hash.in_(hashed))
    return session.scalar(select(IntakeLink).where(matches))


def expire(session: Session, link_ids: Iterable[UUID]) -> int:
    """Say of these links that are still open that their time is over, where it is; return how many."""
    over = select(IntakeLink).where(IntakeLink.id.in_(link_ids)).with_for_update(skip_locked=True)
    ended = [link for link in session.scalars(over) if link.state in LIVE]
    ended = [link for link in ended if not is_open(link, clock.now())]
    for link in ended:
        withdraw(session, link)
    return len(ended)


def on_tablet(link: IntakeLink) -> bool:
    """Whether this form is answered on the clinic's own tablet."""
    return link.place == TABLET


def ask_for_another(session: Session, clinic: Clinic, link: IntakeLink) -> None:
    """Tell the care team that the patient wishes for a new link, once a day at most; not while this one works.

    A person sends it, to the number on file: whoever holds the old link may not be the patient.
    """
    now = clock.now()
    if is_open(link, now) or link.state == "answered":
        return
    session.refresh(link, with_for_update=True)
    withdraw(session, link)
    _tell_the_team(session, clinic, link, "wished", once=f"wished:{now.date().isoformat()}")
    _note(session, link, "wished_anew", audit.Actor.system("intake"))


def is_open(link: IntakeLink, now: datetime) -> bool:
    """Whether a birth date may be tried on this link."""
    return link.state in LIVE and now < link.expires_at


def opens_own_page(link: IntakeLink, now: datetime) -> bool:
    """Whether the birth date opens the patient's own page by this link: also once its questions are answered."""
    answered = link.state == "answered" and link.tries < TRIES
    return (answered or link.state in LIVE) and now < link.expires_at and not on_tablet(link)


def withdraw(session: Session, link: IntakeLink, *, actor: str = audit.Actor.system("intake")) -> None:
    """End a link that is still open; as expired where its time was over anyway. Answers on it stay."""
    if link.state in LIVE:
        link.state = "withdrawn" if is_open(link, clock.now()) else "expired"
        _note(session, link, link.state, actor)


def read_birth_date(typed: Mapping[str, str]) -> tuple[date | None, str]:
    """Read the fields day, month and year, or return the key of the sentence that says what to look at.

    What is no date costs no try: it cannot be somebody's guess.
    """
    day, month, year = (typed.get(name, "").strip() for name in BIRTH)
    if not (day and month and year):
        return None, "birth_missing"
    if not all(re.fullmatch("[0-9]{1,4}", part) for part in (day, month, year)):
        return None, "birth_not_a_date"
    if len(year) != 4:
        return None, "birth_four_digits"
    try:
        return date(int(year), int(month), int(day)), ""
    except ValueError:
        return None, "birth_not_a_date"


def verify(
    session: Session,
    clinic: Clinic,
    link: IntakeLink,
    born: date,
    opens: Callable[[IntakeLink, datetime], bool] = is_open,
) -> str | None:
    """Return the token of a new session if `born` is the patient's birth date and the link `opens`, else None.

    The fifth wrong date of the link's life locks it and asks a person to call: the birth date says that the right
    person holds the phone, and is known to a household, so it must not be guessed at. An answered link stays answered.
    """
    session.flush()
    session.refresh(link, with_for_update=True)
    if not opens(link, clock.now()):
        withdraw(session, link)
        return None
    patient = session.get_one(Patient, link.patient_id)
    if hmac.compare_digest((patient.birth_date or "unknown").encode(), born.isoformat().encode()):
        return let_in(session, link)
    link.tries += 1
    _note(session, link, "wrong_birth_date", audit.Actor.system("intake"), tries=link.tries)
    if link.tries >= TRIES:
        _lock(session, clinic, link)
    return None


def let_in(session: Session, link: IntakeLink) -> str:
    """Open the link and return the token of that opening, once whoever asks has shown who they are."""
    now, token = clock.now(), keys.new_token()
    link_session = LinkSession(
        clinic_id=link.clinic_id,
        link_id=link.id,
        token_hash=keys.token_hash(token),
        created_at=now,
        seen_at=now,
    )
    session.add(link_session)
    link.state = "verified" if link.state in LIVE else link.state
    link.verified_at = link.verified_at or now
    _note(session, link, "verified", audit.Actor.patient(link.patient_id))
    return token


def _lock(session: Session, clinic: Clinic, link: IntakeLink) -> None:
    link.state = "locked" if link.state in LIVE else link.state
    _tell_the_team(session, clinic, link, "locked", once="locked")
    _note(session, link, "locked", audit.Actor.system("intake"))


def _tell_the_team(session: Session, clinic: Clinic, link: IntakeLink, words: str, *, once: str) -> None:
    """Open an item about a link that needs a person, with these words for staff; one only for each `once`."""
    db.load_keys(session, {clinic.key_id})
    items.open_item(
        session,
        clinic,
        kind="delivery",
        about=f"intake_link:{link.id}",
        dedupe=f"intake_link:{link.id}:{once}",
        summary=staff_words()[words],
        patient_id=link.patient_id,
    )


def opened(session: Session, token: str | None, *, acting: bool = False) -> OpenedLink | None:
    """Return the link that `token` has opened, None if it never opened one.

    `acting` (a POST) locks the link, so that two tabs take turns, and counts as being seen; looking changes nothing.
    What is fresh may be finished, whatever has become of its link since: an answer being given is never refused.
    """
    if not token:
        return None
    statement = (
        select(LinkSession, IntakeLink, Clinic)
        .join(IntakeLink, IntakeLink.id == LinkSession.link_id)
        .join(Clinic, Clinic.id == IntakeLink.clinic_id)
        .where(LinkSession.token_hash == keys.token_hash(token))
    )
    row = session.execute(statement.with_for_update(of=IntakeLink) if acting else statement).one_or_none()
    if row is None:
        return None
    link_session, link, clinic = row
    now = clock.now()
    idle = IDLE_ON_TABLET if on_tablet(link) else IDLE
    fresh = now < link_session.seen_at + idle and now < link_session.created_at + OLDEST
    if acting and fresh:
        link_session.seen_at = now
    return OpenedLink(clinic, link, link_session, fresh)


def leave(session: Session, opened: OpenedLink) -> None:
    """Close an opened link for good: whoever picks up the phone next must know the birth date again."""
    opened.session.seen_at = opened.session.created_at - IDLE
    _note(session, opened.link, "left", audit.Actor.patient(opened.link.patient_id))


def _note(session: Session, link: IntakeLink, act: str, actor: str, **detail: int) -> None:
    audit.record(session, link.clinic_id, actor, f"link.{act}", f"intake_link:{link.id}", **detail)
