"""Telling a dead man's switch outside that a check came through: it rings when nothing is said, whatever has broken."""

from sqlalchemy import select

from config import clock, db, logging, runtime
from messaging.event_webhooks import posting
from service.self_check.models import SelfCheck


def ping() -> str | None:
    """Post nothing to the address in the settings; return why it was not taken, None if it was or there is none."""
    settings = runtime.settings()
    if settings.self_check_url is None:
        return None
    # The guard of the webhooks judges this address too: nothing inside a network is ever reached.
    way = posting.Way(loopback=settings.webhooks_to_loopback)
    answer = posting.post(settings.self_check_url.get_secret_value(), {}, b"", way)
    fault = None if answer.taken else (answer.error or str(answer.status))[:40]
    if fault:
        logging.logger().warning("the self-check's ping was not taken", fault=fault)
    with db.unit_of_work(db.EVERY) as session:
        for check in session.scalars(select(SelfCheck)):
            check.ping_error = fault
            check.pinged_at = check.pinged_at if fault else clock.now()
    return fault
