"""Which addresses are on the public internet, and which of them a name leads to (SSRF).

A name is resolved once; each address it has is judged, and the connection goes to the very address that was judged:
a name that is resolved anew a moment later ("rebinding") leads nowhere else.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

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
    """Nothing is asked there. `why` is one word: form | scheme | user | host | unlisted | resolve | inside."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def addresses_of(host: str, port: int, resolve: Resolve, *, loopback: bool = False, own: Networks = ()) -> list[str]:
    """Return the addresses to connect to, each of them judged. Raises Refused if one of them leads inside."""
    try:
        found = list(dict.fromkeys(resolve(host, port)))
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
