"""A second administrator who agrees to what an administrator has asked for somebody's access."""

from typing import Any

from sqlalchemy import select

from config import db
from messaging.models import Staff
from web.models import AccessRequest

REQUESTS = "/settings/people/requests"
SECOND = "second@clinic.example"


def waits(house: Any) -> list[AccessRequest]:
    """Every request that has not ended."""
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return list(session.scalars(select(AccessRequest).where(AccessRequest.outcome.is_(None))))


def second(house: Any) -> Staff:
    """Whoever agrees: settled, as an operator has brought them in."""
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        there = session.scalar(select(Staff).where(Staff.email == SECOND))
    return there or house.staff("Ann Ito", role="clinic_admin", email=SECOND)  # type: ignore[no-any-return]


def agreed(house: Any, asked: Any) -> Any:
    """The answer to a second person's yes, where an act waits for one; else the answer to the act itself."""
    if asked.status_code != 303 or "#requests" not in asked.location:
        return asked
    browser, (row,) = house.signed_in(second(house)), waits(house)
    return browser.post(f"{REQUESTS}/{row.id}/agree")
