"""Fetches the bytes of an attachment from the carrier: from nowhere else, never more than asked for, never for ever."""

import time
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from config import outgoing, public_internet
from messaging.gateways.base import OutcomeUnknown, Refused, TooLarge

if TYPE_CHECKING:
    from requests import Response, Session

CONNECT_SECONDS, READ_SECONDS, ALL_SECONDS = 4.0, 6.0, 20.0
PIECE = 64 * 1024
REDIRECTS = 3
# Where Twilio keeps what was attached: its API answers with a redirect to one of these ("Media subresource").
STORES = ("twiliocdn.com", "media.twiliocdn.com.s3-external-1.amazonaws.com")
STORE_PATHS = {
    "s3-external-1.amazonaws.com": "/media.twiliocdn.com/",
    "s3.amazonaws.com": "/media.twiliocdn.com/",
}


def fetch(
    url: str, credentials: tuple[str, str], most: int, resolve: public_internet.Resolve = public_internet.system
) -> bytes:
    """Return the bytes at the carrier's own `url`, following it only to its stores, which get no credentials.

    But for the address that the settings name, each name must lead to the public internet. Raises TooLarge above `most`
    bytes, Refused for a 4xx, OutcomeUnknown for whatever else is no answer, and where a name leads inside.
    """
    from requests import RequestException, Session

    from messaging.gateways.lines import Lines

    outgoing.of_carrier(url)
    ends, lines = time.monotonic() + ALL_SECONDS, Lines(outgoing.carrier_of_settings(), resolve)
    with Session() as session, lines.broken_off_after(ALL_SECONDS):
        session.trust_env = False  # no credentials of somebody's .netrc, no proxy of somebody's shell
        for scheme in ("http://", "https://"):
            session.mount(scheme, lines)
        try:
            return _followed(session, url, credentials, most, ends)
        except public_internet.Refused as refused:
            raise OutcomeUnknown(refused.why) from None
        except RequestException:
            if time.monotonic() < ends:
                raise
            raise OutcomeUnknown("too slow") from None


def _followed(session: "Session", url: str, credentials: tuple[str, str], most: int, ends: float) -> bytes:
    for hop in range(REDIRECTS + 1):
        with session.get(
            url,
            auth=credentials if hop == 0 else None,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as answer:
            if not answer.is_redirect:
                return _read(answer, most, ends)
            url = urljoin(url, answer.headers["Location"])
            session.cookies.clear()
        if not is_a_store(url):
            raise Refused(0, 403)
    raise OutcomeUnknown("sent on too often")


def is_a_store(url: str) -> bool:
    """Whether a redirect leads to where the carrier keeps attachments: https, its own name, no user, no other port."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    if parts.scheme != "https" or port not in (None, 443) or "@" in parts.netloc or "\\" in url:
        return False
    own = any(host == store or host.endswith("." + store) for store in STORES)
    return own or (host in STORE_PATHS and parts.path.startswith(STORE_PATHS[host]) and ".." not in parts.path)


def _read(answer: "Response", most: int, ends: float) -> bytes:
    if answer.status_code >= 500 or answer.status_code in (408, 429):
        raise OutcomeUnknown(f"status {answer.status_code}")
    if answer.status_code != 200:
        raise Refused(answer.status_code, answer.status_code)
    read = bytearray()
    for piece in answer.iter_content(PIECE):
        read += piece
        if len(read) > most:
            raise TooLarge
    if time.monotonic() >= ends:  # broken off, within its head maybe: that is no answer, whatever it began with
        raise OutcomeUnknown("too slow")
    return bytes(read)
