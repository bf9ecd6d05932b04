"""Everything a clinic decides for itself, kind by kind: what its settings pages and its file go through."""

from intake_links import scoring
from messaging import words
from messaging.editions.publishing import Kind
from messaging.inbox import deciding
from reminders import clinics, publishing, questionnaires


def bands() -> dict[str, list[str]]:
    """Return the names of the bands of each instrument, lowest first: what a rule about who gets what may ask for."""
    return {name: [band.name for band in scoring.instrument(name).bands()] for name in scoring.instruments()}


RULES = deciding.kind(bands)
KINDS: dict[str, Kind] = {
    one.name: one for one in (clinics.CLINIC, words.WORDS, publishing.CADENCE, RULES, questionnaires.SCHEDULE)
}
