"""Whether a request was signed by who it says it comes from.
Pure: keys, bytes and the present second in, yes or no out."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

TOLERANCE_SECONDS = 300
_DEFAULT_PORTS = {"https": 443, "http": 80}

Fields = Sequence[tuple[bytes, bytes]]


def by_twilio(url: str, fields: Fields, signature: str, tokens: Iterable[str]) -> bool:
    """Whether one of `tokens` signed this POST to `url` (Twilio, "Validating Signatures": HMAC-SHA1).

    Over the bytes as they came, so that a body that is no UTF-8 can be verified too. Twilio signs with and without
    the default port; both are tried.
    """
    parameters = "".join(f"{name}{value}" for name, value in _sorted(fields)).encode("latin-1")
    presented = signature.encode("utf-8", "replace")
    urls = [address.encode("utf-8", "replace") for address in _with_and_without_port(url)]
    expected = [
        base64.b64encode(hmac.new(token.encode(), address + parameters, hashlib.sha1).digest())
        for token in tokens
        for address in urls
    ]
    return any(hmac.compare_digest(candidate, presented) for candidate in expected)


def _sorted(fields: Fields) -> list[tuple[str, str]]:
    return sorted({(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields})


def _with_and_without_port(url: str) -> set[str]:
    parts = urlsplit(url)
    port = _DEFAULT_PORTS[parts.scheme]
    if parts.port is None:
        return {url, url.replace(parts.netloc, f"{parts.netloc}:{port}", 1)}
    return {url, url.replace(parts.netloc, parts.netloc.rpartition(":")[0], 1)}


def by_standard(secret: str, message_id: str, timestamp: str, body: bytes, signatures: str, now: float) -> bool:
    """Whether `secret` ("whsec_" and base64) signed this body within five minutes (Standard Webhooks 1.0, "v1").

    `signatures` are separated by spaces while a secret is rotated; `now` is in seconds since 1970.
    """
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    try:
        key = base64.b64decode(secret.removeprefix("whsec_") + "==")
    except binascii.Error:
        return False
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "replace") + body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    presented = signatures.encode("utf-8", "replace").split(b" ")
    return bool(key) and any(hmac.compare_digest(expected, signature) for signature in presented)
