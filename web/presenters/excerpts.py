"""The few words of a text around what was looked for: pure."""

import re
import unicodedata
from dataclasses import dataclass

from intake_links import addresses

AROUND = 60
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Excerpt:
    """What stands before, the words found as they were written, and what stands after."""

    before: str
    hit: str
    after: str


def fold(text: str) -> str:
    """Return `text` without case and accents, runs of blanks as one."""
    return "".join(_fold_one(character) for character in _SPACES.sub(" ", text))


def without_keys(body: str) -> str:
    """Return a text as it may be shown, without the key in the address of a form."""
    return addresses.withheld(body)


def find(body: str, wanted: str) -> Excerpt | None:
    """Return where `wanted` (folded, see fold) first stands in `body`, None if it does not."""
    shown = _SPACES.sub(" ", without_keys(body)).strip()
    letters = [_fold_one(character) for character in shown]
    at = "".join(letters).find(wanted)
    if at < 0 or not wanted:
        return None
    place = [index for index, several in enumerate(letters) for _ in several]
    begin, end = place[at], place[at + len(wanted) - 1] + 1
    while end < len(letters) and not letters[end]:  # an accent written after its letter belongs to it
        end += 1
    return Excerpt(_tail(shown[:begin]), shown[begin:end], _head(shown[end:]))


def _fold_one(character: str) -> str:
    spread = unicodedata.normalize("NFKD", character.casefold())
    return "".join(letter for letter in spread if not unicodedata.combining(letter)).casefold()


def _tail(text: str) -> str:
    return text if len(text) <= AROUND else "…" + text[-AROUND:].partition(" ")[2]


def _head(text: str) -> str:
    return text if len(text) <= AROUND else text[:AROUND].rpartition(" ")[0] + "…"
