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
    # Imported here: a library of a second's import would slow every start for a page that is opened twice a year.
    from fpdf import FPDF

    pdf = FPDF(format="letter")
    pdf.set_creation_date(made_at)
    pdf.set_title("Proof of consent")
    pdf.set_lang("en")
    pdf.set_margin(MARGIN)
    pdf.set_auto_page_break(True, MARGIN)
    pdf.add_page()
    _say(pdf, "Proof of consent to texts", size=17, bold=True)
    _say(pdf, f"{sheet.clinic} · {sheet.name} · record {sheet.record}")
    _say(pdf, sheet.made, size=9)
    if sheet.withheld:
        _say(pdf, sheet.withheld, size=9)
    for section in sheet.sections:
        _section(pdf, section)
    if not sheet.sections:
        _say(pdf, "No number is on file, and nothing was ever written down about texts.")
    return bytes(pdf.output())


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
    _say(pdf, section.number, size=13, bold=True)
    _say(pdf, "Now: " + "; ".join(f"{programme}: {state}" for programme, _, state in section.states))
    for number, entry in enumerate(section.entries, 1):
        _entry(pdf, number, entry)
    if not section.entries:
        _say(pdf, "Nothing was ever written down about this number.")


def _entry(pdf: "FPDF", number: int, entry: Entry) -> None:
    pdf.ln(2)
    pdf.set_draw_color(170)
    pdf.line(MARGIN, pdf.get_y(), pdf.w - MARGIN, pdf.get_y())
    pdf.ln(1.5)
    _say(pdf, f"{number}. {entry.what}", bold=True)
    _say(pdf, f"{entry.at} · {entry.how} · {entry.by}", size=9)
    _say(pdf, f"Wording: {entry.version}{f' ({entry.asked_title})' if entry.asked_title else ''}", size=9)
    for language, wording in entry.asked:
        _say(pdf, f"[{language}] {wording}", size=9, indent=4)
    if entry.said:
        _say(pdf, f"Their own words: {entry.said}", indent=4)
    if entry.withheld:
        _say(pdf, entry.withheld, size=9, indent=4)
    for at, way, became, carrier_id, body in entry.texts:
        _say(pdf, f"{at} · {way} · {became} · carrier's id {carrier_id}", size=8, indent=4)
        if body:
            _say(pdf, body, size=8, indent=8)
    for line in entry.hashes:
        _say(pdf, line, size=8, indent=4)


def _say(pdf: "FPDF", text: str, *, size: int = 10, bold: bool = False, indent: int = 0) -> None:
    pdf.set_font(FONT, "B" if bold else "", size)
    pdf.set_x(MARGIN + indent)
    height = SMALL if size < 10 else LINE * size / 10
    pdf.multi_cell(pdf.w - 2 * MARGIN - indent, height, letters(text), align="L", new_x="LMARGIN", new_y="NEXT")
