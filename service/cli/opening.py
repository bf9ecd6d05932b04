"""How a command begins that works on the data: with settings, and with a database to work on."""

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
