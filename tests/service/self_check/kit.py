"""What the tests of the self-check share: setting it up, looking at it, and its command."""

from click.testing import CliRunner
from sqlalchemy import select

from config import db
from service.cli import self_check as command
from service.self_check import made_up
from service.self_check.models import SelfCheck

# The lanes that a check goes through once it has begun.
WAY = ("timers", "deliver_urgent", "self_check")


def set_up(**named) -> None:
    with db.unit_of_work(db.EVERY) as session:
        made_up.set_up(session, actor="operator:tests", **({"test_number": None, "sender": None} | named))


def check() -> SelfCheck:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.scalars(select(SelfCheck)).one()


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(command.self_check, list(arguments))
    assert result.exit_code == code, result.output
    return result.output
