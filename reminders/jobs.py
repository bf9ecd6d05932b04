"""The lanes of this room: reminders that are due, handoffs whose offer is over, files that are being imported."""

from config import queue
from reminders import dispatch, handoffs, importruns

LANES = [
    queue.Lane("reminders", "bulk", dispatch.drain, dispatch.oldest),
    queue.Lane("imports", "bulk", importruns.drain, importruns.oldest),
    queue.Lane("handoffs", "urgent", handoffs.drain, handoffs.oldest),
]
