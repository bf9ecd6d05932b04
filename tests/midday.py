"""Somewhere it is always the middle of a day: for tests whose clinic still has hours left today."""

from datetime import datetime
from zoneinfo import ZoneInfo

ZONES = (
    "America/Denver", "America/New_York", "America/Los_Angeles", "America/Puerto_Rico", "Pacific/Honolulu",
    "Pacific/Pago_Pago", "Pacific/Auckland", "Pacific/Guadalcanal", "Australia/Brisbane", "Asia/Tokyo", "Asia/Manila",
    "Asia/Bangkok", "Asia/Dhaka", "Asia/Karachi", "Asia/Dubai", "Africa/Nairobi", "Africa/Johannesburg",
    "Africa/Lagos", "Africa/Abidjan", "Atlantic/Azores", "Atlantic/South_Georgia",
)  # fmt: skip


def zone(now: datetime) -> str:
    """Return the zone in which it is nearest to noon, the first of several."""

    def from_noon(name: str) -> float:
        local = now.astimezone(ZoneInfo(name))
        return abs(local.hour + local.minute / 60 - 12)

    fitting = [name for name in ZONES if from_noon(name) <= 3]
    return fitting[0] if fitting else min(ZONES, key=from_noon)
