"""Binds every form a patient is shown to its link and screen, whatever other link the browser has opened meanwhile."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import keys
from intake_links.models import IntakeLink, LinkSession

FIELD = "bound"


@dataclass(frozen=True)
class Held:
    """A link that this browser has opened, by its token."""

    token: str
    link_id: UUID
    patient_id: UUID


def mark(link_id: UUID, part: int) -> str:
    """Return what a form carries of the link it was made for and of the link's instrument number `part` (0: none)."""
    bound = f"{link_id.hex}-{part}"
    return f"{bound}-{_seal(bound)}"


def read(marked: str) -> tuple[UUID, int] | None:
    """Return the link and the part a form was made for; None for what is no mark of ours."""
    bound, _, seal = marked.rpartition("-")
    if not hmac.compare_digest(_seal(bound).encode(), seal.encode("utf-8", "replace")):
        return None
    link_id, _, part = bound.partition("-")
    return UUID(hex=link_id), int(part)


def _seal(bound: str) -> str:
    return hmac.digest(keys.ring().secret("forms"), bound.encode("utf-8", "replace"), "sha256").hex()[:32]


def held(session: Session, tokens: Sequence[str]) -> list[Held]:
    """Return the opened links these tokens belong to, in their order."""
    by_hash = {keys.token_hash(token): token for token in tokens}
    statement = (
        select(LinkSession.token_hash, IntakeLink.id, IntakeLink.patient_id)
        .join(IntakeLink, IntakeLink.id == LinkSession.link_id)
        .where(LinkSession.token_hash.in_(by_hash))
    )
    opened_links = [Held(by_hash[hashed], *whose) for hashed, *whose in session.execute(statement)]
    return sorted(opened_links, key=lambda opened: tokens.index(opened.token))


def are_several(opened_links: Sequence[Held]) -> bool:
    """Whether more than one patient uses this browser, so that an address alone does not say whose page it is."""
    return len({opened.patient_id for opened in opened_links}) > 1
