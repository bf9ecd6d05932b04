"""A listener in a thread of its own, and a sender of frames that is as careless as one likes."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import update

from config import db, runtime
from interchange.hl7 import er7
from interchange.models import Feed
from tests.interchange.messages import visit
from tests.waiting import PATIENCE
from tests.webhooks.ehr_world import SOON, World
from webhooks.mllp.listener import Limits, Listener

WHO = "BOOKS|ELM"


def framed(message: str | bytes) -> bytes:
    data = message if isinstance(message, bytes) else message.encode()
    return b"\x0b" + data + b"\x1c\r"


def booking(place: int = 0, event: str = "S12") -> str:
    """A message of a visit of its own under a control id of its own."""
    return visit(event, start=SOON, key=f"V{place}").replace("|C1|", f"|C{place}|")


def heard_by_mllp(world: World, sender: str | None = WHO, certificate: str = "") -> None:
    """Let the world's feed be heard by MLLP, known at once."""
    with db.unit_of_work(db.EVERY) as session:
        said = {"mllp_sender": sender, "mllp_certificate": certificate}
        session.execute(update(Feed).where(Feed.clinic_id == world.clinic.id).values(**said))
    runtime.once("webhooks.mllp", dict).clear()


class Running:
    """A listener that runs, with its port."""

    def __init__(self, listener: Listener, port: int, loop: asyncio.AbstractEventLoop) -> None:
        self.listener, self.port, self._loop = listener, port, loop

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.listener.stop(), self._loop).result(PATIENCE)

    @contextmanager
    def sender(self, context: ssl.SSLContext | None = None) -> Iterator["Sender"]:
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        with context.wrap_socket(plain, server_hostname="localhost") if context else plain as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield Sender(connection)


class Sender:
    """One connection of a sender."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self._heard = connection, b""

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def answer(self) -> er7.Message | None:
        """The next acknowledgement, framed; None where the listener has closed the connection."""
        while b"\x1c\r" not in self._heard:
            try:
                came = self.connection.recv(65536)
            except ConnectionError:
                came = b""
            if not came:
                assert self._heard == b""
                return None
            self._heard += came
        frame, self._heard = self._heard.split(b"\x1c\r", 1)
        assert frame.startswith(b"\x0b")
        (message,) = er7.read(frame[1:]).messages
        return message

    def code(self) -> str | None:
        """What the next acknowledgement says."""
        answer = self.answer()
        return answer.part("MSA", 1) if answer else None


@contextmanager
def listening(context: ssl.SSLContext | None = None, **limits: float) -> Iterator[Running]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        listener = Listener(context, Limits(**{"trouble": 0.01} | limits))  # type: ignore[arg-type]
        port = asyncio.run_coroutine_threadsafe(listener.start("127.0.0.1", 0), loop).result(PATIENCE)
        running = Running(listener, port, loop)
        yield running
        running.stop()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
