"""What every carrier must do for us, and the three ways in which a sending can end."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Outgoing:
    """One text to hand to a carrier. `callback` is the address its status goes to; `valid` seconds until useless."""

    to: str
    sender: str
    service_sid: str | None
    body: str
    callback: str
    valid: int


@dataclass(frozen=True)
class Taken:
    """A text of ours as the carrier's own list shows it; `to` is the number it went to."""

    sid: str
    body: str
    status: str
    error_code: int | None
    created_at: datetime | None
    to: str = ""


@dataclass(frozen=True)
class Came:
    """A text that came in, as the carrier's own list shows it. `attached` counts its pictures and files.

    `to` is where it was sent, a number or an agent's address; `service_sid` the Messaging Service it came by, if any.
    """

    sid: str
    sender: str
    body: str
    attached: int
    created_at: datetime
    to: str = ""
    service_sid: str | None = None


@dataclass(frozen=True)
class Listing:
    """Texts that came in, newest first; `cut_at` the moment of the oldest where there were more than were asked for."""

    texts: list[Came]
    cut_at: datetime | None


@dataclass(frozen=True)
class Attached:
    """A picture or file of a text at the carrier: its id there, and the type the sender's phone gave it."""

    sid: str
    type: str


@dataclass(frozen=True)
class Inbound:
    """Where the carrier is set to bring texts that come in, and where when that fails; empty where nothing is set."""

    url: str
    fallback: str


class TooLarge(Exception):
    """An attachment holds more bytes than we keep."""


class Refused(Exception):
    """The carrier said no and sent nothing; `code` is its error code, `status` the HTTP status."""

    def __init__(self, code: int, status: int) -> None:
        super().__init__(f"refused with {code}")
        self.code = code
        self.status = status


class OutcomeUnknown(Exception):
    """Nobody can say whether the text was taken: a timeout, a broken connection, a 5xx."""


class Unreachable(OutcomeUnknown):
    """No connection stood, so nothing was sent: the one failure to answer in which that is certain."""


class TooLate(Exception):
    """Nothing was sent: when the connection stood, the text might not leave any more."""


def always() -> None:
    """What is asked before a sending that nothing forbids."""


class Gateway(Protocol):
    """A carrier. Implementations inherit it, so that they are checked against it.

    They are thread-safe, and none retries a sending by itself.
    """

    @abstractmethod
    def send(self, text: Outgoing, still: Callable[[], object] = always) -> str:
        """Hand over one text and return the carrier's id of it. Raises Refused or OutcomeUnknown (also Unreachable).

        `still` is asked when the connection stands and before anything is written; it raises TooLate if it must not.
        """
        ...

    @abstractmethod
    def find(self, to: str, since: datetime) -> list[Taken]:
        """Return what the carrier took for `to` since then. Raises OutcomeUnknown when it cannot say."""
        ...

    @abstractmethod
    def went(self, sender: str, service_sid: str | None, since: datetime) -> list[Taken]:
        """Return all that was taken from our number `sender` or its Messaging Service since then, oldest first.

        Raises OutcomeUnknown, Refused.
        """
        ...

    @abstractmethod
    def fetch(self, sid: str) -> Taken | None:
        """Return how one text fared, or None if the carrier does not know it. Raises OutcomeUnknown."""
        ...

    @abstractmethod
    def came(self, to: str | None, since: datetime, until: datetime, limit: int) -> Listing:
        """Return what came in for our number `to` (None: for the account), looking at `limit` at most.

        Raises OutcomeUnknown, Refused.
        """
        ...

    @abstractmethod
    def empty(self, sid: str) -> None:
        """Let the carrier forget the words of one text; one it does not know is forgotten.

        Raises OutcomeUnknown, and Refused also while the text is still on its way.
        """
        ...

    @abstractmethod
    def attached(self, sid: str) -> list[Attached]:
        """Return what hangs on a text. Raises OutcomeUnknown, Refused."""
        ...

    @abstractmethod
    def attachment(self, sid: str, attached_sid: str, most: int) -> bytes:
        """Return the bytes of an attachment, at most `most`. Raises TooLarge, OutcomeUnknown, Refused."""
        ...

    @abstractmethod
    def delete_attachment(self, sid: str, attached_sid: str) -> None:
        """Let the carrier forget an attachment; one it does not know is forgotten. Raises OutcomeUnknown, Refused."""
        ...
