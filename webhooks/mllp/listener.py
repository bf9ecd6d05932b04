"""Listens for HL7 by MLLP: each frame is kept and committed before it is acknowledged, in order on each connection.

What could not be kept is not answered and its connection is closed: the sender sends it again, which is done once.
What comes without a frame, or in one that does not end, is refused by name: its administrator sees why nothing comes.
"""

import asyncio
import signal
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from config import logging
from interchange import accepting
from interchange.hl7.framing import Frame, Frames
from interchange.problems import Problem
from webhooks.mllp import belonging, tls

CHUNK = 64 * 1024
THREADS = 4
NOBODY = Problem("sender_unknown", "MSH-3")
# Seconds after which the network itself asks whether the other end is still there, how long it waits, how often.
ALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))


@dataclass(frozen=True)
class Limits:
    """Seconds: without a frame; for one frame to come whole; without a byte before a 0x1C is the end; for our answer to
    leave; before a connection is closed on which nothing could be kept. And how many connections at once."""

    idle: float = 3600.0
    frame: float = 60.0
    silence: float = 1.0
    answer: float = 30.0
    trouble: float = 1.0
    connections: int = 200


class Listener:
    """One port and its connections."""

    def __init__(self, context: ssl.SSLContext | None = None, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._context = context
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="mllp")
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self.is_stopping = False
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port. Raises OSError where it is taken."""
        handshake = 10.0 if self._context else None
        self._server = await asyncio.start_server(
            self._connected, host, port, ssl=self._context, ssl_handshake_timeout=handshake, limit=CHUNK
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take nothing more: what is being kept is still answered, what has not come whole is not taken."""
        self.is_stopping = True
        if self._server:
            self._server.close()
        for task, connection in self._connections.items():
            if not connection.is_keeping:
                task.cancel()
        if self._connections:
            await asyncio.wait(list(self._connections))
        self._pool.shutdown()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self.is_stopping or len(self._connections) >= self.limits.connections:
            logging.logger().warning("mllp connection refused", count=len(self._connections))
            writer.transport.abort()
            return
        self._connections[task] = Connection(self, reader, writer)
        try:
            await self._connections[task].talk()
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # the other end is gone or says nothing any more, or we stop: what was not answered is sent again
        finally:
            del self._connections[task]
            writer.close()

    async def answer(self, frame: Frame, names: frozenset[str] | None) -> tuple[bytes, ...]:
        """Keep a frame and return its acknowledgements; raises whatever kept it from being kept."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, answered, frame, names)


class Connection:
    """One sender's connection."""

    def __init__(self, listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._listener, self._reader, self._writer = listener, reader, writer
        self._frames = Frames()
        self.is_keeping = False
        encrypted = writer.get_extra_info("ssl_object")
        self._names = tls.names(encrypted.getpeercert()) if encrypted else None
        plain = writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in ALIVE:
            plain.setsockopt(socket.IPPROTO_TCP, option, value)

    async def talk(self) -> None:
        """Answer frame after frame until either end has had enough."""
        loop, limits = asyncio.get_running_loop(), self._listener.limits
        begun_at = loop.time()
        while not self._frames.is_endless:
            was_waiting = self._frames.is_waiting
            left = begun_at + limits.frame - loop.time() if was_waiting else limits.idle
            closing = self._frames.may_be_closed
            try:
                data = await asyncio.wait_for(self._reader.read(CHUNK), limits.silence if closing else left)
            except TimeoutError:
                if not closing:
                    break
                complete = self._frames.silence()
            else:
                if not data:
                    # The other end has said all it wants to; a frame whose 0x0D is missing is whole.
                    await self._take(self._frames.silence() or self._frames.bare())
                    return
                complete = self._frames.feed(data)
            if complete or not was_waiting:
                begun_at = loop.time()
            if not await self._take(complete):
                return
        if told := self._frames.given_up():
            logging.logger().warning("mllp message without frame or end")
            await self._take(told)

    async def _take(self, complete: list[Frame]) -> bool:
        """Keep and answer frames one after the other; False where the connection ends."""
        for frame in complete:
            self.is_keeping = True
            try:
                answers = await self._listener.answer(frame, self._names)
            except Exception as error:  # noqa: BLE001 - whatever it is: not kept, so not answered
                logging.logger().error("mllp message not kept", exc_info=error)
                await asyncio.sleep(self._listener.limits.trouble)
                return False
            for text in answers:
                self._writer.write(b"\x0b" + text + b"\x1c\r")
            await asyncio.wait_for(self._writer.drain(), self._listener.limits.answer)
            self.is_keeping = False
            if self._listener.is_stopping:
                return False
        return True


def answered(frame: Frame, names: frozenset[str] | None) -> tuple[bytes, ...]:
    """Keep a frame as its feed's and return its acknowledgements; what is no feed's is refused and not kept."""
    sender = belonging.sender_of(frame, names)
    if sender is None:
        logging.logger().warning("mllp message of no feed")
        return (accepting.refusal(frame, [NOBODY]),)
    faults = [Problem(frame.fault, "MSH")] if frame.fault else []
    return accepting.accept(sender, frame, faults).acknowledgements


async def serve(host: str, port: int, context: ssl.SSLContext | None) -> None:
    """Listen until SIGTERM or SIGINT."""
    listener, stopped = Listener(context), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    logging.logger().info("mllp listening", port=await listener.start(host, port))
    await stopped.wait()
    with suppress(TimeoutError):
        await listener.stop()
