"""The lanes of this room: days that are to be counted, who is in care and to be asked today, and what of the
registry's to-do is made an item."""

from caseload import due_items, questionnaires, registry_import
from caseload.figures import keeping
from config import queue

# A file of this kind that was handed in on a page is worked off by the lane of all files.
FILES = registry_import.NAME

LANES = [
    queue.Lane("figures", "bulk", keeping.drain, keeping.oldest),
    queue.Lane("questionnaires", "bulk", questionnaires.drain, questionnaires.oldest),
    queue.Lane("due_items", "bulk", due_items.drain, due_items.oldest),
]
