"""Free ports of the loopback interface, for what the embedded service starts on this machine."""

import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on this TCP port of every interface now, as our web server does."""
    with socket.socket() as listener:
        # A port whose last connections are still being closed is free to a server, and without this looks taken.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", port))
        except OSError:
            return False
        return True


def free_from(first: int) -> int:
    """`first`, or the next port after it that is free. Raises OSError if none of the next hundred is."""
    for port in range(first, first + 100):
        if is_free(port):
            return port
    raise OSError(f"no port from {first} to {first + 99} is free")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on; see `free_ports`."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """`count` different TCP ports of 127.0.0.1 that nobody listens on at this moment.

    Nothing reserves them afterwards, so bind them soon. Ask for all ports at once: the
    kernel may hand out the same one again as soon as it is closed here.
    """
    with ExitStack() as sockets:
        listeners = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind((LOOPBACK, 0))
        return [int(listener.getsockname()[1]) for listener in listeners]
