"""What can be tried of three hosts without three: the balancer goes past a dead one, and who may not is told so."""

import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from service.embedded import ports
from tests.waiting import until
from tools.hosts import network
from tools.hosts.__main__ import main


class Echo(socketserver.StreamRequestHandler):
    """Answers a line with itself, in capitals."""

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line.upper())


@contextmanager
def relaying(*ways: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "tools.hosts.relay", *ways])
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def asked(port: int) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(b"is anybody there?\n")
            return connection.makefile("rb").readline()
    except OSError:
        return b""


def test_the_balancer_goes_past_a_host_that_is_not_there() -> None:
    balancer, dead = ports.free_ports(2)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as alive:
        threading.Thread(target=alive.serve_forever, daemon=True).start()
        with relaying(f"127.0.0.1:{balancer}=127.0.0.1:{dead},127.0.0.1:{alive.server_address[1]}"):
            until(lambda: asked(balancer) == b"IS ANYBODY THERE?\n", "an answer through the balancer")
        alive.shutdown()


def test_who_may_make_no_hosts_is_told_so_and_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(network.NotAllowed, match="no `ip` here"), network.hosts(("first",)):
        pass
    ended = CliRunner().invoke(main)
    assert ended.exit_code == 2
    assert "It takes Linux, iproute2 and root." in ended.output
