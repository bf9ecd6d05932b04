"""What a closed month was, against what it would be now: recomputed and flagged, never changed in silence. Pure."""

from collections.abc import Mapping
from typing import Any

from messaging.reasons import Reason


def changed_after_export(exported: Mapping[str, Any], now: Mapping[str, Any]) -> Reason | None:
    """Return that a month's evidence (`evidence.evidence`) has changed since it was exported, or None.

    What was exported stays what it was: both are kept, and a person decides. A change of the time that counts, of what
    is proposed or of the table is one; the notes are not.
    """
    if _what_counts(exported) == _what_counts(now):
        return None
    return Reason("changed_after_export", {"was": exported["minutes"], "now": now["minutes"]})


def _what_counts(month: Mapping[str, Any]) -> tuple[Any, ...]:
    seconds = sum(line["counted_seconds"] for line in month["log"])
    return seconds, month["codes"], month["choices"], month["version"]
