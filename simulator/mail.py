"""A mail server that keeps what it is given, to be looked at; it passes nothing on.

It speaks the part of SMTP (RFC 5321) that a client without TLS on this machine uses. `away` lets it refuse everybody,
as a server does that is being repaired, and `refused` lets it know no such mailbox.
"""

import socketserver
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count

from simulator import clock

LONGEST_LINE, LARGEST = 4096, 1024 * 1024


@dataclass(frozen=True)
class Letter:
    """One mail as it came: `raw` every byte of it, the rest read from that."""

    number: int
    at: datetime
    to: str
    subject: str
    body: str
    raw: bytes


class Mailbox:
    """What has come, the newest first, and how the server behaves."""

    def __init__(self, keep: int) -> None:
        self._letters: deque[Letter] = deque(maxlen=keep)
        self._numbers, self._lock = count(1), threading.Lock()
        self.away, self.refused = False, set[str]()

    def take(self, to: str, raw: bytes) -> None:
        """Keep a mail."""
        mail = message_from_bytes(raw, policy=policy.default)
        text = mail.get_body(("plain",)) if isinstance(mail, EmailMessage) else None
        body = str(text.get_content()) if text is not None else ""
        with self._lock:
            self._letters.appendleft(
                Letter(next(self._numbers), clock.now(), to, str(mail["Subject"] or ""), body, raw)
            )

    def letters(self, to: str | None = None) -> list[Letter]:
        """Return what has come, to one address if asked, the newest first."""
        with self._lock:
            return [letter for letter in self._letters if to is None or letter.to == to]

    @property
    def revision(self) -> int:
        """Another number with each mail."""
        with self._lock:
            return self._letters[0].number if self._letters else 0

    def clear(self) -> None:
        """Forget every mail, and behave."""
        with self._lock:
            self._letters.clear()
        self.away, self.refused = False, set()


class _Talk(socketserver.StreamRequestHandler):
    """One client. Every line it says is answered; what it says out of turn is refused."""

    timeout = 30

    def handle(self) -> None:
        mailbox: Mailbox = self.server.mailbox  # type: ignore[attr-defined]
        if mailbox.away:
            self._say("421 not now")
            return
        self._say("220 simulated")
        self._recipient = ""
        while line := self.rfile.readline(LONGEST_LINE):
            words = line.decode("ascii", "replace").strip()
            if not self._answer(mailbox, words.upper(), words):
                return

    def _answer(self, mailbox: Mailbox, verb: str, words: str) -> bool:
        """Answer a line; False once the talk is over."""
        if verb.startswith("RCPT TO:"):
            self._recipient = words[8:].strip().partition(" ")[0].strip("<>").lower()
            unknown = self._recipient in mailbox.refused
            self._say("550 no such mailbox" if unknown else "250 yes")
        elif verb == "DATA":
            self._take(mailbox)
        elif verb.startswith(("EHLO", "HELO", "MAIL FROM:", "RSET", "NOOP")):
            self._say("250 yes")
        elif verb == "QUIT":
            self._say("221 bye")
            return False
        else:
            self._say("502 not here")
        return True

    def _take(self, mailbox: Mailbox) -> None:
        if not self._recipient:
            self._say("503 to whom?")
            return
        self._say("354 go on")
        lines: list[bytes] = []
        while (line := self.rfile.readline(LONGEST_LINE)) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        if sum(map(len, lines)) > LARGEST:
            self._say("552 too large")
            return
        mailbox.take(self._recipient, b"".join(lines))
        self._say("250 kept")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True

    def __init__(self, host: str, port: int, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        super().__init__((host, port), _Talk)


def serve(host: str, port: int, mailbox: Mailbox) -> None:
    """Take mail at this port of this machine from now on, for as long as the process lives."""
    threading.Thread(target=_Server(host, port, mailbox).serve_forever, name="mail", daemon=True).start()
