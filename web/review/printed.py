"""The 90-day review as a PDF: the same figures as the page, small numbers hidden, with a bar for each share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from caseload.figures import definitions
from records import paper
from web import words
from web.presenters.figures_view import Card, Line, Section

if TYPE_CHECKING:
    from fpdf import FPDF

# Millimetres: a row's height, what a measure needs of a page at least, the widths of name, words and bar, and where
# these days and those before begin.
MARGIN, ROW, ROOM = paper.MARGIN, 5.0, 42.0
NAME, TEXT, BAR, COLUMNS = 60.0, 40.0, 16.0, (62.0, 122.0)
INK, LINE = (11, 97, 88), 170


@dataclass(frozen=True)
class Sheet:
    """What stands on the paper."""

    clinic: str
    now: str
    before: str
    sections: Sequence[Section]


def review(sheet: Sheet, made_at: datetime) -> bytes:
    """Return the review as a PDF file."""
    pdf = paper.empty(words.say("review", "title"), made_at)
    paper.say(pdf, f"{words.say('review', 'title')} · {sheet.clinic}", size=17, bold=True)
    paper.say(pdf, words.say("review", "paper_head", now=sheet.now, before=sheet.before))
    paper.say(pdf, words.say("review", "small_cells"), size=9)
    for section in sheet.sections:
        pdf.ln(3)
        paper.say(pdf, section.title, size=13, bold=True)
        for card in section.cards:
            _card(pdf, card)
    pdf.ln(3)
    paper.say(pdf, words.say("review", "cannot_know"), size=13, bold=True)
    for sentence in definitions.words("unknown").values():
        paper.say(pdf, sentence, size=9)
    return bytes(pdf.output())


def _card(pdf: "FPDF", card: Card) -> None:
    if pdf.get_y() > pdf.h - MARGIN - ROOM:
        pdf.add_page()
    pdf.ln(2)
    pdf.set_draw_color(LINE)
    pdf.line(MARGIN, pdf.get_y(), pdf.w - MARGIN, pdf.get_y())
    pdf.ln(1.5)
    paper.say(pdf, card.title, bold=True)
    paper.say(pdf, card.defined, size=8)
    if card.caution:
        paper.say(pdf, card.caution, size=8)
    if not card.lines:
        paper.say(pdf, card.missing or words.say("review", "nothing"), size=9)
    for line in card.lines:
        _line(pdf, line)
    if card.excluded:
        paper.say(pdf, card.excluded, size=8)


def _line(pdf: "FPDF", line: Line) -> None:
    if pdf.get_y() > pdf.h - MARGIN - ROW:
        pdf.add_page()
    top = pdf.get_y()
    _cell(pdf, 0, top, NAME, line.label)
    for at, said, percent in zip(COLUMNS, (line.now, line.before), line.percents, strict=True):
        _cell(pdf, at, top, TEXT, "  ".join(part for part in said if part))
        if percent is not None:
            _bar(pdf, MARGIN + at + TEXT, top, percent)
    pdf.set_xy(MARGIN, top + ROW)


def _cell(pdf: "FPDF", at: float, top: float, width: float, text: str) -> None:
    pdf.set_font(paper.FONT, "", 9)
    pdf.set_xy(MARGIN + at, top)
    pdf.cell(width, ROW, paper.letters(text))


def _bar(pdf: "FPDF", at: float, top: float, percent: float) -> None:
    """A bar of a share: the whole is outlined, so that it says the same without colour."""
    pdf.set_draw_color(LINE)
    pdf.set_fill_color(*INK)
    pdf.rect(at, top + 1.2, BAR * min(max(percent, 0.0), 100.0) / 100, ROW - 2.4, style="F")
    pdf.rect(at, top + 1.2, BAR, ROW - 2.4)
