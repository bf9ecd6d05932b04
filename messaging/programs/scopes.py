"""What a key may: one word for reading and one for writing each resource; whatever is not among them is refused."""

# In the order of the documentation. Nobody writes screens but patients and staff, and nobody events.
ALL = (
    "appointments.read",
    "appointments.write",
    "patients.read",
    "patients.write",
    "handoffs.read",
    "handoffs.write",
    "intake-links.read",
    "intake-links.write",
    "messages.read",
    "messages.write",
    "screens.read",
    "inbox.read",
    "inbox.write",
    "consents.read",
    "consents.write",
    "events.read",
    "reports.read",
)
# Who may work on items, and so be the person in whose name a program does (web.permissions: inbox.work).
ROLES = ("care_manager", "clinician")
