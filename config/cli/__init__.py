"""The command line: `warmthread <noun> <verb>`.

Exit codes: 0 done, 1 failed, 2 usage or settings, 3 a check found problems, 4 refused for safety, 130 interrupted.
"""

import sys

import click

from config.cli import checks, explain, people, service, tables
from config.keys import BadMasterKeys
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
    *(people.clinic, people.staff, people.patients, people.appointments, people.forms),
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
    except BadMasterKeys as error:
        tables.say(f"WARMTHREAD_MASTER_KEYS: {error}")
        sys.exit(2)
