"""The lane of this room: who is in care and to be asked today."""

from caseload import questionnaires
from config import queue

LANES = [queue.Lane("questionnaires", "bulk", questionnaires.drain, questionnaires.oldest)]
