"""Standard Webhooks 1.0.0, symmetric ("v1"): secrets, what is signed, and the headers. Pure but for making a secret."""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence

PREFIX, BYTES = "whsec_", 32


def new_secret() -> str:
    """Return a secret of 32 random bytes, as receivers' libraries take it."""
    return PREFIX + base64.b64encode(os.urandom(BYTES)).decode()


def headers(message_id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers of one try: `timestamp` in seconds since 1970, a signature by each of the secrets."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(message_id, timestamp, body, secret) for secret in secrets),
    }


def _signature(message_id: str, timestamp: int, body: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
