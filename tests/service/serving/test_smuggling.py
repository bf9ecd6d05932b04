"""Requests in two minds before the real web server: whatever is smuggled in behind one is never answered as another."""

import re
import socket

import pytest

from config import settings
from tests.service.serving.test_gateway import served

__all__ = ["served"]
HOST = "Host: 127.0.0.1\r\n"
# Answered 404 in its own words, if the server ever takes it for a request.
SMUGGLED = f"GET /smuggled HTTP/1.1\r\n{HOST}\r\n"


def answers(served: settings.Settings, sent: str) -> list[int]:
    """The status of each answer to these bytes on one connection, until it is closed or nothing more comes."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=3) as line:
        line.sendall(sent.encode("latin-1"))
        told = b""
        try:
            while part := line.recv(65536):
                told += part
        except (TimeoutError, ConnectionResetError):
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", told)]


def post(headers: str, body: str) -> str:
    return f"POST /signin HTTP/1.1\r\n{HOST}{headers}\r\n{body}"


LENGTH = f"Content-Length: {len(SMUGGLED)}\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
DOUBTFUL = {
    "a length and chunks": post(LENGTH + CHUNKED, f"0\r\n\r\n{SMUGGLED}"),
    "chunks and a length": post(CHUNKED + LENGTH, f"0\r\n\r\n{SMUGGLED}"),
    "two lengths": post(f"Content-Length: 0\r\n{LENGTH}", SMUGGLED),
    "two lengths in one": post(f"Content-Length: 0, {len(SMUGGLED)}\r\n", SMUGGLED),
    "a signed length": post(f"Content-Length: +{len(SMUGGLED)}\r\n", SMUGGLED),
    "a length in hex": post("Content-Length: 0x0\r\n", SMUGGLED),
    "a negative length": post("Content-Length: -1\r\n", SMUGGLED),
    "a folded length": post(f"Content-Length:\r\n {len(SMUGGLED)}\r\n", SMUGGLED),
    "a folded header": post(f"X-Folded: a\r\n {CHUNKED}{LENGTH}", SMUGGLED),
    "a blank before the colon": post(f"Content-Length : {len(SMUGGLED)}\r\n", SMUGGLED),
    "unknown coding": post(f"Transfer-Encoding: xchunked\r\n{LENGTH}", SMUGGLED),
    "chunked twice": post(f"Transfer-Encoding: chunked, identity\r\n{LENGTH}", SMUGGLED),
    "a chunk's size that is none": post(CHUNKED, f"zz\r\n\r\n{SMUGGLED}"),
    "a chunk longer than it says": post(CHUNKED, f"1\r\nabcdef\r\n0\r\n\r\n{SMUGGLED}"),
    "a line feed in an extension": post(CHUNKED, f"0;a\nb\r\n\r\n{SMUGGLED}"),
    "a size beyond all": post(CHUNKED, f"ffffffffffffffffff\r\n\r\n{SMUGGLED}"),
    "NUL in a header": post(f"X-A: a\x00b\r\n{LENGTH}", SMUGGLED),
    "a bare return in a header": post(f"X-A: a\rTransfer-Encoding: chunked\r\n{LENGTH}", SMUGGLED),
}


@pytest.mark.parametrize("sent", DOUBTFUL.values(), ids=list(DOUBTFUL))
def test_what_two_servers_could_cut_differently_is_one_answer_at_most(served: settings.Settings, sent: str) -> None:
    told = answers(served, sent)
    assert len(told) <= 1, told
    assert set(told) <= {400, 501}, told


def test_chunks_with_extensions_are_one_request_and_what_follows_is_the_next(served: settings.Settings) -> None:
    """Well formed, so each is answered, in order and apart: pipelining mixes nothing up."""
    chunked = post(f"{CHUNKED}Content-Type: application/x-www-form-urlencoded\r\n", "3;ext=1\r\na=b\r\n0\r\n\r\n")
    last = f"GET /healthz HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"
    assert answers(served, chunked + SMUGGLED + last) == [400, 404, 200]


def test_a_request_in_a_body_is_a_body(served: settings.Settings) -> None:
    last = f"GET /healthz HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"
    assert answers(served, post(LENGTH, SMUGGLED) + last) == [400, 200]


@pytest.mark.parametrize("path", ["http://evil.example/signin", "//evil.example/signin", "/signin\x7f", "*"])
def test_an_address_that_names_another_host_leads_nowhere_else(served: settings.Settings, path: str) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode("latin-1"))
        told = b"".join(iter(lambda: line.recv(65536), b""))
    assert b"evil.example" not in told
    assert not re.match(rb"HTTP/1\.1 5", told)
