"""The lanes of this room: reminders that are due, handoffs whose offer is over, visits to plan again."""

from config import queue
from reminders import dispatch, handoffs, replanning

LANES = [
    queue.Lane("reminders", "bulk", dispatch.drain, dispatch.oldest),
    queue.Lane("replanning", "bulk", replanning.drain, replanning.oldest),
    queue.Lane("handoffs", "urgent", handoffs.drain, handoffs.oldest),
]
