"""Connections that ask in the last moment, once they stand and before any byte leaves, whether the request still may.

Between a decision and the socket a process may be frozen, a machine paused, a handshake slow: what was decided then
may be wrong by now. Here nothing but the writing itself comes after the question.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from config import outgoing, public_internet
from messaging.gateways import judged

CONNECT_SECONDS = 4.0
_here = threading.local()


@contextmanager
def asking(still: Callable[[], object]) -> Iterator[None]:
    """Ask `still` before each write of this thread meanwhile; whatever it raises comes out of the request."""
    _here.still = still
    try:
        yield
    finally:
        _here.still = None


def _ask() -> None:
    still = getattr(_here, "still", None)
    if still is not None:
        still()


def _connected(connection: HTTPConnection, opening: Callable[[], socket.socket]) -> socket.socket:
    """Connect where the carrier is, once its address is judged; where that is refused nothing was sent."""
    try:
        return judged.connected(connection, opening, outgoing.carrier_of_settings(), public_internet.system)
    except public_internet.Refused as refused:
        raise NewConnectionError(connection, refused.why) from None


class _Http(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self, super()._new_conn)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _ask()
        super().send(data)


class _Https(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self, super()._new_conn)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _ask()
        super().send(data)


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class Adapter(HTTPAdapter):
    """What a session sends through: never tries twice, and does not wait long for a connection."""

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        """Let the pools make connections of ours."""
        super().init_poolmanager(*args, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def send(self, request: PreparedRequest, *args: Any, **named: Any) -> Response:
        """Send as ever, to the carrier alone, with a shorter patience for the connection than for the answer."""
        outgoing.of_carrier(request.url or "")
        seconds = named.get("timeout")
        if isinstance(seconds, int | float):
            named["timeout"] = (min(seconds, CONNECT_SECONDS), seconds)
        return super().send(request, *args, **named)
