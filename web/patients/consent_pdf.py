"""The proof of consent as a PDF: the same lines as the page, on paper that can be handed on."""

from datetime import datetime
from typing import TYPE_CHECKING

from records import paper
from web.patients.consent_proof import Entry, Section, Sheet

if TYPE_CHECKING:
    from fpdf import FPDF


def proof(sheet: Sheet, made_at: datetime) -> bytes:
    """Return the proof as a PDF file."""
    pdf = paper.empty("Proof of consent", made_at)
    paper.say(pdf, "Proof of consent to texts", size=17, bold=True)
    paper.say(pdf, f"{sheet.clinic} · {sheet.name} · record {sheet.record}")
    paper.say(pdf, sheet.made, size=9)
    if sheet.withheld:
        paper.say(pdf, sheet.withheld, size=9)
    for section in sheet.sections:
        _section(pdf, section)
    if not sheet.sections:
        paper.say(pdf, "No number is on file, and nothing was ever written down about texts.")
    return bytes(pdf.output())


def _section(pdf: "FPDF", section: Section) -> None:
    pdf.ln(paper.LINE)
    paper.say(pdf, section.number, size=13, bold=True)
    paper.say(pdf, "Now: " + "; ".join(f"{programme}: {state}" for programme, _, state in section.states))
    for number, entry in enumerate(section.entries, 1):
        _entry(pdf, number, entry)
    if not section.entries:
        paper.say(pdf, "Nothing was ever written down about this number.")


def _entry(pdf: "FPDF", number: int, entry: Entry) -> None:
    pdf.ln(2)
    pdf.set_draw_color(170)
    pdf.line(paper.MARGIN, pdf.get_y(), pdf.w - paper.MARGIN, pdf.get_y())
    pdf.ln(1.5)
    paper.say(pdf, f"{number}. {entry.what}", bold=True)
    paper.say(pdf, f"{entry.at} · {entry.how} · {entry.by}", size=9)
    paper.say(pdf, f"Wording: {entry.version}{f' ({entry.asked_title})' if entry.asked_title else ''}", size=9)
    for language, wording in entry.asked:
        paper.say(pdf, f"[{language}] {wording}", size=9, indent=4)
    if entry.said:
        paper.say(pdf, f"Their own words: {entry.said}", indent=4)
    if entry.withheld:
        paper.say(pdf, entry.withheld, size=9, indent=4)
    for at, way, became, carrier_id, body in entry.texts:
        paper.say(pdf, f"{at} · {way} · {became} · carrier's id {carrier_id}", size=8, indent=4)
        if body:
            paper.say(pdf, body, size=8, indent=8)
    for line in entry.hashes:
        paper.say(pdf, line, size=8, indent=4)
