"""The way to the clinic's mail server: one connection for a batch, encrypted unless the server is on this machine."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import unquote, urlsplit

from config import addresses

TIMEOUT_SECONDS = 20
PORTS = {"smtp": 587, "smtps": 465}


class ServerAway(Exception):
    """The mail server cannot be reached, is not who it should be, or takes nothing from us now. `why` is one word."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NotNow(Exception):
    """The mail server does not take this mail now, and may take it later; `code` is its answer."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code}")
        self.code = code


class Refused(NotNow):
    """The mail server will never take this mail; `by_address` where it is the address that it refuses."""

    def __init__(self, code: int, *, by_address: bool) -> None:
        super().__init__(code)
        self.by_address = by_address


@dataclass(frozen=True)
class Server:
    """A mail server by its address: smtps:// speaks TLS from the first byte, smtp:// turns to it before anything is
    said, and only to this machine goes without."""

    host: str
    port: int
    tls_at_once: bool
    user: str
    password: str

    @classmethod
    def of(cls, url: str) -> "Server":
        """Read an address of the form smtps://user:password@host:465 (config.settings has judged its form)."""
        parts = urlsplit(url)
        return cls(
            parts.hostname or "",
            parts.port or PORTS[parts.scheme],
            parts.scheme == "smtps",
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    @property
    def on_this_machine(self) -> bool:
        """Whether nothing that is said to it leaves this machine."""
        return self.host in addresses.HERE


def message(*, sender: str, to: str, subject: str, body: str, message_id: str, at: str) -> EmailMessage:
    """Return a mail of plain text that no out-of-office note answers; ValueError for a line break in a header."""
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))  # every server takes it so
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"], mail["Message-ID"] = at, message_id
    mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"] = "auto-generated", "All"
    mail.set_content(body)
    return mail


@contextmanager
def connected(server: Server, *, name: str) -> Iterator["Connection"]:
    """Within: a connection to the mail server, to which we say that we are `name`. Raises ServerAway."""
    try:
        client = _greeted(server, name)
    except (OSError, smtplib.SMTPException) as error:
        raise ServerAway(type(error).__name__) from error
    try:
        yield Connection(client)
    finally:
        with suppress(OSError, smtplib.SMTPException):
            client.quit()


def _greeted(server: Server, name: str) -> smtplib.SMTP:
    trust = ssl.create_default_context()
    if server.tls_at_once:
        client: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, local_hostname=name, timeout=TIMEOUT_SECONDS, context=trust
        )
    else:
        client = smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=TIMEOUT_SECONDS)
    try:
        if not (server.tls_at_once or server.on_this_machine):
            client.starttls(context=trust)  # raises where the server has no TLS: nothing is said in the clear
        if server.user:
            client.login(server.user, server.password)
    except BaseException:
        client.close()
        raise
    return client


@dataclass(frozen=True)
class Connection:
    """An open connection: it sends one mail after the other."""

    client: smtplib.SMTP

    def send(self, mail: EmailMessage) -> None:
        """Hand a mail over. Raises NotNow, Refused, or ServerAway where nothing more can be said to it."""
        try:
            self.client.send_message(mail)
        except smtplib.SMTPRecipientsRefused as refused:
            ((code, _),) = refused.recipients.values()
            raise _refusal(code, by_address=True) from None
        except smtplib.SMTPDataError as refused:
            raise _refusal(refused.smtp_code, by_address=False) from None
        except smtplib.SMTPNotSupportedError:
            raise Refused(553, by_address=True) from None  # an address in letters that this server does not know
        except (OSError, smtplib.SMTPException) as error:
            raise ServerAway(type(error).__name__) from None


def _refusal(code: int, *, by_address: bool) -> NotNow:
    return Refused(code, by_address=by_address) if 500 <= code < 600 else NotNow(code)
