"""What a key may: one word for reading and one for writing each resource; whatever is not among them is refused."""

# In the order of the documentation. Nobody writes screens but patients and staff, care is begun by named people on its
# page, and nobody writes events.
ALL = (
    "appointments.read",
    "appointments.write",
    "patients.read",
    "patients.write",
    "handoffs.read",
    "handoffs.write",
    "referrals.read",
    "intake-links.read",
    "intake-links.write",
    "messages.read",
    "messages.write",
    "screens.read",
    "inbox.read",
    "inbox.write",
    "tasks.read",
    "tasks.write",
    "episodes.read",
    "consents.read",
    "consents.write",
    "events.read",
    "event-webhooks.read",
    "event-webhooks.write",
    "event-webhooks.manage",
    "reports.read",
)
# Who may work on items, and so be the person in whose name a program does (web.permissions: inbox.work).
ROLES = ("care_manager", "clinician")
