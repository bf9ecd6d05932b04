"""Reads a notice of an event platform: a Bundle of type history whose first entry is a SubscriptionStatus (pure).

It is signed over its very bytes (X-Hub-Signature), comes at least once and in any order, and names visits by ids
alone. It is counted within the bundle, so that a gap in its count means nothing.
"""

import hashlib
import hmac
from dataclasses import dataclass

from interchange.fhir.values import objects, text

SYSTEM = "urn:athenahealth:athenanet:appointment:"
LONGEST_NUMBER = 80


@dataclass(frozen=True)
class Notice:
    """One event: its id, which is the same however often it is told, and the number of its visit."""

    event: str
    number: str


def is_signed(secret: str, signature: str, body: bytes) -> bool:
    """Whether this is the signature of these very bytes: "sha256=" and the HMAC in hexadecimal."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return bool(secret) and signature.isascii() and hmac.compare_digest(signature.strip().lower(), expected)


def read(bundle: object, practice: str) -> list[Notice]:
    """Return the events of this practice's visits; those of anything else are left out."""
    found = []
    for entry in objects(bundle, "entry"):
        if text(entry, "resource", "resourceType") != "SubscriptionStatus":
            continue
        for event in objects(entry, "resource", "notificationEvent"):
            number = text(event, "focus", "identifier", "value").rpartition("Appointment-")[2]
            known = text(event, "focus", "identifier", "system") == SYSTEM + practice
            if known and text(event, "id") and number.isascii() and number.isalnum() and len(number) <= LONGEST_NUMBER:
                found.append(Notice(text(event, "id"), number))
    return found
