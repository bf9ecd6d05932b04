"""The one history of the database, the same for SQLite and PostgreSQL."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from config import db

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported where it is used: every command line and process imports this module, few of them migrate.


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def upgrade() -> None:
    """Bring the database to head."""
    from alembic import command

    command.upgrade(_config(), "head")


def heads() -> tuple[str, ...]:
    """Return the newest revisions; more than one is a mistake."""
    from alembic.script import ScriptDirectory

    return tuple(ScriptDirectory.from_config(_config()).get_heads())


def known() -> set[str]:
    """Return every revision of this program's history."""
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def current() -> str | None:
    """Return the revision the database is at, None for an empty one. Every command asks: no Alembic for that."""
    with db.engine().connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def at_head() -> bool:
    """Whether the database is at the newest revision."""
    return heads() == (current(),)
