"""Ends a server process soon after it is told to: the server itself waits for whoever has sent half a request.

Answers that are being made are let finish and leave. What is half here after a moment is not waited for: a body gets an
answer that says so, a head none. The server tells us of requests only, not of connections, so these are found among
our own open files, by the port that is listened on.
"""

import asyncio
import fcntl
import os
import signal
import socket
import stat
import struct
import termios
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address

# Seconds in which what is arriving may still come whole, and what was answered be handed to the network; between looks.
GRACE, LOOK = 1.0, 0.2
Address = tuple[str, int]


class Ending:
    """Knows who is being answered and which bodies are on their way, and cuts off the rest at the end."""

    def __init__(self, port: int, grace: float = GRACE) -> None:
        self.begun = False
        self._port, self._grace = port, grace
        self._answering: Counter[Address] = Counter()
        self._answered_at: dict[Address, float] = {}
        self._arriving: set[asyncio.Timeout] = set()

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with the first signal that ends this process; whoever else waits for it on the loop is told too."""
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, lambda _number, _frame: loop.call_soon_threadsafe(self._begin, loop))
            signal.siginterrupt(ending, False)

    @contextmanager
    def answering(self, client: str) -> Iterator[None]:
        """Spare the connection of `client`, as the server writes addresses, while its request is dealt with."""
        address = _written(client)
        self._answering[address] += 1
        try:
            yield
        finally:
            self._answering[address] -= 1
            if not self._answering[address]:
                del self._answering[address]
            if self.begun:
                self._answered_at[address] = time.monotonic()

    @contextmanager
    def arriving(self, deadline: asyncio.Timeout) -> Iterator[None]:
        """Move the deadline of a body to now at the end."""
        self._arriving.add(deadline)
        try:
            yield
        finally:
            self._arriving.discard(deadline)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self.begun:
            self.begun = True
            loop.call_later(self._grace, self._cut_off, loop)

    def _cut_off(self, loop: asyncio.AbstractEventLoop) -> None:
        for deadline in list(self._arriving):
            deadline.reschedule(loop.time())
        for connection in _connections(self._port):
            with suppress(OSError):  # its other end may have left meanwhile
                if not self._is_spared(connection):
                    connection.shutdown(socket.SHUT_RDWR)
        loop.call_later(LOOK, self._cut_off, loop)

    def _is_spared(self, connection: socket.socket) -> bool:
        host, port = connection.getpeername()[:2]
        address = _address(host, port)
        is_leaving = self._answered_at.get(address, 0.0) > time.monotonic() - self._grace
        return address in self._answering or is_leaving or _unsent(connection) > 0


def _connections(port: int) -> Iterator[socket.socket]:
    """Yield a handle of each connection that this process has taken on `port`."""
    for number in os.listdir("/dev/fd"):
        with suppress(OSError):  # it was closed meanwhile, or is connected no more
            if not stat.S_ISSOCK(os.stat(int(number)).st_mode):
                continue
            with socket.socket(fileno=os.dup(int(number))) as handle:
                is_network = handle.family in (socket.AF_INET, socket.AF_INET6)
                if is_network and handle.getsockname()[1] == port and handle.getpeername():
                    yield handle


def _unsent(connection: socket.socket) -> int:
    """Return how many bytes wait here for the other end to take them; 0 where the system does not say."""
    with suppress(OSError):
        return int(struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)))[0])
    return 0


def _written(client: str) -> Address:
    host, _, port = client.rpartition(":")
    return _address(host.strip("[]"), int(port))


def _address(host: str, port: int) -> Address:
    return str(ip_address(host.partition("%")[0])), port
