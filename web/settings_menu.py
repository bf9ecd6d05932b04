"""The settings of a clinic as one short list: its pages in groups, each for those who may open it."""

from web import permissions, words

# Per group: each page as `here` and the words know it, its endpoint, and the act it takes.
GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "clinic",
        (
            ("setup", "setup.show", "clinic.look"),
            ("clinic", "clinics.show", "clinic.look"),
            ("people", "colleagues.show", "clinic.look"),
            ("single_sign_on", "single_sign_on.show", "clinic.look"),
            ("api_keys", "api_keys.show", "clinic.settings"),
            ("webhooks", "webhook_list.show", "clinic.settings"),
        ),
    ),
    (
        "patients",
        (
            ("cadence", "cadences.show", "clinic.look"),
            ("words", "wordings.show", "clinic.look"),
            ("schedule", "questionnaires.show", "clinic.look"),
            ("social_wording", "social_wordings.show", "clinic.look"),
            ("views_terms", "views_terms.show", "clinic.look"),
            ("brakes", "brake_pages.show", "clinic.look"),
        ),
    ),
    (
        "reached",
        (
            ("ladder", "settings.show", "inbox.read"),
            ("protocol", "protocols.show", "clinic.look"),
            ("second_reading", "second_reading.show", "inbox.read"),
            ("readings", "readings.show", "inbox.read"),
            ("rota", "rota.show", "clinic.look"),
            ("handoff_terms", "handoff_terms.show", "clinic.look"),
            ("care_terms", "care_terms.show", "clinic.look"),
            ("clocks", "clocks.show", "inbox.read"),
        ),
    ),
    (
        "records",
        (
            ("drift", "consents.drifts", "consent.read"),
            ("import", "importing.show", "files.import"),
            ("feeds", "ehr_feeds.show", "clinic.settings"),
            ("shredding", "shredding_pages.show", "clinic.settings"),
            ("emergencies", "emergencies.show", "emergency.read"),
            ("audit", "audits.show", "audit.read"),
            ("file", "files.show", "clinic.look"),
        ),
    ),
)
Group = tuple[str, list[tuple[str, str, str]]]


def open_to(role: str) -> list[Group]:
    """Return the groups that `role` may open something of, each page as its mark, its endpoint and its name."""
    groups = [
        (
            words.say("settings_groups", group),
            [
                (mark, endpoint, words.say("settings_pages", mark))
                for mark, endpoint, act in pages
                if permissions.may(role, act)
            ],
        )
        for group, pages in GROUPS
    ]
    return [(name, pages) for name, pages in groups if pages]
