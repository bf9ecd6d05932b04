"""The one history of the database, the same for SQLite and PostgreSQL."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from config import db


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def upgrade() -> None:
    """Bring the database to head."""
    command.upgrade(_config(), "head")


def heads() -> tuple[str, ...]:
    """Return the newest revisions; more than one is a mistake."""
    return tuple(ScriptDirectory.from_config(_config()).get_heads())


def current() -> str | None:
    """Return the revision the database is at, None for an empty one."""
    with db.engine().connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def at_head() -> bool:
    """Whether the database is at the newest revision."""
    return heads() == (current(),)
