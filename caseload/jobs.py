"""The lanes of this room: days that are counted, who is asked something today, what of the registry is made an item."""

from caseload import due_items, questionnaires, registry_import
from caseload.figures import keeping
from caseload.satisfaction import asking
from config import queue

# A file of this kind that was handed in on a page is worked off by the lane of all files.
FILES = registry_import.NAME

LANES = [
    queue.Lane("figures", "bulk", keeping.drain, keeping.oldest),
    queue.Lane("questionnaires", "bulk", questionnaires.drain, questionnaires.oldest),
    queue.Lane("satisfaction", "bulk", asking.drain, asking.oldest),
    queue.Lane("due_items", "bulk", due_items.drain, due_items.oldest),
]
