"""docs/logs.md names each field that a line of the log may have, and each kind of security event."""

import re
from pathlib import Path

from config import logging, security_events

PAGE = (Path(__file__).parents[2] / "docs/logs.md").read_text("utf-8")


def test_the_page_names_the_fields_of_the_log_and_no_other() -> None:
    _, _, below = PAGE.partition("The fields of the log of the service")
    listed = next(line for line in below.splitlines() if line.startswith("`"))
    assert set(re.findall(r"`(\w+)`", listed)) == logging.ALLOWED


def test_the_page_names_each_kind_of_security_event() -> None:
    assert [kind for kind in security_events.KINDS if f"`{kind}`" not in PAGE] == []
