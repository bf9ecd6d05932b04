"""Where an event may be posted to: to the public internet over https, and to nothing inside (SSRF).

A name is resolved once; each address it has is judged, and the connection goes to the very address that was judged:
a name that is resolved anew a moment later ("rebinding") leads nowhere else.
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from config import addresses, outgoing

LONGEST = 500
# Below it are the ports of other protocols: a stranger is not to be asked at those of mail or SSH in our name.
UNPRIVILEGED, HTTPS = 1024, 443
Address = IPv4Address | IPv6Address
# Networks of the operator's own, where an EHR may be asked; events are never posted there.
Networks = Sequence[IPv4Network | IPv6Network]
# Beside what Python knows as private: addresses of clouds' own services, and IPv6 that is not for everybody.
INSIDE = tuple(
    map(ip_network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "fec0::/10", "5f00::/16"))
)
NAT64 = IPv6Network("64:ff9b::/96")
# Returns the addresses of a name, as text. Raises OSError.
Resolve = Callable[[str, int], Sequence[str]]


class Refused(Exception):
    """Nothing is posted there. `why` is one word: form | scheme | user | host | unlisted | resolve | inside."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


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
    try:
        found = list(dict.fromkeys(resolve(target.host, target.port)))
    except (OSError, UnicodeError):
        raise Refused("resolve") from None
    if not found:
        raise Refused("resolve")
    for address in found:
        judge(ip_address(address.partition("%")[0]), loopback=loopback, own=own)
    return found


def judge(address: Address, *, loopback: bool, own: Networks = ()) -> None:
    """Raise Refused for an address that is not on the public internet, or stands for one that is not."""
    stands_for = _stands_for(address)
    if loopback and (address.is_loopback or stands_for.is_loopback):
        return
    if any(stands_for.version == net.version and stands_for in net for net in own):
        return
    if _is_inside(stands_for) or (address not in NAT64 and _is_inside(address)):
        raise Refused("inside")


def _is_inside(address: Address) -> bool:
    return not address.is_global or address.is_multicast or address.is_reserved or any(address in net for net in INSIDE)


def _stands_for(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one leads to: mapped, compatible, 6to4, NAT64 or Teredo; else itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def system(host: str, port: int) -> list[str]:
    """Return what this machine's resolver says of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
