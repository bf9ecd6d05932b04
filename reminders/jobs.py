"""The lanes of this room: reminders that are due, and handoffs whose offer is over."""

from config import queue
from reminders import dispatch, handoffs

LANES = [
    queue.Lane("reminders", "bulk", dispatch.drain, dispatch.oldest),
    queue.Lane("handoffs", "urgent", handoffs.drain, handoffs.oldest),
]
