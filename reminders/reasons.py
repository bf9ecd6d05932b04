"""The words for why a reminder leaves, moves or does not leave."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from messaging.reasons import Reason, Sentences, read

# A step has these where the hours in which texts may leave gave it another time than its own.
MOVED_BY_HOURS = ("moved_to_opening", "moved_before_closing")
MOVED = (*MOVED_BY_HOURS, "moved_to_now")


def dropped(because: Reason) -> Reason:
    """Return the reason of a reminder that is not sent."""
    return Reason("dropped", {"because": because})


@cache
def sentences() -> Sentences:
    """Return the sentences of this room, from texts/reasons.toml."""
    file = resources.files("reminders").joinpath("texts/reasons.toml")
    return Sentences.of(tomllib.loads(file.read_text(encoding="utf-8")))


def words(reason: Reason) -> str:
    """Return the reason as `warmthread explain plan` and lists say it: "dropped: visit was booked after this step"."""
    return sentences().words(reason)


def plain(reason: Reason, clock: Callable[[str], str] = str) -> str:
    """Return the reason as a page says it: "visit was booked after this step"; `clock` writes "08:00" as it does."""
    return sentences().words(reason, labelled=False, clock=clock)


def kept(stored: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return in words the reasons that a reminder keeps."""
    return [words(read(reason)) for reason in stored]
