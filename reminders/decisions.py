"""Everything a clinic decides for itself, kind by kind: what its settings pages and its file go through."""

from messaging import words
from messaging.editions.publishing import Kind
from reminders import clinics, publishing, questionnaires

KINDS: dict[str, Kind] = {
    one.name: one for one in (clinics.CLINIC, words.WORDS, publishing.CADENCE, questionnaires.SCHEDULE)
}
