"""One POST: to the address that was judged, under the name, never for long, and never more read than a little."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from messaging.event_webhooks import posting, schedule, signing
from messaging.event_webhooks.posting import Way
from tests.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("house")

NAME = "hooks.clinic.example"
OK = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
Serve = Callable[..., int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that does `act` with each connection; returns its port."""
    servers: list[socket.socket] = []

    def serve(act: Callable[[socket.socket], Any], context: ssl.SSLContext | None = None) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def loop() -> None:
            with suppress(OSError):
                while True:
                    connected, _ = server.accept()
                    with suppress(OSError), connected:
                        if context is None:
                            act(connected)
                            continue
                        with context.wrap_socket(connected, server_side=True, do_handshake_on_connect=False) as wrapped:
                            wrapped.do_handshake()
                            act(wrapped)

        threading.Thread(target=loop, daemon=True).start()
        return int(server.getsockname()[1])

    yield serve
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def answering(seen: list[bytes], answer: bytes = OK) -> Callable[[socket.socket], None]:
    def act(connected: socket.socket) -> None:
        seen.append(_request(connected))
        connected.sendall(answer)

    return act


def _request(connected: socket.socket) -> bytes:
    """A whole request, head and body: whoever closes with some of it unread breaks the answer off."""
    read = b""
    while chunk := connected.recv(65536):
        read += chunk
        head, found, body = read.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if found and len(body) >= (int(length[1]) if length else 0):
            break
    return read


def here(*answers: str) -> tuple[Way, list[str]]:
    """A way on which a name resolves to these addresses, one after the other; and what was asked."""
    asked, left = list[str](), list(answers)

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return [left.pop(0)]

    return Way(loopback=True, resolve=resolve), asked


def certificate(directory: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for this name, and that of a client who trusts it."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = directory / "pair.pem"
    file.write_bytes(private + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=pem.decode())


def test_a_name_is_resolved_once_and_the_judged_address_connected_to(serve: Serve, tmp_path: Path) -> None:
    seen: list[bytes] = []
    names: list[str | None] = []
    server, trust = certificate(tmp_path, NAME)
    server.sni_callback = lambda _socket, name, _context: names.append(name)
    port = serve(answering(seen), server)
    way, asked = here("127.0.0.1", "10.0.0.1")  # what it says the second time is never asked for
    answer = posting.post(f"https://{NAME}:{port}/in?a=1", {"webhook-id": "msg_1"}, b"{}", _trusting(way, trust))
    assert (answer.status, answer.error, answer.taken) == (204, None, True)
    assert asked == [NAME]
    assert names == [NAME]
    assert seen[0].startswith(b"POST /in?a=1 HTTP/1.1\r\n")
    assert f"Host: {NAME}:{port}\r\n".encode() in seen[0]
    assert b"webhook-id: msg_1\r\n" in seen[0]


def test_a_name_that_leads_inside_at_the_next_try_is_refused_then(serve: Serve, tmp_path: Path) -> None:
    seen: list[bytes] = []
    server, trust = certificate(tmp_path, NAME)
    port = serve(answering(seen), server)
    way, _ = here("127.0.0.1", "169.254.169.254")
    url, way = f"https://{NAME}:{port}/", _trusting(way, trust)
    assert posting.post(url, {}, b"{}", way).taken
    answer = posting.post(url, {}, b"{}", way)
    assert (answer.status, answer.error) == (None, "refused_inside")
    assert len(seen) == 1


def test_a_certificate_of_another_name_is_not_believed(serve: Serve, tmp_path: Path) -> None:
    seen: list[bytes] = []
    server, trust = certificate(tmp_path, "other.example")
    port = serve(answering(seen), server)
    way, _ = here("127.0.0.1")
    answer = posting.post(f"https://{NAME}:{port}/", {}, b"{}", _trusting(way, trust))
    assert (answer.status, answer.error) == (None, "certificate")
    assert seen == []


def _trusting(way: Way, trust: ssl.SSLContext) -> Way:
    return Way(way.loopback, way.resolve, trust)


@pytest.mark.parametrize("inside", ["10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"])
def test_nothing_inside_is_connected_to(inside: str) -> None:
    answer = posting.post("https://hooks.clinic.example/", {}, b"{}", Way(resolve=lambda _host, _port: [inside]))
    assert (answer.status, answer.error) == (None, "refused_inside")


def drip(connected: socket.socket) -> None:
    """A byte now and then, for ever."""
    connected.recv(65536)
    with suppress(OSError):
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 10_000:
            connected.sendall(bytes([byte]))
            threading.Event().wait(0.05)


def hang(connected: socket.socket) -> None:
    connected.settimeout(PATIENCE)
    while connected.recv(65536):
        pass


@pytest.mark.parametrize("act", [drip, hang])
@pytest.mark.parametrize("tls", [False, True])
def test_whoever_drips_or_hangs_is_left(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, act: Callable[[socket.socket], None], tls: bool
) -> None:
    monkeypatch.setattr(posting, "ALL_SECONDS", 1.0)
    server, trust = certificate(tmp_path, "localhost")
    port = serve(act, server if tls else None)
    way = Way(loopback=True, resolve=lambda _host, _port: ["127.0.0.1"], trust=trust)
    answer = posting.post(f"{'https' if tls else 'http'}://localhost:{port}/", {}, b"{}", way)
    assert (answer.status, answer.error) == (None, "timeout")


def test_a_body_without_end_is_not_read(serve: Serve) -> None:
    sent: list[int] = []

    def flood(connected: socket.socket) -> None:
        connected.recv(65536)
        connected.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError):
            while True:
                sent.append(connected.send(b"x" * 65536))

    port = serve(flood)
    answer = posting.post(f"http://127.0.0.1:{port}/", {}, b"{}", Way(loopback=True))
    assert answer.taken
    assert answer.milliseconds < posting.ALL_SECONDS * 1000


@pytest.mark.parametrize(
    ("said", "error"),
    [(b"", "connect"), (b"nonsense\r\n\r\n", "answer"), (b"HTTP/1.1 9 x\r\n\r\n", "answer"), (None, "connect")],
)
def test_what_is_no_answer_is_said_in_a_word(serve: Serve, said: bytes | None, error: str) -> None:
    if said is None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
    else:
        port = serve(answering([], said))
    answer = posting.post(f"http://127.0.0.1:{port}/", {}, b"{}", Way(loopback=True))
    assert (answer.status, answer.error, answer.taken) == (None, error, False)


def test_the_standards_own_vector() -> None:
    signed = signing.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(body=st.binary(max_size=200), extra=st.booleans())
def test_whatever_is_signed_the_standards_library_believes(body: bytes, extra: bool) -> None:
    secret, other = signing.new_secret(), signing.new_secret()
    at = int(datetime.now(UTC).timestamp())
    signed = signing.headers("msg_1", at, body, [other, secret] if extra else [secret])
    assert Webhook(secret).sign("msg_1", datetime.fromtimestamp(at, UTC), body.decode("latin-1")) is not None
    text = body.decode("ascii", "ignore")
    signed = signing.headers("msg_1", at, text.encode(), [other, secret] if extra else [secret])
    with suppress(ValueError):  # the library also reads the body as JSON, after it has believed it
        Webhook(secret).verify(text, signed)


@given(attempts=st.integers(0, 12), spent=st.integers(0, 200_000), chance=st.floats(0, 1))
def test_the_ladder_goes_up_and_ends_after_a_day(attempts: int, spent: int, chance: float) -> None:
    rules, first = schedule.shipped(), datetime(2026, 3, 1, tzinfo=UTC)
    now = first + timedelta(seconds=spent)
    after = rules.next_try(first, attempts, now, chance)
    if attempts >= len(rules.tries):
        assert after is None
    else:
        assert after is not None
        assert after >= now + rules.closest
        assert after <= max(now + 2 * rules.closest, first + rules.tries[attempts] * 1.1)
    assert rules.tries[-1] == timedelta(days=1)
    assert list(rules.tries) == sorted(rules.tries)


@given(status=st.integers(100, 599), asked=st.none() | st.integers(0, 10**6))
def test_only_who_asks_for_it_is_left_alone_and_never_for_long(status: int, asked: int | None) -> None:
    rules, now = schedule.shipped(), datetime(2026, 3, 1, tzinfo=UTC)
    until = rules.hold(status, asked, now)
    assert (until is not None) == (status in (429, 502, 503, 504))
    assert until is None or now <= until <= now + rules.longest_hold
