"""Names a browser by what it says of itself, for whoever is to tell theirs from a stranger's. Pure; proves nothing."""

# The first that stands there: most browsers also name those before them.
PROGRAMS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)


def name(user_agent: str | None) -> str | None:
    """Return program and system with a stroke between, such as Firefox/Windows, or None where neither is known."""
    agent = user_agent or ""
    program = next((name for mark, name in PROGRAMS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return f"{program}/{system}" if program or system else None
