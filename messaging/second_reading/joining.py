"""Texts that one person sent within a few minutes, read as one: what is said in two halves is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db
from messaging.models import Conversation, Message
from messaging.reading import read_reply, tiers
from messaging.second_reading import hearing
from messaging.second_reading.models import SecondReading
from messaging.second_reading.standing import Standing

WITHIN = timedelta(minutes=5)
MOST = 6  # texts read as one, the new one among them
_RANK = {None: 0, "worry": 1, "crisis": 2}


@dataclass(frozen=True)
class Joined:
    """What texts say as one. `read` is how the rules read them, `texts` those that came beside the new one."""

    judged: hearing.Judged
    read: read_reply.Reading
    texts: Sequence[Message]


def beside(session: Session, conversation: Conversation, at: datetime) -> list[Message]:
    """Return the texts that the same person sent within a few minutes of `at`, in the order in which they were sent.

    A number that changed hands meanwhile speaks for somebody else. The conversation is locked first, so that two
    texts that come at once are not both read before the other is there.
    """
    session.execute(select(Conversation.id).where(Conversation.id == conversation.id).with_for_update())
    lately = select(Message).where(
        Message.conversation_id == conversation.id,
        Message.direction == "in",
        Message.patient_id.is_not_distinct_from(conversation.patient_id),
        Message.emptied_at.is_(None),
        Message.created_at.between(at - WITHIN, at + WITHIN),
    )
    found = session.scalars(lately.order_by(Message.created_at, Message.id)).all()
    db.load_keys(session, (text.key_id for text in found))
    texts = [text for text in found if _own_words(text)]
    nearest = sorted(texts, key=lambda text: abs(text.created_at - at))[: MOST - 1]
    kept = [text for text in texts if text in nearest]
    return [text for text in kept if (text.body or "").strip()]


def _own_words(text: Message) -> bool:
    """Whether a person wrote all of it: no phone's reaction, no robot's sentence."""
    return not any(label.startswith("kind.") for label in text.reading)


def read(
    session: Session,
    texts: Sequence[Message],
    new: tuple[datetime, str],
    language: str | None,
    standing: Standing,
    alone: hearing.Judged,
) -> Joined | None:
    """Return what the texts and the `new` one (when it was sent, its words) say as one, where that is graver than what
    each of them said, alone or joined before; else None."""
    if not texts or not new[1].strip():
        return None
    words = "\n".join(said for _, said in sorted([*((text.created_at, text.body or "") for text in texts), new]))
    rules = read_reply.read(words, language)
    judged = hearing.judge(rules, hearing.hear(words, language), standing, free=False)
    known = known_of(session, texts)
    graver = _rank(judged.acted) > max(_rank(alone.acted), *(_RANK[each.acted] for each in known), 0)
    told = _rank(judged.verdict) > max(_rank(alone.verdict), *(_RANK[each.tier] for each in known), 0)
    return Joined(judged, rules, texts) if graver or told else None


def graver(alone: hearing.Judged, joined: hearing.Judged) -> hearing.Judged:
    """Return what stands of a text that was read alone and joined: the graver of each."""
    return hearing.Judged(
        joined.heard,
        max(joined.verdict, alone.verdict, key=_rank),
        max(joined.acted, alone.acted, key=_rank),
    )


def known_of(session: Session, texts: Sequence[Message]) -> list[SecondReading]:
    """Return what was kept of these texts when they came."""
    ids = [text.id for text in texts]
    return list(session.scalars(select(SecondReading).where(SecondReading.message_id.in_(ids))))


def _rank(verdict: tiers.Verdict) -> int:
    return _RANK[verdict.tier]
