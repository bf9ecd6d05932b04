"""Each way in is written down: a new one that docs/security.md says nothing of is noticed."""

import re
from pathlib import Path

from web.models import StaffSession

ROOT = Path(__file__).parents[2]
# By what a session says of how it began (web.models.StaffSession): the words by which the page says how strong it is.
SAID = {
    "password": "argon2id",
    "passkey": "WebAuthn, the device must ask who holds it",
    "invite": "a link by which somebody chooses a password",
    "reset": "a link by which somebody chooses a password",
    "once": "a link by which somebody chooses a password",
    "demo": "has a door without a password",
    "sso": "OpenID Connect",
}


def test_each_way_in_is_written_down() -> None:
    page = (ROOT / "docs/security.md").read_text("utf-8")
    assert {way: words for way, words in SAID.items() if words not in page} == {}
    ways = re.search(r"`how` somebody came in: ([a-z |]+);", StaffSession.__doc__ or "")
    assert ways is not None
    assert set(ways[1].split(" | ")) == SAID.keys()
