"""Every lane of the service, each listed by its room."""

from api import jobs as api
from caseload import jobs as caseload
from config import audit, audit_heads, queue
from intake_links import jobs as intake_links
from interchange import jobs as interchange
from messaging import jobs as messaging
from records.writing import jobs as writing
from reminders import jobs as reminders
from service.self_check import jobs as self_check
from webhooks import jobs as webhooks

ALL: tuple[queue.Lane, ...] = (
    *audit.LANES,
    *audit_heads.LANES,
    *messaging.LANES,
    *intake_links.LANES,
    *reminders.LANES,
    *caseload.LANES,
    *interchange.LANES,
    *writing.LANES,
    *webhooks.LANES,
    *api.LANES,
    *self_check.LANES,
)
