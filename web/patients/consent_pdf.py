"""The proof of consent as a PDF: the same lines as the page, on paper that can be handed on."""

import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING

from messaging.wording import text_templates
from web.patients.consent_proof import Entry, Section, Sheet

if TYPE_CHECKING:
    from fpdf import FPDF

MARGIN, LINE, SMALL = 18, 5.2, 4.2
FONT = "Helvetica"


def proof(sheet: Sheet, made_at: datetime) -> bytes:
    """Return the proof as a PDF file."""
    pdf = paper("Proof of consent", made_at)
    say(pdf, "Proof of consent to texts", size=17, bold=True)
    say(pdf, f"{sheet.clinic} · {sheet.name} · record {sheet.record}")
    say(pdf, sheet.made, size=9)
    if sheet.withheld:
        say(pdf, sheet.withheld, size=9)
    for section in sheet.sections:
        _section(pdf, section)
    if not sheet.sections:
        say(pdf, "No number is on file, and nothing was ever written down about texts.")
    return bytes(pdf.output())


def paper(title: str, made_at: datetime) -> "FPDF":
    """Return an empty page of a document with this title."""
    # Imported here: a library of a second's import would slow every start for a page that is opened twice a year.
    from fpdf import FPDF

    pdf = FPDF(format="letter")
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


def _section(pdf: "FPDF", section: Section) -> None:
    pdf.ln(LINE)
    say(pdf, section.number, size=13, bold=True)
    say(pdf, "Now: " + "; ".join(f"{programme}: {state}" for programme, _, state in section.states))
    for number, entry in enumerate(section.entries, 1):
        _entry(pdf, number, entry)
    if not section.entries:
        say(pdf, "Nothing was ever written down about this number.")


def _entry(pdf: "FPDF", number: int, entry: Entry) -> None:
    pdf.ln(2)
    pdf.set_draw_color(170)
    pdf.line(MARGIN, pdf.get_y(), pdf.w - MARGIN, pdf.get_y())
    pdf.ln(1.5)
    say(pdf, f"{number}. {entry.what}", bold=True)
    say(pdf, f"{entry.at} · {entry.how} · {entry.by}", size=9)
    say(pdf, f"Wording: {entry.version}{f' ({entry.asked_title})' if entry.asked_title else ''}", size=9)
    for language, wording in entry.asked:
        say(pdf, f"[{language}] {wording}", size=9, indent=4)
    if entry.said:
        say(pdf, f"Their own words: {entry.said}", indent=4)
    if entry.withheld:
        say(pdf, entry.withheld, size=9, indent=4)
    for at, way, became, carrier_id, body in entry.texts:
        say(pdf, f"{at} · {way} · {became} · carrier's id {carrier_id}", size=8, indent=4)
        if body:
            say(pdf, body, size=8, indent=8)
    for line in entry.hashes:
        say(pdf, line, size=8, indent=4)


def say(pdf: "FPDF", text: str, *, size: int = 10, bold: bool = False, indent: int = 0) -> None:
    """Write a paragraph over the whole width; `size` in points, `indent` in millimetres."""
    pdf.set_font(FONT, "B" if bold else "", size)
    pdf.set_x(MARGIN + indent)
    height = SMALL if size < 10 else LINE * size / 10
    pdf.multi_cell(pdf.w - 2 * MARGIN - indent, height, letters(text), align="L", new_x="LMARGIN", new_y="NEXT")
