"""`warmthread explain` as somebody at a terminal has it: lines in, lines out, by the real command."""

import json
from typing import Any

from click.testing import CliRunner

from service.cli import cli


def explained(what: str, *records: object) -> list[Any]:
    """The answers of `warmthread explain WHAT`, one for each record."""
    lines = "".join(json.dumps(record) + "\n" for record in records)
    ended = CliRunner().invoke(cli, ["explain", what], input=lines, catch_exceptions=False)
    assert ended.exit_code == 0
    return [json.loads(line) for line in ended.stdout.splitlines()]
