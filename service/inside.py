"""Who is asking from inside: what watches the service (/readyz, /metrics) answers nobody on the internet."""

import ipaddress

from flask import abort, request

from config import client_address, runtime

PATHS = ("/readyz", "/metrics")
# The source of ::1, which is given its /64.
OWN = ipaddress.ip_network("::/64")
FORWARDED = ("X-Forwarded-For", "Forwarded")


def only() -> None:
    """Answer as an address that is not there, unless whoever asks is on this machine or in a private network.

    A request that a proxy passes on is theirs for whom it speaks; where no proxy is trusted, nobody knows for whom.
    """
    if request.path not in PATHS:
        return
    passed_on = any(name in request.headers for name in FORWARDED)
    unknown = passed_on and not runtime.settings().trusted_proxies
    if unknown or not is_inside(client_address.source(request.environ)):
        abort(404)


def is_inside(source: str) -> bool:
    """Whether a source (config.client_address) is of this machine or of a private network."""
    try:
        network = ipaddress.ip_network(source)
    except ValueError:
        return False
    return network.is_private or network.is_loopback or network.is_link_local or network == OWN
