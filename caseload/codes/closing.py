"""What a closed month was, against what it would be now: recomputed and flagged, never changed in silence. Pure."""

from caseload.codes.reckoning import Reckoning
from messaging.reasons import Reason


def changed_after_export(exported: Reckoning, now: Reckoning) -> Reason | None:
    """Return that a month has changed since it was exported, or None. The exported one stays what it was: both are
    kept, and a person decides. A change of the time that counts or of what is proposed is one; the notes are not."""
    before, after = ((each.count.counted, each.proposal, each.version) for each in (exported, now))
    if before == after:
        return None
    return Reason("changed_after_export", {"was": exported.count.minutes, "now": now.count.minutes})
