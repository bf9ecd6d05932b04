"""The lane of this room: days that are to be counted."""

from caseload.figures import keeping
from config import queue

LANES = [queue.Lane("figures", "bulk", keeping.drain, keeping.oldest)]
