"""How often a write is tried again, and when it is given up (pure).

What keeps an EHR from answering is the EHR's, and all of what it is owed waits as long as that takes. A write is at
fault itself where the EHR has taken others meanwhile, for a day; then a person looks at it.
"""

from datetime import datetime, timedelta

WINDOW = timedelta(days=1)
FIRST, LONGEST = timedelta(seconds=10), timedelta(hours=1)
# An EHR that takes no more of these today is asked again in a while.
LIMITED = timedelta(hours=6)

# What waits for longer may have been sent by whom a restored backup knows nothing of.
FRESH = timedelta(minutes=10)


def may_be_there(begun_at: datetime | None, created_at: datetime, now: datetime) -> bool:
    """Whether something of a write may stand at the EHR without our knowing: it was begun, or is no longer fresh."""
    return begun_at is not None or now - created_at >= FRESH


def next_try(attempts: int, now: datetime) -> datetime:
    """Return when a write is tried again whose outcome is not known, after this many tries: others go first."""
    return now + min(FIRST * (1 << min(max(attempts, 1) - 1, 20)), LONGEST)


def is_given_up(first_tried: datetime, taken_since: datetime | None, now: datetime) -> bool:
    """Whether a write in vain since `first_tried` is given up; `taken_since` is when the EHR last took another."""
    return now - first_tried >= WINDOW and taken_since is not None and taken_since > first_tried
