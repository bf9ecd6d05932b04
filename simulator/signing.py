"""Twilio's webhook signature, so that the service under test checks a real one."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import urldefrag

Parameters = Iterable[tuple[str, str]]


def sign(token: str, url: str, parameters: Parameters) -> str:
    """Return X-Twilio-Signature: base64(HMAC-SHA1(token, url + each distinct name and value, sorted)).

    The fragment of `url` holds connection overrides and is not part of what is signed.
    """
    signed = urldefrag(url).url + "".join(name + value for name, value in sorted(set(parameters)))
    digest = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
