"""Commands about the caseload: a registry that was kept in a spreadsheet becomes episodes."""

import click

from caseload import registry_import
from service.cli import visits


@click.group()
def caseload() -> None:
    """The registry: import from CSV."""


visits.import_command(
    caseload,
    registry_import.NAME,
    "Import a registry: a row an episode of somebody who is on file. Importing twice changes nothing; a wrong row stops"
    " no other. Exit 3 if rows were not taken.",
)
