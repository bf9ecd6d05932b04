"""The lanes of this room: what EHRs are owed and were not written yet, and days that are over."""

from config import queue
from messaging.ehr_outbox import owing
from records.writing import days, lane

LANES = [
    queue.Lane(owing.LANE, "bulk", lane.drain, lane.oldest),
    queue.Lane(days.LANE, "bulk", days.drain, days.oldest),
]
