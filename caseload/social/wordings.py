"""The clinic's own copy of the wording: loaded with the permission behind it, one language at a time, and retired."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from caseload.episodes import Refused
from caseload.social import scoring
from caseload.social.models import SocialWording
from config import audit, clock
from messaging.models import Clinic, Staff

LANGUAGES = ("en", "es")
LONGEST, LONGEST_LICENCE = 600, 600


class BadLine(ValueError):
    """A wording that cannot be loaded: `why` is a key of the page's refusals, `line` the number or the key it is
    about."""

    def __init__(self, why: str, line: str) -> None:
        super().__init__(why)
        self.why, self.line = why, line


def read(typed: str) -> dict[str, str]:
    """Return the words by key of lines such as "71802-3 = ...". Raises BadLine for the first that is wrong.

    Every key of the questions must be there once; empty lines and those that begin with "#" are passed over.
    """
    wanted, words = scoring.core().wanted(), dict[str, str]()
    for number, line in enumerate(typed.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, found, said = (part.strip() for part in line.partition("="))
        if not found or key not in wanted:
            raise BadLine("social_line", str(number))
        if key in words:
            raise BadLine("social_twice", str(number))
        if not said or len(said) > LONGEST or not said.isprintable():
            raise BadLine("social_words", str(number))
        words[key] = said
    missing = next((key for key in wanted if key not in words), None)
    if missing is not None:
        raise BadLine("social_missing", missing)
    return words


def load(
    session: Session, clinic: Clinic, staff: Staff, language: str, words: Mapping[str, str], licence: str
) -> SocialWording:
    """Put a wording into use in the place of the one before. Raises Refused without its licence or language."""
    if language not in LANGUAGES:
        raise Refused("social_language", "language")
    if not licence.strip() or len(licence.strip()) > LONGEST_LICENCE:
        raise Refused("social_licence", "licence")
    retire(session, clinic, staff, language)
    wording = SocialWording(
        clinic_id=clinic.id,
        language=language,
        licence=licence.strip(),
        words=dict(words),
        loaded_by=staff.id,
        loaded_at=clock.now(),
    )
    session.add(wording)
    session.flush()
    actor, about = audit.Actor.staff(staff.id), f"social_wording:{wording.id}"
    audit.record(session, clinic.id, actor, "social_wording.loaded", about, language=language)
    return wording


def retire(session: Session, clinic: Clinic, staff: Staff, language: str) -> None:
    """Take the wording of a language out of use; what was asked with it stays."""
    row = in_use(session, clinic.id).get(language)
    if row is None:
        return
    session.execute(update(SocialWording).where(SocialWording.id == row.id).values(retired_at=clock.now()))
    audit.record(session, clinic.id, audit.Actor.staff(staff.id), "social_wording.retired", f"social_wording:{row.id}")


def in_use(session: Session, clinic_id: UUID) -> dict[str, SocialWording]:
    """Return by language the wording that is asked."""
    rows = select(SocialWording).where(SocialWording.clinic_id == clinic_id, SocialWording.retired_at.is_(None))
    return {row.language: row for row in session.scalars(rows.order_by(SocialWording.id))}
