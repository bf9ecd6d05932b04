"""How many crises the rules, the second reader and both together find, and how many ordinary texts they flag."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from messaging.reading import read_reply
from messaging.second_reading import figures, hearing, standing
from service.cli.tier_lines import Line

ACTING = standing.Standing(standing.Terms(), acts=True)  # as at a clinic that has signed the second reader off
HEADS = {
    "rules": "rules",
    "reader": "reader, any band",
    "reader_crisis": "reader, crisis",
    "crisis": "tier crisis",
    "either": "crisis or worry",
}


@dataclass(frozen=True)
class Flags:
    """By whom a text is flagged: the rules; the reader as worry or crisis, as crisis; tier crisis; either tier."""

    rules: bool
    reader: bool
    reader_crisis: bool
    crisis: bool
    either: bool


@dataclass
class Share:
    """How many of how many texts are flagged."""

    flagged: int = 0
    of: int = 0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of the share at 95 %."""
        return figures.interval(self.flagged, self.of)


Shares = dict[tuple[str, str, str, str], Share]  # by part, what the texts are, which group of them, and by whom flagged


def flags(text: str, language: str | None) -> Flags:
    """Return by whom a text is flagged while one visit awaits an answer."""
    read = read_reply.read(text, language)
    heard = hearing.hear(text, language)
    tier = hearing.judge(read, heard, ACTING, free=read.content).verdict.tier
    return Flags(
        rules=read.crisis,
        reader=heard.likeness is not None and heard.likeness.band != "none",
        reader_crisis=heard.likeness is not None and heard.likeness.band == "crisis",
        crisis=tier == "crisis",
        either=tier is not None,
    )


def measure(lines: Iterable[Line], part: str | None = None) -> Shares:
    """Read each line as its language's own patient would be read, and count by group; `part` names them all as one."""
    shares: Shares = defaultdict(Share)
    for line in lines:
        flagged = asdict(flags(line.text, "es" if line.language == "es" else "en"))
        for group in _groups(line):
            for by, is_flagged in flagged.items():
                share = shares[part or line.hand, "crisis" if line.crisis else "ordinary", group, by]
                share.flagged += is_flagged
                share.of += 1
    return shares


def _groups(line: Line) -> Iterator[str]:
    yield "all"
    yield f"language {line.language}"
    if line.manner:
        yield line.manner
        yield f"{line.manner} {line.language}"
        yield f"kind {line.kind}"
        if line.crisis:
            yield f"kind {line.kind} {line.manner}"


def rows(shares: Shares) -> list[dict[str, Any]]:
    """Return the counts as data, with Wilson's interval of each share."""
    return [
        {
            "part": part,
            "texts": texts,
            "group": group,
            "by": by,
            "flagged": share.flagged,
            "of": share.of,
            "low": share.interval[0],
            "high": share.interval[1],
        }
        for (part, texts, group, by), share in sorted(shares.items(), key=_order)
    ]


def _order(entry: tuple[tuple[str, str, str, str], Share]) -> tuple[str, str, bool, str]:
    part, texts, group, _ = entry[0]
    return part, texts, group != "all", group


def lines_of(shares: Shares) -> Iterator[str]:
    """Yield the table for people: a line a group, the shares side by side."""
    heads = "".join(f"{head:>32}" for head in HEADS.values())
    before = None
    groups: dict[tuple[str, str, str], dict[str, Share]] = defaultdict(dict)
    for (part, texts, group, by), share in sorted(shares.items(), key=_order):
        groups[part, texts, group][by] = share
    for (part, texts, group), shown in groups.items():
        if (part, texts) != before:
            before = (part, texts)
            yield f"\n{part}: {'crises found' if texts == 'crisis' else 'ordinary texts flagged'}"
            yield f"  {'':<34}{heads}"
        cells = "".join(f"{cell(shown[name]):>32}" for name in HEADS)
        yield f"  {group:<34}{cells}"


def cell(share: Share) -> str:
    """Return how many of how many, the share, and its interval."""
    low, high = share.interval
    return f"{share.flagged}/{share.of} = {share.flagged / share.of:.3f} ({low:.3f}-{high:.3f})"
