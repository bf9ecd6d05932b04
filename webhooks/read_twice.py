"""Reads a text by both readers, alone and together with what the same person sent in the minutes around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from messaging.models import Conversation, Message, Patient
from messaging.reading import read_reply, tiers
from messaging.second_reading import hearing, joining, keeping, standing


@dataclass(frozen=True)
class Came:
    """A text that came in: when it was sent, each way in which its words may have been meant, whose number it is, and
    whether it is `free`: words remain that no rule understood."""

    at: datetime
    words: Sequence[str]
    conversation: Conversation
    patients: Sequence[Patient]
    free: bool

    @property
    def language(self) -> str | None:
        """The language of the one patient whose number it is."""
        return self.patients[0].language if len(self.patients) == 1 else None


@dataclass(frozen=True)
class Twice:
    """What both readers say of a text, alone or `joined` with others, None where nobody was asked. `why` names the
    rules of all of them."""

    why: tuple[str, ...]
    judged: hearing.Judged | None = None
    joined: Sequence[Message] = ()

    @property
    def tier(self) -> tiers.Tier | None:
        """How grave it is, as far as the clinic acts on it."""
        return self.judged.acted.tier if self.judged else None

    @property
    def tier_why(self) -> tuple[str, ...]:
        """The keys of the reasons for the tier."""
        return self.judged.acted.reasons if self.judged else ()

    @property
    def labels(self) -> list[str]:
        """What is kept with the text."""
        return keeping.labels(self.judged, self.joined) if self.judged else []


def look(session: Session, came: Came, read: read_reply.Reading, holds: standing.Standing) -> Twice:
    """Return what both readers say. Texts of a number that several share are not joined: whose is which?"""
    alone = hearing.judge(read, hearing.most_alike(came.words, came.language), holds, free=came.free)
    if len(came.patients) > 1:
        return Twice(read.why, alone)
    texts = joining.beside(session, came.conversation, came.at)
    joined = joining.read(session, texts, (came.at, came.words[0]), came.language, holds, alone)
    if joined is None:
        return Twice(read.why, alone)
    more = tuple(rule for rule in joined.read.why if rule.startswith("crisis.") and rule not in read.why)
    return Twice((*more, *read.why), joining.graver(alone, joined.judged), joined.texts)
