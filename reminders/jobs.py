"""The lanes of this room: reminders that are due, unanswered links, files being imported, handoffs whose offer is over."""

from config import queue
from reminders import dispatch, followups, handoffs, importruns

LANES = [
    queue.Lane("reminders", "bulk", dispatch.drain, dispatch.oldest),
    queue.Lane("followups", "bulk", followups.drain, followups.oldest),
    queue.Lane("imports", "bulk", importruns.drain, importruns.oldest),
    queue.Lane("handoffs", "urgent", handoffs.drain, handoffs.oldest),
]
