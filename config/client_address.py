"""Where a request comes from: the address that whoever counts tries counts by."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from config import runtime

UNKNOWN = "unknown"
# One household or phone is given a whole /64 and may take a new address from it each second.
PREFIX = 64


def source(environ: Mapping[str, Any]) -> str:
    """Return the source of a request, by its WSGI environment and the number of proxies in the settings."""
    return behind(
        runtime.settings().trusted_proxies,
        environ.get("REMOTE_ADDR", ""),
        forwarded_for=environ.get("HTTP_X_FORWARDED_FOR", ""),
        forwarded=environ.get("HTTP_FORWARDED", ""),
    )


def behind(proxies: int, remote: str, *, forwarded_for: str = "", forwarded: str = "") -> str:
    """Return the source as the outermost of so many `proxies` saw it: an IPv4 address, or the /64 of an IPv6 one.

    Each proxy adds at the right end of X-Forwarded-For, or of Forwarded (RFC 7239), whom it was asked by; what stands
    further left was said by the client. An entry that is no address is passed over to the right, towards us, never to
    the left. Where both headers are there and differ, one of them is the client's own: then only `remote` is believed.
    """
    sources = {
        _nearest([*entries[-proxies:], remote])
        for entries in (_entries(forwarded_for), [_for(element) for element in _entries(forwarded)])
        if proxies and entries
    }
    return sources.pop() if len(sources) == 1 else _nearest([remote])


def _entries(header: str) -> list[str]:
    # Commas inside quotes are not heeded: no proxy writes one there, and a client must not swallow what proxies add.
    return [part.strip() for part in header.split(",")] if header.strip() else []


def _for(element: str) -> str:
    """Return the node that an element of Forwarded is for, "" if it names none."""
    pairs = (pair.partition("=") for pair in element.split(";"))
    return next((value.strip().strip('"') for name, _, value in pairs if name.strip().lower() == "for"), "")


def _nearest(chain: list[str]) -> str:
    return next(filter(None, map(_network, chain)), UNKNOWN)


def _network(node: str) -> str:
    """Return the source that an address stands for, with or without a port; "" if it is none."""
    host = node.strip().strip('"')
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.ip_network((address, PREFIX), strict=False))
