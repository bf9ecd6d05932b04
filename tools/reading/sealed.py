"""Opens the sealed test once a version, and writes down what it showed."""

from __future__ import annotations

from pathlib import Path

from messaging.reading import likeness, read_reply
from service.cli import tier_report
from service.cli.tier_report import Shares
from tools.reading import corpus_files

PAGE = Path(__file__).parents[2] / "docs" / "reading.md"
HEADING = "## Openings of the sealed test"


class Opened(Exception):
    """The sealed test has been opened for this version already."""


def open_once(day: str, page: Path = PAGE, corpus: Path = corpus_files.CORPUS) -> Shares:
    """Measure both readers on the sealed lines and append the figures to `page`. `day` is written beside them.

    Raises Opened where the page has this version, ValueError where there are no lines, or no
    second reader to measure.
    """
    text = page.read_text(encoding="utf-8")
    title = f"### Rules {read_reply.VERSION}, weights {likeness.version()}"
    if title in text:
        raise Opened(f"opened before, see {page.name}: {title[4:]}")
    lines = corpus_files.load("sealed", corpus)
    if not lines or likeness.version() is None:
        raise ValueError("there is no sealed test, or no second reader")
    shares = tier_report.measure(lines, "sealed")
    page.write_text(f"{text.rstrip()}\n\n{title}\nOpened {day}.\n\n{_table(shares)}\n", encoding="utf-8")
    return shares


def _table(shares: Shares) -> str:
    groups = dict.fromkeys((texts, group) for _, texts, group, _ in shares)
    head = f"| texts | {' | '.join(tier_report.HEADS.values())} |\n|---{'|---' * len(tier_report.HEADS)}|\n"
    return head + "\n".join(_row(shares, texts, group) for texts, group in sorted(groups, key=_order))


def _row(shares: Shares, texts: str, group: str) -> str:
    cells = " | ".join(tier_report.cell(shares["sealed", texts, group, by]) for by in tier_report.HEADS)
    return f"| {texts}, {group} | {cells} |"


def _order(of: tuple[str, str]) -> tuple[str, bool, bool, str]:
    texts, group = of
    return texts, group != "all", group.startswith("kind"), group
