"""Reactions of a page of texts: each is shown beside the text of ours it reacts to, and not as a text of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from messaging import conversations
from messaging.models import Message
from messaging.reading import reactions


@dataclass
class Tapbacks:
    """Reactions by text: `beside` has what was done about each ("Liked", "👍") and by which text.

    `hidden` are those that say no more.
    """

    beside: dict[UUID, list[tuple[str, Message]]] = field(default_factory=dict)
    hidden: set[UUID] = field(default_factory=set)


def of_page(texts: Sequence[Message]) -> Tapbacks:
    """Return the reactions among these texts. One to a text of another page stays a text of its own."""
    here, tapbacks = {text.id: text for text in texts}, Tapbacks()
    for text in texts:
        ours = here.get(_reacted_to(text) or text.id)
        reaction = reactions.read(text.body or "", [ours.body or ""]) if ours and ours is not text else None
        if ours is None or reaction is None:
            continue
        tapbacks.beside.setdefault(ours.id, []).append((reaction.sign, text))
        if not reaction.rest.strip() and not text.media:
            tapbacks.hidden.add(text.id)
    return tapbacks


def _reacted_to(text: Message) -> UUID | None:
    ids = [
        label.removeprefix(conversations.REACTS_TO)
        for label in text.reading
        if label.startswith(conversations.REACTS_TO)
    ]
    return UUID(ids[0]) if ids else None
