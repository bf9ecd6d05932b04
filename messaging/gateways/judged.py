"""Where a connection to the carrier goes: a name is resolved once, and to the judged address itself is connected.

A name server that has gone wrong leads nowhere inside, whatever TLS would say of it afterwards.
"""

import socket
from collections.abc import Callable

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from config.public_internet import Resolve, addresses_of

MOST_ADDRESSES = 3


def connected(
    connection: HTTPConnection, opening: Callable[[], socket.socket], named: str | None, resolve: Resolve
) -> socket.socket:
    """Return the socket that `opening` opens for `connection`, to one address after the other.

    `named` is the host that the operator's settings name, wherever it is; any other one must be on the public internet,
    or config.public_internet.Refused is raised.
    """
    name = connection.host
    if name == named:
        return opening()
    failed: Exception = NewConnectionError(connection, "no address")
    try:
        for address in addresses_of(name, connection.port, resolve)[:MOST_ADDRESSES]:
            connection.host = address
            try:
                return opening()
            except (NewConnectionError, ConnectTimeoutError) as error:
                failed = error
    finally:
        connection.host = name  # what TLS asks for
    raise failed
