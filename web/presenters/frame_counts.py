"""The numbers that stand around every staff page, by one statement: each page pays for them."""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from messaging.inbox import counting, role_inboxes, unassigned, views
from messaging.models import Clinic, Staff
from messaging.team import tasks
from reminders import handoffs
from reminders.models import Handoff

# What the inbox's readers see besides its views; colleagues' tasks and notes stand there, and by themselves elsewhere.
INBOX = {"unowned": unassigned.unowned, "at_the_end": unassigned.at_the_end, "safety": counting.unseen_safety}
ELSEWHERE = {"asked": tasks.waiting}


def read(session: Session, clinic: Clinic, staff: Staff, *, inbox: bool, desk: bool, handoffs: bool) -> dict[str, int]:
    """Return the numbers by name, for who reads the inbox, the front desk's and handoffs."""
    also: dict[str, counting.Counting] = {"ended": tasks.unseen_ends}
    also |= INBOX if inbox else ELSEWHERE
    also |= {"desk": role_inboxes.waiting} if desk else {}
    also |= {"handoffs": _handoffs} if handoffs else {}
    return counting.counts(session, clinic, staff, (*views.VIEWS, "came") if inbox else (), also)


def _handoffs(scope: counting.Scope) -> ColumnElement[int]:
    under_way = Handoff.clinic_id == scope.clinic, Handoff.state.in_(handoffs.NOW)
    return select(func.count()).where(*under_way).scalar_subquery()
