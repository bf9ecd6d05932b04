"""One text on its way to the carrier: the thread that sends it asks all that forbids it, just before it leaves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from config import clock, db, logging
from messaging.delivery import carrier_status
from messaging.delivery.brakes import braking
from messaging.delivery.last_look import LastLook
from messaging.gateways import nowhere
from messaging.gateways.base import Gateway, OutcomeUnknown, Outgoing, Refused, TooLate, Unreachable
from messaging.gateways.twilio import gateway
from messaging.models import Message

# How old the last look may be when the connection stands: as long as connecting may take, and little more.
FRESH = timedelta(seconds=5)


@dataclass(frozen=True)
class Deadline:
    """A moment by two clocks: one can be set, and the other stands still while its machine sleeps."""

    monotonic: float
    wall: datetime

    @classmethod
    def after(cls, wait: timedelta) -> "Deadline":
        """Return the deadline that passes when `wait` is over."""
        return cls(clock.monotonic() + wait.total_seconds(), clock.now() + wait)

    def passed(self) -> bool:
        """Whether it has passed by either clock."""
        return clock.monotonic() >= self.monotonic or clock.now() >= self.wall


@dataclass(frozen=True)
class Intent:
    """One text about to leave: its message, its attempt, what the carrier is told, and until when it may begin.

    `hushed` is a self-check's: it goes all the way but the last step, and no carrier hears of it.
    """

    message_id: UUID
    attempt_id: UUID
    clinic_id: UUID
    fence: int
    text: Outgoing
    until: Deadline
    hushed: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of an intent: the carrier's id of the text, its error code, why it was held, that it has not left;
    or none of these, which is unknown."""

    intent: Intent
    sid: str | None = None
    code: int | None = None
    held: str | None = None
    unsent: bool = False

    @property
    def unknown(self) -> bool:
        """Whether nobody can say if the carrier took it."""
        return not (self.sid or self.code is not None or self.held or self.unsent)

    @property
    def word(self) -> str:
        """What became of it in one word, as figures count it."""
        if self.not_now:
            return "not_now"
        facts = {"taken": self.sid, "refused": self.code is not None, "held": self.held, "unsent": self.unsent}
        return next((word for word, fact in facts.items() if fact), "unknown")

    @property
    def not_now(self) -> bool:
        """Whether the carrier took nothing and spoke of itself, not of this text."""
        return self.code is not None and carrier_status.meaning(self.code) == "later"


def send(intent: Intent, stopped: set[UUID]) -> Outcome:
    """Send one text, if it still may. `stopped` are the clinics that the carrier has told "not now" in this batch."""
    try:
        carrier_of_ours = gateway()  # made first: its SDK's import may take longer than what is asked stays true
        if intent.clinic_id in stopped or intent.until.passed():
            return Outcome(intent, unsent=True)
        fresh = Deadline.after(FRESH)  # from before the question: whoever is frozen in it has an old answer
        held = _objection(intent)
        if held:
            return Outcome(intent, held=held)
    except TooLate:
        return Outcome(intent, unsent=True)
    except Exception as error:  # noqa: BLE001 - nothing has left: it stays in the queue, whatever kept us from asking
        logging.logger().error("could not be asked", message_id=intent.message_id, exc_info=error)
        return Outcome(intent, unsent=True)
    outcome = _hand_over(carrier_of_ours, intent, stopped, fresh)
    if outcome.not_now:
        stopped.add(intent.clinic_id)
    return outcome


def _objection(intent: Intent) -> str | None:
    """Ask the database whether this text is still ours and may leave. Raises TooLate when it is not ours any more."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        message = session.get(Message, intent.message_id)
        if message is None or (message.fence, message.state) != (intent.fence, "sending"):
            raise TooLate
        if not braking.is_free(session, message.id):  # pulled since it was claimed: it waits in the queue again
            raise TooLate
        return LastLook(session, [message]).why_not(message)


def _hand_over(to: Gateway, intent: Intent, stopped: set[UUID], fresh: Deadline) -> Outcome:
    def still() -> None:
        if intent.clinic_id in stopped or fresh.passed() or intent.until.passed():
            raise TooLate

    try:
        if intent.hushed:
            still()
            return Outcome(intent, sid=nowhere.send(intent.text))
        return Outcome(intent, sid=to.send(intent.text, still))
    except TooLate:
        return Outcome(intent, unsent=True)
    except Refused as refused:
        return Outcome(intent, code=refused.code)
    except Unreachable:
        return Outcome(intent, code=carrier_status.UNREACHABLE)
    except OutcomeUnknown as unknown:
        logging.logger().warning("outcome unknown", message_id=intent.message_id, error_type=type(unknown).__name__)
        return Outcome(intent)
