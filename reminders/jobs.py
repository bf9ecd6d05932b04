"""The lanes of this room: due reminders, unanswered links, visits to plan again,
files being imported, open handoffs."""

from config import queue
from reminders import handoff_set_back, handoff_steps, handoff_untold, replanning
from reminders.imports import runs
from reminders.sending import dispatch, followups

LANES = [
    queue.Lane("reminders", "bulk", dispatch.drain, dispatch.oldest),
    queue.Lane("followups", "bulk", followups.drain, followups.oldest),
    queue.Lane("replanning", "bulk", replanning.drain, replanning.oldest),
    queue.Lane("imports", "bulk", runs.drain, runs.oldest),
    queue.Lane("handoffs", "urgent", handoff_steps.drain, handoff_steps.oldest),
    queue.Lane("handoffs_untold", "urgent", handoff_untold.drain, handoff_untold.oldest),
    queue.Lane("handoffs_set_back", "urgent", handoff_set_back.drain, handoff_set_back.oldest),
]
