"""How the self-check stands: what /readyz, /metrics and the doctor say of it."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.self_check.checking import EVERY, WITHIN
from service.self_check.models import SelfCheck

# One may fail for a moment's trouble that has passed; two in a row are no chance.
OLDEST_SEEN = 2 * EVERY + WITHIN


def age(session: Session, now: datetime) -> float | None:
    """Return for how many seconds none has come through (at first: since it was set up); None where none is set up."""
    since = session.scalar(select(func.min(func.coalesce(SelfCheck.seen_at, SelfCheck.created_at))))
    return max((now - since).total_seconds(), 0.0) if since else None


def problems(session: Session, now: datetime) -> list[str]:
    """Return a sentence for what is wrong with it."""
    seconds = age(session, now)
    if seconds is None:
        return []
    found = []
    if seconds > OLDEST_SEEN.total_seconds():
        found.append(f"no self-check has come through for {int(seconds)} seconds: would an alert leave?")
    for shut, ping in session.execute(select(SelfCheck.door_error, SelfCheck.ping_error)):
        found += [f"the web server did not take the self-check's answer: {shut}"] if shut else []
        found += [f"the self-check's ping was not taken: {ping}"] if ping else []
    return found
