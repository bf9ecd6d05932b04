"""Every operation of this door, in the order of the documentation."""

from api import (
    appointments,
    consents,
    episodes,
    event_webhooks,
    events,
    handoffs,
    inbox_items,
    intake_links,
    messages,
    patients,
    referrals,
    reports,
    screens,
    tasks,
)
from api.operations import Operation

ALL: tuple[Operation, ...] = (
    *appointments.OPERATIONS,
    *patients.OPERATIONS,
    *handoffs.OPERATIONS,
    *referrals.OPERATIONS,
    *intake_links.OPERATIONS,
    *messages.OPERATIONS,
    *screens.OPERATIONS,
    *inbox_items.OPERATIONS,
    *tasks.OPERATIONS,
    *episodes.OPERATIONS,
    *consents.OPERATIONS,
    *events.OPERATIONS,
    *reports.OPERATIONS,
    *event_webhooks.OPERATIONS,
)
