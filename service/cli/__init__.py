"""The command line: `warmthread <noun> <verb>`.

Exit codes: 0 done, 1 failed, 2 usage or settings, 3 a check found problems, 4 refused for safety, 130 interrupted.
"""

import importlib
import os
import sys

import click

from config.settings import SettingsError
from service import hardening

EPILOG = "Exit codes: 0 done, 1 failed, 2 usage or settings, 3 a check found problems, 4 refused, 130 interrupted."
# Command by command, the module it stands in: only that one is imported, so that `explain` never waits for a database.
COMMANDS = {
    "demo": "service",
    "serve": "serve",
    "prepare": "service",
    "web": "service",
    "worker": "service",
    "ticker": "service",
    "mllp": "service",
    "db": "service",
    "wait-ready": "service",
    "clinic": "clinics",
    "staff": "people",
    "patients": "records",
    "appointments": "visits",
    "caseload": "registry",
    "forms": "sources",
    "feeds": "sources",
    "api-keys": "api_keys",
    "webhooks": "webhooks",
    "ledger": "checks",
    "audit": "checks",
    "keys": "keys",
    "consent": "consent",
    "brakes": "brakes",
    "doctor": "checks",
    "self-check": "self_check",
    "backup": "backups",
    "cadence": "cadences",
    "ladder": "ladder",
    "templates": "templates",
    "explain": "explain",
    "reading": "reading",
}
ATTRIBUTES = {"db": "database", "wait-ready": "wait_ready", "api-keys": "api_keys", "self-check": "self_check"}


class Commands(click.Group):
    """The commands, each imported when it is named."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names in the order of a day with Warmthread."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import and return the command, None if there is none of that name."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"service.cli.{COMMANDS[name]}")
        command: click.Command = getattr(module, ATTRIBUTES.get(name, name))
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(package_name="warmthread")
def cli() -> None:
    """Secure two-way patient messaging and reminders."""


def main() -> None:
    """Run the command line and end with one of the documented exit codes."""
    hardening.harden()
    try:
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except SettingsError as error:
        click.echo("These settings are wrong; nothing was started:", err=True)
        for problem in error.problems:
            click.echo(f"  - {problem}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        # Whoever read us has gone (`| head`). Nothing more can be said to them, at the interpreter's end neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        words = _in_words(error)
        if words is None:
            raise
        click.echo(f"Error: {words}", err=True)
        sys.exit(1)


def _in_words(error: Exception) -> str | None:
    """Say what an operator can act on; None for what only a programmer can. A database's message may carry a secret."""
    from sqlalchemy.exc import SQLAlchemyError

    from config.keys import WrongKey
    from service.embedded.supervisor import NotReady
    from service.embedded.valkey import ValkeyError

    if isinstance(error, SQLAlchemyError):
        return (
            f"the database does not answer as it should ({type(error).__name__}). Is DATABASE_URL right, and is it "
            "at the newest migration (warmthread db check)?"
        )
    return str(error) if isinstance(error, NotReady | ValkeyError | WrongKey | OSError) else None
