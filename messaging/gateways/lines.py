"""Connections of one fetch: to addresses that were judged, and all to be broken off, whatever they wait for.

A byte now and then keeps none alive.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from config.public_internet import Resolve
from messaging.gateways import judged


class Lines(HTTPAdapter):
    """An adapter that knows the sockets it has opened.

    `named` and `resolve` as in `judged.connected`; the request ends in config.public_internet.Refused as that does.
    """

    def __init__(self, named: str | None, resolve: Resolve) -> None:
        self._opened: list[socket.socket] = []
        self._named, self._resolve = named, resolve
        self._is_over = False
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools, whose connections are noted as they are opened: before TLS, a head or a body."""
        super().init_poolmanager(*args, **options)
        opened = self._open

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return opened(self, super()._new_conn)

        class Encrypted(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return opened(self, super()._new_conn)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class EncryptedPool(HTTPSConnectionPool):
            ConnectionCls = Encrypted

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}

    @contextmanager
    def broken_off_after(self, seconds: float) -> Iterator[None]:
        """Within: connections that end then, also those that are opened later."""
        timer = threading.Timer(seconds, self._break_off)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            for opened in self._opened:
                opened.close()

    def _open(self, connection: HTTPConnection, opening: Callable[[], socket.socket]) -> socket.socket:
        return self._note(judged.connected(connection, opening, self._named, self._resolve))

    def _note(self, made: socket.socket) -> socket.socket:
        self._opened.append(made.dup())  # TLS takes the first handle away
        if self._is_over:
            self._break_off()
        return made

    def _break_off(self) -> None:
        self._is_over = True
        for opened in list(self._opened):
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
