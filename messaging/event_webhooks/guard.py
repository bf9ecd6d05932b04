"""Where an event may be posted to: to the public internet over https, and nowhere inside (config.public_internet)."""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from urllib.parse import urlsplit

from config import addresses, outgoing
from config.public_internet import Address, Networks, Refused, Resolve, addresses_of, judge

LONGEST = 500
# Below it are the ports of other protocols: a stranger is not to be asked at those of mail or SSH in our name.
UNPRIVILEGED, HTTPS = 1024, 443


@dataclass(frozen=True)
class Target:
    """An address taken apart: what to connect to, and what to ask for there."""

    tls: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The name as HTTP says it, with a port that is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def read(url: str, *, loopback: bool, own: Networks = ()) -> Target:
    """Take an address apart. Raises Refused for what is no https address of a host, or leads inside by its writing.

    With `loopback` (demo and tests) an address of this machine is taken, by http too; those of the networks that are
    the operator's `own` are taken by https. Every other host must stand in the operator's list, where there is one.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Refused("form") from None
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or any(mark in url for mark in ' "<>\\^`{|}#'):
        raise Refused("form")
    here = loopback and host in addresses.HERE
    if parts.scheme != "https" and not (here and parts.scheme == "http"):
        raise Refused("scheme")
    if "@" in parts.netloc:
        raise Refused("user")
    if not host or port == 0 or "%" in host:
        raise Refused("host")
    if not here and not own and port is not None and port < UNPRIVILEGED and port != HTTPS:
        raise Refused("host")
    _judge_literal(host, loopback=loopback, own=own)
    if not here and not outgoing.of_clinic(host):
        raise Refused("unlisted")
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(tls, host, port or (443 if tls else 80), path)


def _judge_literal(host: str, *, loopback: bool, own: Networks) -> None:
    """Refuse at once what is no name, also 127.1, 0x7f000001 and 2130706433, as every resolver reads them; and the name
    that always means this machine (RFC 6761)."""
    host = host.rstrip(".")  # a name may end with the dot of the root, and so may an address with some resolvers
    if not loopback and f".{host}".endswith(".localhost"):
        raise Refused("inside")
    try:
        literal: Address = ip_address(host)
    except ValueError:
        try:
            literal = IPv4Address(socket.inet_aton(host))
        except OSError:
            return
    judge(literal, loopback=loopback, own=own)


def resolved(target: Target, resolve: Resolve, *, loopback: bool, own: Networks = ()) -> list[str]:
    """Return the addresses to connect to, each of them judged. Raises Refused if one of them leads inside."""
    return addresses_of(target.host, target.port, resolve, loopback=loopback, own=own)
