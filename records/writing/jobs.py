"""The lane of this room: what EHRs are owed and were not written yet."""

from config import queue
from messaging.ehr_outbox import owing
from records.writing import lane

LANES = [queue.Lane(owing.LANE, "bulk", lane.drain, lane.oldest)]
