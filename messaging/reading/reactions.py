"""Finds a text of ours quoted in another: the reaction (tapback) a phone writes out where it cannot draw one. Pure.

A quotation alone proves nothing: it is compared with what was sent to that number, and only what we wrote is taken out.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

_OPENING, _CLOSING = '“„«‹「『‟〝"＂', '”“»›」』〞"＂'
# An apostrophe opens a quotation only where no letter stands before it.
_OPENS = re.compile(rf"[{_OPENING}]|(?<!\w)[‘‚'](?=\S)")
_CLOSES = re.compile(rf"[{_CLOSING}]|[’‘'](?!\w)")
_CUT = re.compile(r"…|\.{2,}")
_QUOTES = 8  # opening and closing marks that are tried, so that no text is slow to read
_NO_FRAME, _PIECE = (
    20,
    8,
)  # letters that make a quotation ours beyond chance: without a known form, and of a cut one


@dataclass(frozen=True)
class Reaction:
    """A text of ours that was quoted, `to` its place in the list.

    `sign` is what was done ("Liked", "👍", or ""), `rest` what is not quoted.
    """

    to: int
    sign: str
    rest: str


@dataclass(frozen=True)
class _Quote:
    before: str
    quoted: str
    after: str
    closed: bool


def may_be(text: str) -> bool:
    """Whether anything is quoted in `text`; only then is it worth looking up what was sent."""
    return _OPENS.search(text) is not None


def read(text: str, ours: Sequence[str]) -> Reaction | None:
    """Return the text of `ours` (the latest first) that `text` quotes, whole or cut; None where it quotes none."""
    wholes = [_letters(body) for body in ours]
    for quote in _quotes(text):
        rest = _rest(quote)
        for place, whole in enumerate(wholes):
            if _quotes_it(quote, whole, framed=rest is not None):
                own = f"{quote.before.strip()} {quote.after.strip()}".strip() if rest is None else rest
                return Reaction(place, _sign(quote), own)
    return None


def carriers_own() -> Sequence[str]:
    """Return the texts that the carrier sends from our number by itself."""
    return _data()[1]


def _quotes(text: str) -> Iterator[_Quote]:
    """Every way to read a quotation in the text, the longest first; one whose end was cut off reaches to the end."""
    closes = list(_CLOSES.finditer(text))[-_QUOTES:]
    for opened in list(_OPENS.finditer(text))[:_QUOTES]:
        for closed in reversed(closes):
            if closed.start() >= opened.end():
                quoted = text[opened.end() : closed.start()]
                yield _Quote(text[: opened.start()], quoted, text[closed.end() :], True)
        yield _Quote(text[: opened.start()], text[opened.end() :], "", False)


def _rest(quote: _Quote) -> str | None:
    """What stands beside a reaction in a form that phones write; None where the form is not known."""
    frames, before, after = _data()[0], _letters(quote.before), _letters(quote.after)
    if (before, after) in frames:
        return ""
    if (before, "") in frames or (not before and _symbols(quote.before)):
        return quote.after.strip()
    return None


def _quotes_it(quote: _Quote, whole: str, *, framed: bool) -> bool:
    letters = _letters(quote.quoted)
    if not letters or not whole or len(letters) > len(whole) or (not framed and len(letters) < _NO_FRAME):
        return False
    if letters == whole:
        return True
    pieces = [_letters(piece) for piece in _CUT.split(quote.quoted)]
    if len(pieces) > 1:
        return len(letters) >= _PIECE and _in_order(pieces, whole)
    if not quote.closed:
        return len(letters) >= _PIECE and whole.startswith(letters)
    return len(letters) >= _NO_FRAME and letters in whole


def _in_order(pieces: Sequence[str], whole: str) -> bool:
    """Whether the pieces between marks of omission stand in the text, the first at its start, the last at its end."""
    if not (whole.startswith(pieces[0]) and whole.endswith(pieces[-1])):
        return False
    at = 0
    for piece in pieces:
        at = whole.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


def _letters(text: str) -> str:
    """Letters and digits alone, without accents: quotes, spaces and marks change on the way from phone to phone."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text).casefold() if sign.isalnum())


def _symbols(text: str) -> str:
    return "".join(sign for sign in text if unicodedata.category(sign) in ("So", "Sk"))


def _sign(quote: _Quote) -> str:
    return _symbols(quote.before) or quote.before.strip() or quote.after.strip()


@cache
def _data() -> tuple[frozenset[tuple[str, str]], tuple[str, ...]]:
    source = resources.files("messaging").joinpath("texts", "reading", "phones.toml")
    listed = tomllib.loads(source.read_text(encoding="utf-8"))["reactions"]
    cut = [frame.partition("{}") for frame in listed["frames"]]
    return frozenset((_letters(before), _letters(after)) for before, _, after in cut), tuple(listed["carrier"])
