"""Fetching what came with a text, from a carrier that has gone wrong: nothing inside is asked, and all of it ends."""

import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from requests import RequestException

from config import runtime
from messaging.gateways import fetching
from messaging.gateways.base import OutcomeUnknown, Refused, TooLarge

# The carrier that may be spoken to is the one in the settings of the house.
pytestmark = pytest.mark.usefixtures("house")
MOST = 5_000_000
real_connect = socket.socket.connect
Answer = Callable[[socket.socket], None]


@contextmanager
def carrier(answer: Answer) -> Iterator[str]:
    """The address of a carrier that answers one request so."""
    listening = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        line, _ = listening.accept()
        with line, suppress(OSError):  # whoever asked has left
            line.recv(65536)
            answer(line)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/2010-04-01/Accounts/AC/Messages/MM/Media/ME"
    finally:
        thread.join()
        listening.close()


def fetched(url: str) -> bytes:
    return fetching.fetch(url, ("AC" + "0" * 32, "a token"), MOST)


def slowly(words: bytes) -> Answer:
    """An answer that never pauses for long, and never ends."""

    def answer(line: socket.socket) -> None:
        at = 0
        while True:
            line.sendall(words[at : at + 1] or b"x")
            at += 1
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    "words",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"",
    ],
    ids=["a body", "a chunk", "a body without a length", "a head", "a first line"],
)
def test_what_comes_byte_by_byte_is_broken_off(words: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "ALL_SECONDS", 1.0)
    with carrier(slowly(words)) as url, pytest.raises(OutcomeUnknown):
        fetched(url)


def test_what_never_ends_is_too_large() -> None:
    def answer(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            line.sendall(bytes(65536))

    with carrier(answer) as url, pytest.raises(TooLarge):
        fetched(url)


def test_what_is_packed_is_unpacked_no_further_than_is_taken() -> None:
    packing, packed = zlib.compressobj(9, zlib.DEFLATED, 31), bytearray()
    for _ in range(100):
        packed += packing.compress(bytes(1_000_000))
    packed += packing.flush()
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    tracemalloc.start()
    try:
        with carrier(lambda line: line.sendall(head + packed)) as url, pytest.raises(TooLarge):
            fetched(url)
        assert tracemalloc.get_traced_memory()[1] < 8 * MOST
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "where",
    [
        "http://127.0.0.1:{port}/x",
        "http://localhost:{port}/x",
        "https://127.0.0.1:{port}/x",
        "//127.0.0.1:{port}/x",
        "http://10.0.0.1/x",
        "http://[::1]:{port}/x",
        "http://169.254.169.254/latest/meta-data",
        "http://2130706433:{port}/x",
        "file:///etc/passwd",
        "ftp://media.twiliocdn.com/x",
        "/elsewhere/at/the/carrier",
    ],
)
def test_nothing_but_the_carriers_stores_is_followed_to(where: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.setblocking(False)
        where = where.format(port=inside.getsockname()[1])
        head = f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()
        with carrier(lambda line: line.sendall(head)) as url, pytest.raises(Refused):
            fetched(url)
        with pytest.raises(BlockingIOError):
            inside.accept()


API = "https://api.twilio.com/2010-04-01/Accounts/AC/Messages/MM/Media/ME"


def asked_for(url: str, *answers: list[str]) -> tuple[list[str], str]:
    """The names that were asked for while a name server answered so, in turn, and why nothing was fetched."""
    left, asked = list(answers), []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return left.pop(0)

    with pytest.raises((OutcomeUnknown, RequestException)) as unknown:
        fetching.fetch(url, ("AC" + "0" * 32, "a token"), MOST, resolve)
    return asked, str(unknown.value)


@pytest.fixture
def connected(house: object, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Where connections were begun to, none of which stands; the carrier is Twilio itself."""
    begun: list[tuple[str, int]] = []

    def connect(line: socket.socket, address: tuple[str, int]) -> None:
        begun.append(address[:2])
        raise ConnectionRefusedError

    monkeypatch.setattr(runtime, "_settings", runtime.settings().model_copy(update={"twilio_api_url": ""}))
    monkeypatch.setattr(socket.socket, "connect", connect)
    return begun


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"])
def test_a_name_of_the_carriers_that_leads_inside_is_not_connected_to(
    connected: list[tuple[str, int]], inside: str
) -> None:
    assert asked_for(API, [inside]) == (["api.twilio.com"], "inside")
    assert asked_for(API, ["93.184.215.14", inside]) == (["api.twilio.com"], "inside")
    assert connected == []


def test_a_name_is_resolved_once_and_the_judged_addresses_connected_to(connected: list[tuple[str, int]]) -> None:
    asked, _ = asked_for(API, ["93.184.215.14", "93.184.215.15"], ["127.0.0.1"])
    assert asked == ["api.twilio.com"]
    assert connected == [("93.184.215.14", 443), ("93.184.215.15", 443)]


def test_tls_asks_for_the_name_and_not_for_the_address(
    connected: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    greeted: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            line, _ = server.accept()
            with line:
                greeted.append(line.recv(65536))

        thread = threading.Thread(target=answer)
        thread.start()
        elsewhere = server.getsockname()
        monkeypatch.setattr(socket.socket, "connect", lambda line, _address: real_connect(line, elsewhere))
        asked_for(API, ["93.184.215.14"])
        thread.join()
    assert b"api.twilio.com" in greeted[0]


def test_a_store_that_leads_inside_is_not_connected_to() -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: https://media.twiliocdn.com/x\r\nContent-Length: 0\r\n\r\n"
    with carrier(lambda line: line.sendall(head)) as url:
        assert asked_for(url, ["127.0.0.1"]) == (["media.twiliocdn.com"], "inside")
