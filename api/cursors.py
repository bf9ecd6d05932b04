"""Where a page ended, as a word that only we can read: signed for one list of one clinic."""

import base64
import binascii
import hmac
from uuid import UUID

from api.problems import Problem
from config import keys, runtime

SIGNATURE = 16


def write(clinic_id: UUID, listing: str, position: int) -> str:
    """Return the cursor after the row at `position`, an id or a sequence number of less than 128 bits."""
    plain = position.to_bytes(16, "big")
    return base64.urlsafe_b64encode(plain + _signature(clinic_id, listing, plain)).decode().rstrip("=")


def read(clinic_id: UUID, listing: str, cursor: str) -> int:
    """Return the position of a cursor. Raises Problem for one that we have not made for this list."""
    try:
        content = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Problem("bad_cursor") from None
    plain, signature = content[:16], content[16:]
    if len(plain) < 16 or not hmac.compare_digest(signature, _signature(clinic_id, listing, plain)):
        raise Problem("bad_cursor")
    return int.from_bytes(plain, "big")


def _signature(clinic_id: UUID, listing: str, plain: bytes) -> bytes:
    secret = runtime.once("api.cursors", lambda: keys.ring().secret("api.cursors"))
    return hmac.digest(secret, clinic_id.bytes + listing.encode() + b"\0" + plain, "sha256")[:SIGNATURE]
