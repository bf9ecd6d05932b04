"""What is printed or handed on: a sheet of headings and lines, as a page shows it and as a PDF file."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from messaging.wording import text_templates

if TYPE_CHECKING:
    from fpdf import FPDF

MARGIN, LINE, SMALL = 18, 5.2, 4.2
FONT = "Helvetica"


@dataclass(frozen=True)
class Sheet:
    """A sheet in words: whose it is and who made it when, then sections of a heading and lines."""

    name: str
    clinic: str
    made: str
    sections: list[tuple[str, list[str]]]


def pdf_of(title: str, sheet: Sheet, made_at: datetime) -> bytes:
    """Return a sheet as a PDF file; `title` is what the file calls itself, so it names nobody."""
    pdf = empty(title, made_at)
    say(pdf, sheet.name, size=17, bold=True)
    say(pdf, f"{sheet.clinic}. {sheet.made}" if sheet.clinic else sheet.made, size=9)
    for heading, lines in sheet.sections:
        pdf.ln(3)
        if heading:
            say(pdf, heading, size=12, bold=True)
        for line in lines:
            say(pdf, line, size=9)
    return bytes(pdf.output())


def empty(title: str, made_at: datetime) -> "FPDF":
    """Return an empty page of a document with this title."""
    # Imported here: a library of a second's import would slow every start for a page that is opened twice a year.
    from fpdf import FPDF

    class Numbered(FPDF):
        """Each page with its number and how many there are: what was handed on is known to be whole."""

        def footer(self) -> None:
            self.set_y(-MARGIN + 4)
            self.set_font(FONT, "", 8)
            self.cell(0, SMALL, f"{self.page_no()} / {{nb}}", align="R")

    pdf = Numbered(format="letter")
    pdf.set_creation_date(made_at)
    pdf.set_title(title)
    pdf.set_lang("en")
    pdf.set_margin(MARGIN)
    pdf.set_auto_page_break(True, MARGIN)
    pdf.add_page()
    return pdf


def letters(text: str) -> str:
    """Return a text in the letters that every PDF reader has (Latin-1); others are named, such as [thumbs up sign]."""
    plain = unicodedata.normalize("NFC", text_templates.smart(text))
    return "".join(_letter(character) for character in plain)


def _letter(character: str) -> str:
    if character == "\n":
        return character
    if unicodedata.category(character) in ("Cc", "Cf"):
        return ""
    try:
        character.encode("latin-1")
    except UnicodeEncodeError:
        return f"[{unicodedata.name(character, f'U+{ord(character):04X}').lower()}]"
    return character


def say(pdf: "FPDF", text: str, *, size: int = 10, bold: bool = False, indent: int = 0) -> None:
    """Write a paragraph over the whole width; `size` in points, `indent` in millimetres."""
    pdf.set_font(FONT, "B" if bold else "", size)
    pdf.set_x(MARGIN + indent)
    height = SMALL if size < 10 else LINE * size / 10
    pdf.multi_cell(pdf.w - 2 * MARGIN - indent, height, letters(text), align="L", new_x="LMARGIN", new_y="NEXT")
