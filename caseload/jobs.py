"""The lanes of this room: days that are to be counted, and who in care is to be asked something today."""

from caseload import questionnaires
from caseload.figures import keeping
from caseload.satisfaction import asking
from config import queue

LANES = [
    queue.Lane("figures", "bulk", keeping.drain, keeping.oldest),
    queue.Lane("questionnaires", "bulk", questionnaires.drain, questionnaires.oldest),
    queue.Lane("satisfaction", "bulk", asking.drain, asking.oldest),
]
