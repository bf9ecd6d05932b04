"""Which hosts this service may speak to of its own accord: what its settings name, and of what clinics write down the
hosts that the operator has listed.

Every client that opens a connection out asks here first; a test looks that no other file opens one.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from config import outgoing_settings, runtime

# The carrier's own names, its API in whichever region. The stores of others that it sends us on to are judged where
# that is followed (messaging.gateways.fetching), and get no credentials.
CARRIER = (".twilio.com", ".twiliocdn.com")


class NotListed(Exception):
    """A host that nothing is asked of; the name is the operator's or a clinic's, and no word about a patient."""


def of_carrier(url: str) -> None:
    """Raise NotListed for an address that is not the carrier's: the one in the settings, else Twilio's own."""
    configured = carrier_of_settings()
    host = urlsplit(url).hostname or ""
    if not stands_in(host, (configured,) if configured else CARRIER):
        raise NotListed(host)


def carrier_of_settings() -> str | None:
    """The host by which the settings name the carrier; None where it is Twilio's own."""
    return urlsplit(runtime.settings().twilio_api_url).hostname


def of_clinic(host: str) -> bool:
    """Whether a host that a clinic has written down may be spoken to; with no list it may. The self-check's own may."""
    settings = runtime.settings()
    listed = outgoing_settings.hosts(settings.outgoing_hosts)
    checked = settings.self_check_url.get_secret_value() if settings.self_check_url else ""
    return not listed or stands_in(host, (*listed, urlsplit(checked).hostname or ""))


def stands_in(host: str, listed: Iterable[str]) -> bool:
    """Whether a list names a host: by itself, or by a name with a dot before it that it lies below."""
    name = host.lower().rstrip(".")
    return any(name == each or (each.startswith(".") and name.endswith(each)) for each in listed)
