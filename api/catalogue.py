"""Every operation of this door, in the order of the documentation."""

from api import (
    appointments,
    consents,
    events,
    handoffs,
    inbox_items,
    intake_links,
    messages,
    patients,
    reports,
    screens,
)
from api.operations import Operation

ALL: tuple[Operation, ...] = (
    *appointments.OPERATIONS,
    *patients.OPERATIONS,
    *handoffs.OPERATIONS,
    *intake_links.OPERATIONS,
    *messages.OPERATIONS,
    *screens.OPERATIONS,
    *inbox_items.OPERATIONS,
    *consents.OPERATIONS,
    *events.OPERATIONS,
    *reports.OPERATIONS,
)
