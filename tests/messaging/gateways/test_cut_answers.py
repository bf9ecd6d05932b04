"""A text that was taken and answered with half a line or with nonsense: always unknown, never lost with its batch."""

import socket
from threading import Thread

import pytest

from messaging.gateways.base import OutcomeUnknown, Outgoing, TooLate, Unreachable
from messaging.gateways.twilio import TwilioGateway

TEXT = Outgoing("+13035550117", "+13035550100", None, "Hello", "https://clinic.example/s/1", 60)
CREATED = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
ANSWERS = {
    "nothing at all": b"",
    "half a status line": b"HTTP/1.1 20",
    "a status line of nonsense": b"\x00\xff\xfe garbage\r\n\r\n",
    "half of the headers": b"HTTP/1.1 201 Created\r\nContent-Le",
    "half of the body": CREATED + b'Content-Length: 500\r\n\r\n{"sid": "SM',
    "half of a chunk": CREATED + b'Transfer-Encoding: chunked\r\n\r\nff\r\n{"sid"',
    "a chunk of no length": CREATED + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "what is not packed": CREATED + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    "a page": CREATED + b"Content-Length: 13\r\n\r\n<html></html>",
    "null": CREATED + b"Content-Length: 4\r\n\r\nnull",
    "a list": CREATED + b"Content-Length: 2\r\n\r\n[]",
    "a number": CREATED + b"Content-Length: 2\r\n\r\n17",
    "no sid": CREATED + b"Content-Length: 2\r\n\r\n{}",
    "no letters": CREATED + b"Content-Length: 4\r\n\r\n\xff\xfe\xfa\x00",
    "too deep": CREATED + b"Content-Length: 200000\r\n\r\n" + b"[" * 200000,
}


def answering(content: bytes) -> tuple[TwilioGateway, socket.socket, Thread]:
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        line, _ = listening.accept()
        with line:
            read = b""
            while b"Hello" not in read:
                read += line.recv(65536)
            line.sendall(content)

    thread = Thread(target=answer)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    return TwilioGateway("AC" + "0" * 32, ("AC" + "0" * 32, "a token"), url), listening, thread


# The carrier that may be spoken to is the one in the settings of the house.
pytestmark = pytest.mark.usefixtures("house")


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_none_is_unknown(name):
    gateway, listening, thread = answering(ANSWERS[name])
    try:
        with pytest.raises(OutcomeUnknown) as unknown:
            gateway.send(TEXT)
        assert not isinstance(unknown.value, Unreachable)
    finally:
        thread.join()
        listening.close()
        gateway._client.http_client.session.close()


def test_where_nobody_listens_nothing_was_sent():
    gateway = TwilioGateway("AC" + "0" * 32, ("AC" + "0" * 32, "a token"), "http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        gateway.send(TEXT)


def test_what_may_not_leave_any_more_is_not_written_though_the_connection_stands():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        gateway = TwilioGateway("AC" + "0" * 32, ("AC" + "0" * 32, "a token"), url)

        def no() -> None:
            raise TooLate

        with pytest.raises(TooLate):
            gateway.send(TEXT, no)
        line, _ = listening.accept()
        with line:
            assert line.recv(1) == b""  # it was hung up, and not a byte had come
        gateway._client.http_client.session.close()
