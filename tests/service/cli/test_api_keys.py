"""Keys of a clinic's programs, from a terminal."""

import json

import pytest
from click.testing import CliRunner

from messaging.programs import keys
from service.cli import api_keys, opening


@pytest.fixture(autouse=True)
def _begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "begin", lambda: None)


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(api_keys.api_keys, list(arguments))
    assert result.exit_code == code, result.output
    return result.output.strip().splitlines()[-1] if code == 0 and result.output.strip() else result.output


def test_a_key_is_made_listed_and_revoked(clinic, new_staff):
    rosa = new_staff("Rosa", email="rosa@clinic.example")
    arguments = ("--name", "Kiosk", "--scope", "patients.read", "--scope", "inbox.write", "--acts-as", rosa.email)
    (row,) = json.loads(run("create", *arguments, "--json"))
    assert keys.program_of(row["key"]) is not None
    (listed,) = json.loads(run("list", "--json"))
    assert (listed["state"], listed["scopes"], listed["acts_as"]) == ("open", "patients.read inbox.write", str(rosa.id))
    assert "key" not in listed
    run("create", *arguments)
    run("revoke", "Kiosk", code=1)
    run("revoke", row["id"])
    assert [each["state"] for each in json.loads(run("list", "--json"))] == ["open", "revoked"]
    assert keys.program_of(row["key"]) is None


def test_the_key_stands_on_a_line_of_its_own(clinic):
    shown = run("create", "--name", "Kiosk", "--scope", "patients.read")
    assert keys.program_of(shown) is not None


@pytest.mark.parametrize(
    "wrong",
    [("--scope", "x"), ("--scope", "patients.read", "--days", "0"), ("--scope", "patients.read", "--acts-as", "a@b")],
)
def test_what_is_no_key_ends_with_how_it_is_used(clinic, wrong):
    assert wrong[-2] in run("create", "--name", "Kiosk", *wrong, code=2)


def test_a_key_is_revoked_by_its_name(clinic):
    token = run("create", "--name", "Kiosk", "--scope", "patients.read")
    run("revoke", "Kiosk")
    assert keys.program_of(token) is None


def test_a_key_of_nobody_is_not_revoked(clinic):
    run("revoke", "01900000-0000-7000-8000-000000000000", code=1)
