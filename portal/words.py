"""What patients read on their own page, by language, and how a day and an hour are said there."""

import tomllib
from collections.abc import Mapping
from datetime import datetime, time
from functools import cache
from importlib import resources
from typing import Any

from reminders import phrasing

# Kept in the consent ledger and the audit: which words somebody had before them when they decided.
WORDING = "own-2"


@cache
def texts(language: str) -> Mapping[str, Any]:
    """Return every sentence of this room in `language` (one of intake_links.rendering.LANGUAGES)."""
    return tomllib.loads((resources.files("portal") / "texts" / f"{language}.toml").read_text("utf-8"))


def hour(at: time | datetime, language: str) -> str:
    """Return an hour of the day in words, such as "2:20 PM"."""
    spoken = phrasing.texts(language)
    phrase: str = spoken["time"].format(
        hour=(at.hour - 1) % 12 + 1, minute=at.minute, half=spoken["halves"][at.hour // 12]
    )
    return phrase


def day(local: datetime, now: datetime, language: str) -> str:
    """Return the day of a local moment as it is said at the local moment `now`: "today", "Tuesday, March 3"."""
    spoken, own = phrasing.texts(language), texts(language)
    ahead = (local.date() - now.date()).days
    if ahead in (0, 1):
        phrase: str = spoken["tomorrow" if ahead else "today"]
    else:
        weekday, month = spoken["days"][local.weekday()], own["months"][local.month - 1]
        phrase = own["date"].format(weekday=weekday, month=month, day=local.day)
    return phrase
