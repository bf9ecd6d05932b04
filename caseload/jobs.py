"""The lanes of this room: days that are to be counted, and who is in care and to be asked today."""

from caseload import questionnaires
from caseload.figures import keeping
from config import queue

LANES = [
    queue.Lane("figures", "bulk", keeping.drain, keeping.oldest),
    queue.Lane("questionnaires", "bulk", questionnaires.drain, questionnaires.oldest),
]
