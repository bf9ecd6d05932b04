"""Hours of a week as people write them, "Mon-Fri 8-5", and as they are written back, in one form. Pure.

A week is as in `hours`: a weekday ("mon" .. "sun") to [start, end], such as ["08:00", "17:00"].
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from messaging.weekdays import SHORT_NAMES, WEEKDAYS

NAMES = dict(zip(WEEKDAYS, SHORT_NAMES, strict=True))
EXAMPLE = "Mon-Fri 8:00-17:00, Sat all day"
ALL_DAY = ["00:00", "00:00"]
# What a day may be called: any of these, or a longer word that begins with its three letters.
_SHORT = {"m": "mon", "tu": "tue", "t": "tue", "w": "wed", "th": "thu", "f": "fri", "sa": "sat", "su": "sun"}
_SEVERAL = {
    "weekdays": "mon-fri", "weekday": "mon-fri", "weekends": "sat-sun", "weekend": "sat-sun", "daily": "mon-sun",
    "everyday": "mon-sun", "every day": "mon-sun", "24/7": "mon-sun all day",
}  # fmt: skip
_WORDS = {"noon": "12:00 pm", "midday": "12:00 pm", "midnight": "24:00"}
_TO = re.compile(r"\s*(?:[-–—]|\bto\b|\bthrough\b|\bthru\b|\buntil\b|\btill\b)\s*")
_TIME = r"\d{1,2}(?::\d\d)?\s*(?:am|pm|a|p)?"
_PART = re.compile(
    rf"(?P<days>[a-z][a-z\s-]*?)\s*:?\s*(?:(?P<all>all day|24 ?h(?:ours|rs|r)?)|(?P<closed>closed|off|none)|"
    rf"(?P<start>{_TIME})-(?P<end>{_TIME}))"
)
_CLOCK = re.compile(r"(\d{1,2})(?::(\d\d))?\s*(am|pm|a|p)?")
_ONLY_DAYS = re.compile(r"[a-z][a-z\s-]*")


class BadHours(ValueError):
    """Hours that cannot be read; its text says what is expected."""


def read(text: str) -> dict[str, list[str]]:
    """Read hours as people write them: "Mon-Fri 8:00-17:00, Sat 9-noon", "weekdays 8am to 5pm", "Sat-Sun all day".

    Without AM and PM, an end that is not after its start is in the afternoon ("8-5"), where that makes a working day;
    else it lies on the next day ("17:00-8:00"). Raises BadHours, with what was expected.
    """
    week: dict[str, list[str]] = {}
    waiting = ""
    for part in filter(None, (piece.strip() for piece in re.split(r"[,;&\n]|\band\b", _tidy(text)))):
        if _ONLY_DAYS.fullmatch(part) and not re.search(r"all day|closed|off|none", part):
            waiting += f"{part} "
            continue
        match = _PART.fullmatch(waiting + part)
        if match is None:
            raise BadHours(f'“{(waiting + part)[:40]}”: write hours as in "{EXAMPLE}"')
        waiting = ""
        for day in () if match["closed"] else _days(match["days"]):
            if day in week:
                raise BadHours(f"{NAMES[day]} stands there twice; one stretch of hours a day")
            week[day] = list(ALL_DAY) if match["all"] else _stretch(match["start"], match["end"])
    if waiting:
        raise BadHours(f'“{waiting.strip()[:40]}”: write hours as in "{EXAMPLE}"')
    return {day: week[day] for day in WEEKDAYS if day in week}


def _tidy(text: str) -> str:
    plain = re.sub(r"\b([ap])\.\s?m\.?", r"\1m", text.lower())
    plain = re.sub(r"(\d)\.(\d\d)\b", r"\1:\2", plain)
    for word, meant in {**_SEVERAL, **_WORDS}.items():
        plain = re.sub(rf"(?<![\w/]){re.escape(word)}(?![\w/])", meant, plain)
    return _TO.sub("-", plain)


def _days(text: str) -> list[str]:
    days: list[str] = []
    for first, last in re.findall(r"([a-z]+)(?:-([a-z]+))?", text):
        begin = WEEKDAYS.index(_day(first))
        length = (WEEKDAYS.index(_day(last)) - begin) % 7 + 1 if last else 1
        days += [WEEKDAYS[(begin + step) % 7] for step in range(length)]
    return days


def _day(word: str) -> str:
    day = _SHORT.get(word, word[:3])
    full = {name: f"{name}{rest}" for name, rest in zip(WEEKDAYS, _RESTS, strict=True)}
    if day not in WEEKDAYS or not (word in _SHORT or full[day].startswith(word.removesuffix("s"))):
        raise BadHours(f"“{word}” is no weekday; they are {', '.join(NAMES.values())}")
    return day


_RESTS = ("day", "sday", "nesday", "rsday", "day", "urday", "day")


def _stretch(start: str, end: str) -> list[str]:
    """Both ends as "08:00"; where neither says AM or PM, a working day is understood."""
    begins, ends = _clock(start), _clock(end)
    if _bare(start) and _bare(end):
        if 0 < begins < 6 * 60 and "0" not in (start[0], end[0]):
            begins, ends = begins + 720, (ends + 720 if ends < 720 else ends)
        elif ends <= begins <= 720:
            ends = (ends + 720) % 1440
    elif _halfless(start) and _halfless(end) and ends < begins <= 720:
        ends = (ends + 720) % 1440
    elif _halfless(start) and not _halfless(end):
        begins = _before(begins, ends)
    return [f"{at // 60:02}:{at % 60:02}" for at in (begins, ends)]


def _bare(text: str) -> bool:
    return text.strip().isdigit()


def _halfless(text: str) -> bool:
    """Whether it does not say which half of the day is meant: neither AM nor PM, nor a zero before it."""
    return not text.rstrip().endswith(("m", "a", "p")) and not text.startswith("0")


def _before(begins: int, ends: int) -> int:
    """ "1-5 pm" begins at one in the afternoon, "8-5 pm" in the morning."""
    return begins + 720 if begins < 720 and begins + 720 < ends else begins


def _clock(text: str) -> int:
    """Minutes since midnight; 24:00 is 0."""
    match = _CLOCK.fullmatch(text.strip())
    hour, minute, half = (int(match[1]), int(match[2] or 0), match[3]) if match else (99, 0, None)
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half[0] == "p" else 0)
    elif half:
        hour = 99
    if (hour, minute) == (24, 0):
        hour = 0
    if hour > 23 or minute > 59:
        raise BadHours(f"{text.strip()} is no time of day; use 0:00 to 24:00, or AM and PM")
    return hour * 60 + minute


def say(week: Mapping[str, Any], *, twelve: bool = False) -> str:
    """Return a week as `read` reads it: "Mon-Fri 8:00-17:00, Sat all day"; `twelve` with AM and PM."""
    parts: list[tuple[str, str, str]] = []
    for day in WEEKDAYS:
        if not week.get(day):
            continue
        span = _span(week[day], twelve=twelve)
        if parts and parts[-1][2] == span and WEEKDAYS.index(day) == WEEKDAYS.index(parts[-1][1]) + 1:
            parts[-1] = (parts[-1][0], day, span)
        else:
            parts.append((day, day, span))
    return ", ".join(
        f"{NAMES[first]}{'' if first == last else '-' + NAMES[last]} {span}" for first, last, span in parts
    )


def _span(span: Sequence[str], *, twelve: bool) -> str:
    start, end = span
    if start == end == "00:00":
        return "all day"
    # Where a working day could be understood, AM and PM say that it goes on to the next morning.
    if twelve or end < start <= "12:00":
        return f"{_half(start)}-{_half(end)}"
    start, end = (at.removeprefix("0") for at in (start, end))
    return f"{start}-{'24:00' if end == '0:00' else end}"


def _half(at: str) -> str:
    hour, minute = (int(part) for part in at.split(":"))
    return f"{hour % 12 or 12}:{minute:02} {'AM' if hour < 12 else 'PM'}"
