"""What is written down of security is what the code does: ways in, passwords, sessions, whom it speaks to."""

import re
from datetime import timedelta
from pathlib import Path

from config import settings
from interchange.polling import poller
from messaging.event_webhooks import delivering
from messaging.gateways import twilio
from records.writing import lane
from web import sessions
from web.account import common_passwords, passwords
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


def test_what_the_page_says_of_passwords_and_sessions_is_what_the_code_does() -> None:
    page = (ROOT / "docs/security.md").read_text("utf-8")
    assert (passwords.SHORTEST, passwords.SHORTEST_WITH_FACTOR, passwords.LONGEST) == (15, 12, 200)
    assert "fifteen characters at least, twelve beside a second step, two hundred at most, no rules" in page
    assert "hold the product's name or a word of the clinic's name, one's own or one's address" in page
    assert passwords.PRODUCT == "warmthread"
    assert f"{len(common_passwords._listed()) // common_passwords.BYTES:,} common ones" in page
    assert (3, timedelta(minutes=15), timedelta(hours=12)) == (sessions.AT_ONCE, sessions.IDLE, sessions.LONGEST)
    assert "began there lasts as any other, fifteen idle minutes and twelve hours at most" in page
    assert "(Back-Channel Logout 1.0) is signed out here at once" in page
    assert "three at once of which the oldest gives way, fifteen idle minutes, twelve hours at most" in page


def test_whom_it_speaks_to_is_written_down() -> None:
    page = (ROOT / "docs/running.md").read_text("utf-8")
    table = page.partition("## Whom it speaks to\n")[2].partition("\n## ")[0]
    names = [
        str(field.validation_alias or field.alias or name) for name, field in settings.Settings.model_fields.items()
    ]
    urls = {name.upper() for name in names if name.upper().endswith("_URL")}
    ours = {"WARMTHREAD_PUBLIC_URL", "WARMTHREAD_STAFF_URL"}  # by which others reach us
    assert len(urls) > 6
    assert sorted(url for url in urls - ours if f"`{url}`" not in table) == []
    # And to what somebody of a clinic has written down, which no setting names.
    [written_down] = re.findall(r"^\| clinics' (.+?) \|", table, re.M)
    assert written_down == "programs, EHRs, interface engines, identity providers"


def test_what_happens_when_one_is_away_is_written_down() -> None:
    page = (ROOT / "docs/running.md").read_text("utf-8")
    table = page.partition("## What happens when\n")[2].partition("\n## ")[0]
    for away in (
        "Redis dies",
        "the database is gone",
        "the carrier does not answer",
        "the disk is full",
        "every ticker",
    ):
        assert f"| {away}" in table, away


def test_how_soon_what_is_found_is_mended_and_what_takes_long_is_written_down() -> None:
    others = (ROOT / "docs/dependencies.md").read_text("utf-8")
    assert "within two days where it can be used from outside" in others
    assert "Everything else** once a month" in others
    names = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/measurements.md").read_text("utf-8"), re.M)
    assert {"inbound", "outbound", "alert", "inbox", "polls"} <= set(names)
    assert [name for name in names if not any((ROOT / "bench").glob(f"{name}*"))] == []
    ciphers = (ROOT / "docs/cryptography.md").read_text("utf-8").partition("## The way to another algorithm\n")[2]
    assert "A sealed value begins with a version byte" in ciphers


def test_how_many_connections_there_are_is_written_down() -> None:
    page = (ROOT / "docs/running.md").read_text("utf-8")
    told = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", page.partition("How many connections")[2], re.M))
    making = (ROOT / "config/db/engine.py").read_text("utf-8")
    [(size, overflow)] = re.findall(r"def _make\(size: int = (\d+), overflow: int = (\d+)\)", making)
    assert told["database"].startswith(f"{int(size) + int(overflow)}, of which {size} stay open")
    assert told["Twilio"].startswith(f"{twilio.CONNECTIONS} ")
    assert told["EHRs that are asked"] == str(poller.POOL)
    assert told["what is written into EHRs"] == str(lane.POOL)
    of_one = f"of one endpoint {delivering.PER_ENDPOINT}, of a quick one {delivering.PER_QUICK}"
    few = f"one once fewer than {delivering.ENOUGH_FREE + 1} are free"
    assert told["programs (webhooks)"] == f"{delivering.POOL}, {of_one}, {few}"
