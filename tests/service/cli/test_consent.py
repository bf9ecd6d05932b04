"""`warmthread consent drift`: silent and 0 while ledger and carrier agree, exit 3 with the phones while they do not."""

import json

import pytest
from click.testing import CliRunner, Result

from config import db
from messaging import conversations
from messaging.consent import asking, ledger
from service.cli import consent as command
from service.cli import opening

NUMBER = "+13035550117"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opening, "begin", lambda: None)

    def run(*options: str) -> Result:
        return CliRunner().invoke(command.consent, ["drift", *options])

    return run


def test_no_drift_is_said_and_ends_well(run, clinic):
    answer = run()
    assert answer.exit_code == 0
    assert "No mismatch" in answer.stderr
    assert json.loads(run("--json").stdout) == []


def test_drift_is_listed_without_a_number_and_ends_with_three(run, clinic):
    with db.unit_of_work(clinic.id) as session:
        conversations.of_number(session, clinic, NUMBER)
        stop = asking.present("text", "revoked_keyword")
        ledger.record(session, clinic, NUMBER, "revoked", source="text", actor="x", wording=stop)
    with db.unit_of_work(clinic.id) as session:
        ledger.record(session, clinic, NUMBER, "granted", source="spoken", actor="staff:x")
    answer = run("--json")
    assert answer.exit_code == 3
    [row] = json.loads(answer.stdout)
    assert (row["kind"], row["programmes"]) == ("blocked", "reminders screening care_team")
    assert NUMBER not in answer.stdout + run().output
