"""The lanes of this room: reminders that are due, links that go unanswered, and handoffs whose offer is over."""

from config import queue
from reminders import dispatch, followups, handoffs

LANES = [
    queue.Lane("reminders", "bulk", dispatch.drain, dispatch.oldest),
    queue.Lane("followups", "bulk", followups.drain, followups.oldest),
    queue.Lane("handoffs", "urgent", handoffs.drain, handoffs.oldest),
]
