"""A real mail server (aiosmtpd, written apart from our client), and a clinic whose service knows it."""

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from config import clock, db, runtime, settings
from messaging.mail import addresses
from messaging.models import Clinic, Staff
from tests.waiting import PATIENCE


@dataclass
class Post:
    """The mail server's side: what came, and what it answers."""

    raw: list[bytes] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    answer: str = "250 taken"
    unknown: set[str] = field(default_factory=set)
    users: list[str] = field(default_factory=list)
    before_answer: Callable[[], None] = lambda: None

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address in self.unknown:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            self.raw.append(bytes(envelope.content or b""))
            self.envelopes.append(envelope)
        self.before_answer()
        return self.answer

    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for raw in self.raw]  # type: ignore[misc]

    def check(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, said: LoginPassword) -> AuthResult:
        self.users.append(said.login.decode())
        return AuthResult(success=said.password == b"pass:word", handled=False)


class Knocked(Controller):
    """A server that is seen to run by a knock at the port it got, whichever it asked for and whatever it speaks."""

    def _trigger_server(self) -> None:
        with socket.create_connection(self.server.sockets[0].getsockname(), timeout=PATIENCE):
            pass


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def serving(post: Post) -> Iterator[Callable[..., int]]:
    """Starts a mail server for `post`, with what Controller takes; returns its port."""
    running: list[Controller] = []

    def serving(port: int = 0, **options: Any) -> int:
        server = Knocked(post, hostname="127.0.0.1", port=port, ready_timeout=PATIENCE, **options)
        server.start()
        running.append(server)
        return int(server.server.sockets[0].getsockname()[1])

    serving.stop = lambda: running.pop().stop()  # type: ignore[attr-defined]
    yield serving
    for server in running:
        server.stop()


@pytest.fixture
def use(house: settings.Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets the service mail by this address of a server."""

    def use(url: str) -> None:
        mail = {"smtp_url": SecretStr(url), "mail_from": "warmthread@clinic.example"}
        monkeypatch.setattr(runtime, "_settings", house.model_copy(update=mail))

    return use


@pytest.fixture
def served(serving: Callable[..., int], use: Callable[[str], None]) -> int:
    """A mail server on this machine that the service knows; its port."""
    port = serving()
    use(f"smtp://127.0.0.1:{port}")
    return port


@pytest.fixture
def rosa(clinic: Clinic, new_staff: Callable[..., Staff], served: int) -> Staff:
    """A colleague who has confirmed her address."""
    return confirmed(new_staff("Rosa Delgado", email="rosa@clinic.example"))


def confirmed(staff: Staff) -> Staff:
    with db.unit_of_work(staff.clinic_id) as session:
        staff = session.get_one(Staff, staff.id)
        addresses.ask(session, staff)
        address = addresses.of(session, staff)
        assert address is not None
        addresses.confirm(session, address, staff, clock.now() + timedelta(days=1))
    return staff


@pytest.fixture
def confirm() -> Callable[[Staff], Staff]:
    return confirmed


@dataclass(frozen=True)
class Certified:
    """A certificate that signs itself, for a server on this machine."""

    path: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path)
        return context


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail of the tests")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "mail.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return Certified(path)
