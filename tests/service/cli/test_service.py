"""What the commands say when they cannot work: sentences and an exit code, never a traceback."""

import os
import re
import socket
import subprocess

import pytest

from tests.commands import completed

TOKEN = "a token of the tests"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    env = {
        "PATH": os.environ["PATH"],
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN_FILE": str(tmp_path / "token"),
        "WARMTHREAD_PUBLIC_URL": "https://clinic.example",
        "WARMTHREAD_DATA_DIR": str(tmp_path / "data"),
    }

    def command(*words: str, **overrides: str) -> subprocess.CompletedProcess[str]:
        return completed(words, env | overrides)

    return command


def test_a_clinic_can_be_set_up_before_anything_serves(run):
    made = run("clinic", "create", "--name", "Elm", "--zone", "America/Denver", "--number", "+13035550100", "--json")
    assert made.returncode == 0, made.stderr
    assert '"Elm"' in run("clinic", "list", "--json").stdout


def test_a_taken_port_is_said(run):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ended = run("serve", PORT=str(other.getsockname()[1]))
    assert ended.returncode == 1
    assert "is taken" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_database_that_is_not_ready_is_said_in_words(run, tmp_path):
    address = f"sqlite:///{tmp_path / 'nowhere' / 'no.sqlite3'}"
    ended = run("ledger", DATABASE_URL=address)
    assert ended.returncode == 1
    assert "DATABASE_URL" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("options", [("--name", " ", "--email", "a@b"), ("--name", "A", "--email", "ab")])
def test_nobody_is_invited_without_a_name_and_an_address(run, options):
    run("clinic", "create", "--name", "Elm", "--zone", "America/Denver", "--number", "+13035550100")
    assert run("staff", "invite", *options).returncode == 2


@pytest.mark.parametrize("columns", ["20", "80", "400"])
def test_the_link_of_an_invitation_is_never_cut(run, columns):
    run("clinic", "create", "--name", "Elm", "--zone", "America/Denver", "--number", "+13035550100")
    ended = run("staff", "invite", "--name", "Rosa Delgado", "--email", "rosa@elm.example", COLUMNS=columns)
    assert re.fullmatch(r"http\S+/signin/[\w-]{20,}", ended.stdout.splitlines()[-1])


def test_wrong_master_keys_are_named_with_the_other_mistakes(run):
    ended = run("ticker", WARMTHREAD_MASTER_KEYS="k1:short", PORT="0")
    assert ended.returncode == 2
    assert "WARMTHREAD_MASTER_KEYS" in ended.stderr
    assert "PORT" in ended.stderr
