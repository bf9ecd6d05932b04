"""Everything a clinic decides for itself, kind by kind: what its settings pages and its file go through."""

from messaging import words
from messaging.editions.publishing import Kind
from reminders import publishing

KINDS: dict[str, Kind] = {one.name: one for one in (publishing.CADENCE, words.WORDS)}
