"""Reads the token of a link out of an address as phones open it: with a full stop, a bracket, the next word. Pure."""

import re
import unicodedata

# keys.new_token: 128 bits in base64url.
LENGTH = 22
# So many signs before a token may be taken for its own: an underscore or a hyphen that marked the link.
BEFORE = 3
_RUN = re.compile(rf"[A-Za-z0-9_-]{{{LENGTH},}}")
# In an address of ours, also in that of a video room's page.
_KEY = re.compile(r"(/i/(?:v/)?)[A-Za-z0-9_-]{16,}")
_PAGE = re.compile(r"\W*(me)?\W*")


def tokens_in(typed: str) -> list[str]:
    """Return what may be the token in this part of an address, the likeliest first; the text itself where none is."""
    match = _RUN.search(_seen(typed))
    if match is None:
        return [typed]
    run = match[0]
    return [run[at : at + LENGTH] for at in range(min(BEFORE, len(run) - LENGTH) + 1)]


def page_in(rest: str) -> str | None:
    """Return which page of a link the rest of an address means: "" its first, "me" the patient's own, None neither."""
    match = _PAGE.fullmatch(_seen(rest))
    return None if match is None else match[1] or ""


def withheld(text: str) -> str:
    """Return a text as it may be shown to others than the patient: a link's address is the patient's key to it."""
    return _KEY.sub(r"\1…", text)


def _seen(text: str) -> str:
    """Leave out what nobody sees: joiners, marks of direction, soft hyphens, line ends within a word."""
    return "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cc", "Mn"))
