"""Keeps what both readers said of each text, with the versions of rules and weights, and finds it again."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message
from messaging.second_reading import watching
from messaging.second_reading.hearing import Judged
from messaging.second_reading.models import SecondReading

TIER = "tier."


def labels(judged: Judged, joined: Sequence[Message]) -> list[str]:
    """Return what is kept beside the rules that read a text: the tier that was acted on, weights, that it was joined.

    No score and no tier of a clinic in shadow mode: those stand in a row of their own.
    """
    heard = judged.heard.likeness
    return [
        *([f"{TIER}{judged.acted.tier}"] if judged.acted.tier else []),
        *([f"weights.{heard.version}"] if heard else []),
        *(["joined"] if joined and judged.acted.tier else []),
    ]


def keep(
    session: Session, clinic: Clinic, message: Message, rules_version: str, judged: Judged, joined: Sequence[Message]
) -> SecondReading:
    """Write the reading of a text down."""
    heard = judged.heard.likeness
    row = SecondReading(
        clinic_id=clinic.id,
        message_id=message.id,
        rules_version=rules_version,
        weights_version=heard.version if heard else None,
        score=heard.score if heard else None,
        band=heard.band if heard else None,
        language=heard.language if heard else "",
        off=judged.heard.off,
        tier=judged.verdict.tier,
        acted=judged.acted.tier,
        reasons=list(judged.verdict.reasons),
        joined=[str(text.id) for text in joined],
        at=message.created_at,
    )
    session.add(row)
    watching.begin(session, clinic)
    return row


def led_to(session: Session, message_id: UUID, item: InboxItem) -> None:
    """Note which item came of the reading of a text."""
    row = session.scalar(select(SecondReading).where(SecondReading.message_id == message_id))
    if row is not None:
        row.item_id = item.id


def of_item(session: Session, item: InboxItem) -> SecondReading | None:
    """Return the reading for which an item is a worry or a crisis, None where none is.

    Of several the latest of which nobody has said what it is, so that each is judged; else the latest.
    """
    judged = SecondReading.verdict.is_not(None)
    led = select(SecondReading).where(SecondReading.item_id == item.id, SecondReading.acted.is_not(None))
    return session.scalar(led.order_by(judged, SecondReading.at.desc(), SecondReading.id.desc()).limit(1))


def worries(session: Session, item: InboxItem) -> bool:
    """Whether any text of an item is a worry that nobody has called neither."""
    calm = SecondReading.verdict.is_not_distinct_from("neither")
    led = select(SecondReading.id).where(SecondReading.item_id == item.id, SecondReading.acted == "worry", ~calm)
    return session.scalar(led.limit(1)) is not None
