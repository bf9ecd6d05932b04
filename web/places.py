"""The settings of a clinic as one short list: its pages in groups, each for those who may open it."""

from web import permissions

# Per group: the page as `here` knows it, its endpoint, its name, and the act it takes.
GROUPS: tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...] = (
    (
        "The clinic",
        (
            ("setup", "setup.show", "Setting up", "clinic.look"),
            ("clinic", "clinics.show", "Name and sites", "clinic.look"),
            ("people", "colleagues.show", "People", "clinic.look"),
        ),
    ),
    (
        "What patients get",
        (
            ("cadence", "cadences.show", "Reminders", "clinic.look"),
            ("words", "wordings.show", "Words", "clinic.look"),
            ("schedule", "questionnaires.show", "Questionnaires", "clinic.look"),
        ),
    ),
    (
        "Who is reached",
        (
            ("ladder", "settings.show", "Routing and ladder", "inbox.read"),
            ("rota", "rota.show", "Rota", "clinic.look"),
            ("clocks", "clocks.show", "Response times", "inbox.read"),
        ),
    ),
    (
        "Records",
        (
            ("drift", "consents.drifts", "Consent and carrier", "consent.read"),
            ("import", "importing.show", "Import", "patients.import"),
            ("file", "files.show", "One file", "clinic.look"),
        ),
    ),
)
Group = tuple[str, list[tuple[str, str, str]]]


def open_to(role: str) -> list[Group]:
    """Return the groups that `role` may open something of, each page as its mark, its endpoint and its name."""
    groups = [
        (name, [page[:3] for page in pages if permissions.may(role, page[3])]) for name, pages in GROUPS
    ]
    return [(name, pages) for name, pages in groups if pages]
