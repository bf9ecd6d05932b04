"""Hosts that share nothing but a bridge: network namespaces with an address each, whose cable can be pulled."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

BRIDGE, PREFIX = "wt-hosts", "wt-host-"
# From the range for networks between devices under test (RFC 2544): nobody's own.
OURS, BALANCER = "198.18.77.", "198.18.77.254"


class NotAllowed(Exception):
    """This user, or this machine, may not make network namespaces; the text says what was refused."""


@contextmanager
def hosts(names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Make a host for each name, joined by a bridge; yield their addresses. Raises NotAllowed."""
    _take_away(names)
    try:
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("addr", "add", f"{BALANCER}/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        yield {name: _host(name, f"{OURS}{number}") for number, name in enumerate(names, 1)}
    finally:
        _take_away(names)


def inside(name: str) -> tuple[str, ...]:
    """Return the words to put before a command so that it runs on that host."""
    return ("ip", "netns", "exec", PREFIX + name)


def pull(name: str) -> None:
    """Pull the host's cable: nothing comes or goes, and nobody is told."""
    _ip("link", "set", f"wt-c-{name}", "down")


def plug(name: str) -> None:
    """Put the cable in again."""
    _ip("link", "set", f"wt-c-{name}", "up")


def _host(name: str, address: str) -> str:
    namespace, cable = PREFIX + name, f"wt-c-{name}"
    _ip("netns", "add", namespace)
    _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    _ip("link", "set", cable, "master", BRIDGE)
    _ip("link", "set", cable, "up")
    _ip("-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
    for device in ("lo", "eth0"):
        _ip("-n", namespace, "link", "set", device, "up")
    return address


def _ip(*words: str) -> None:
    try:
        made = subprocess.run(("ip", *words), check=False, capture_output=True, text=True)
    except FileNotFoundError:
        raise NotAllowed("there is no `ip` here (iproute2)") from None
    if made.returncode:
        raise NotAllowed(f"`ip {' '.join(words)}` was refused: {made.stderr.strip()}")


def _take_away(names: Sequence[str]) -> None:
    """Also what an earlier run has left that was killed."""
    for words in (*(("netns", "del", PREFIX + name) for name in names), ("link", "del", BRIDGE)):
        try:
            subprocess.run(("ip", *words), check=False, capture_output=True)
        except FileNotFoundError:
            return
