"""How a command begins that works on the data: with settings, a database to work on, and whoever runs it."""

import getpass

from config import audit
from config.settings import Settings
from service import migrations, start


def begin() -> Settings:
    """Load the settings and, in a fresh data directory, make the embedded database.

    So a script may set a clinic up before anything serves. A database that is there is left at the revision it has:
    moving it is `warmthread db upgrade`, or the start of `serve`.
    """
    settings = start.begin("cli")
    if settings.embedded_database and migrations.current() is None:
        migrations.upgrade()
    return settings


def operator() -> str:
    """Return the actor under which the log keeps what a command does: the user of this machine who runs it."""
    try:
        return audit.Actor.operator(getpass.getuser())
    except (OSError, KeyError):  # a container may run as a number without a name
        return audit.Actor.operator("unnamed")
