"""Where a link has got to: which instrument, which question, and whose eyes an answer may be shown to."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from intake_links import alerts, finding, scoring
from intake_links.models import IntakeLink, Screen

LINK = "intake_link"  # the source of what patients answer on our own pages


@dataclass(frozen=True)
class Place:
    """Where one instrument of a link stands: `part` counts the link's instruments from 0, `question` its items from 0.

    `screen` is None before its first answer; `question` is the first still open, None when all that apply were asked.
    """

    part: int
    definition: scoring.Instrument
    screen: Screen | None
    answers: tuple[int | None, ...]
    question: int | None

    def asked(self, index: int) -> bool:
        """Whether this question was put before, answered or not."""
        return self.screen is not None and index < self.screen.detail.get("seen", 0)

    def reachable(self, index: int) -> bool:
        """Whether this question may be shown: it applies, and none before it is open."""
        applies = index in scoring.applicable(self.definition, self.answers)
        return applies and (self.question is None or index <= self.question)

    def given_in(self, index: int, session_id: UUID) -> bool:
        """Whether this very session answered the question; only it may see the answer again."""
        given = self.screen.detail.get("given", {}) if self.screen else {}
        return bool(given.get(str(index)) == str(session_id))

    def alerts(self, index: int, value: int | None) -> bool:
        """Whether this answer to this question asks for a person at once."""
        rules = self.definition.alerts
        return any(rule.item == index + 1 and (value or 0) >= rule.at_least for rule in rules)


def event(link: IntakeLink, part: int) -> str:
    """Return the event by which the screen of the link's instrument number `part` is known."""
    return f"{link.id}:{part}"


def find_screen(session: Session, clinic_id: UUID, source: str, of: str) -> Screen | None:
    """Return the screen that came as the event `of` of a source."""
    return session.scalar(
        select(Screen).where(Screen.clinic_id == clinic_id, Screen.source == source, Screen.event == of)
    )


def place(session: Session, link: IntakeLink) -> Place | None:
    """Return where the link has got to, None when everything on it has been handed in."""
    for part in range(len(link.instruments)):
        here = place_in(session, link, part)
        if here.screen is None or here.screen.state == "started":
            return here
    return None


def place_in(session: Session, link: IntakeLink, part: int) -> Place:
    """Return where one instrument of the link stands. Raises IndexError for a part the link has not."""
    return standing(part, link, find_screen(session, link.clinic_id, LINK, event(link, part)))


def standing(part: int, link: IntakeLink, screen: Screen | None) -> Place:
    """Return where one instrument of the link stands whose `screen` has been found, or is not there yet."""
    # A short form that grew is the longer one from then on.
    definition = scoring.instrument(screen.instrument if screen else link.instruments[part])
    answers = (None,) * len(definition.items) if screen is None else finding.answers_of(screen)
    seen = screen.detail.get("seen", 0) if screen else 0
    still = (i for i in scoring.applicable(definition, answers) if answers[i] is None and i >= seen)
    return Place(part, definition, screen, answers, next(still, None))


def told(session: Session, link: IntakeLink) -> bool | None:
    """Whether a person has been told of every alerting answer on this link; None when no answer alerted."""
    screens = session.scalars(select(Screen).where(Screen.link_id == link.id, Screen.owed == "safety")).all()
    if not screens:
        return None
    return all(alerts.safety_item(session, screen) is not None for screen in screens)
