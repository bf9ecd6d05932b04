"""The command line: `warmthread <noun> <verb>`.

Exit codes: 0 done, 1 failed, 2 usage or settings, 3 a check found problems, 4 refused for safety, 130 interrupted.
"""

import os
import sys

import click
from sqlalchemy.exc import SQLAlchemyError

from config.cli import checks, explain, people, service, sources, tables
from config.embedded.supervisor import NotReady
from config.embedded.valkey import ValkeyError
from config.keys import WrongKey
from config.settings import SettingsError

EPILOG = (
    "Exit codes: 0 done, 1 failed, 2 usage or settings, 3 a check found problems, 4 refused, 130 interrupted."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(package_name="warmthread")
def cli() -> None:
    """Secure two-way patient messaging and reminders."""


for command in (
    *(
        service.demo,
        service.serve,
        service.web,
        service.worker,
        service.ticker,
        service.database,
        service.wait_ready,
    ),
    *(people.clinic, people.staff, people.patients, people.appointments, sources.forms),
    *(
        checks.ledger,
        checks.audit,
        checks.keys,
        checks.consent,
        checks.doctor,
        checks.cadence,
        checks.templates,
    ),
    explain.explain,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line and end with one of the documented exit codes."""
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
        tables.say("These settings are wrong; nothing was started:")
        for problem in error.problems:
            tables.say(f"  - {problem}")
        sys.exit(2)
    except BrokenPipeError:
        # Whoever read us has gone (`| head`). Nothing more can be said to them, at the interpreter's end neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (SQLAlchemyError, NotReady, ValkeyError, WrongKey, OSError) as error:
        tables.say(f"Error: {_in_words(error)}")
        sys.exit(1)


def _in_words(error: Exception) -> str:
    """Say what an operator can act on; a database's own message may carry what was to be stored."""
    if isinstance(error, SQLAlchemyError):
        return (
            f"the database does not answer as it should ({type(error).__name__}). Is DATABASE_URL right, and is it "
            "at the newest migration (warmthread db check)?"
        )
    return str(error)
