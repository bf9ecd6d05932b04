"""The lanes of this room: due reminders, unanswered links, visits to plan again,
files being imported, open handoffs."""

from functools import partial

from config import db, queue
from reminders import handoff_steps, replanning
from reminders.imports import runs
from reminders.models import Handoff
from reminders.sending import dispatch, followups

# A step is due so and so long after the handoff was asked for, whatever the clock said then.
_COUNTED = Handoff, handoff_steps.DUE, None

LANES = [
    queue.Lane("reminders", "bulk", dispatch.drain, dispatch.oldest),
    queue.Lane("followups", "bulk", followups.drain, followups.oldest),
    queue.Lane("replanning", "bulk", replanning.drain, replanning.oldest),
    queue.Lane("imports", "bulk", runs.drain, runs.oldest),
    queue.Lane("handoffs", "urgent", handoff_steps.drain, handoff_steps.oldest),
    queue.Lane("handoffs_set_back", "urgent", partial(db.bring_back, *_COUNTED), partial(db.oldest_ahead, *_COUNTED)),
]
