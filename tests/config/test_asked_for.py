"""Settings whose value a command is asked for, such as one that asks a vault."""

import sys
from pathlib import Path

import pytest

from config import asked_for, settings
from tests.config.test_settings import GOOD

TOKEN = "a token that the vault has kept"


def vault(tmp_path: Path, code: str) -> str:
    """A command that does this."""
    program = tmp_path / "vault"
    program.write_text(f"#!{sys.executable}\n{code}\n")
    program.chmod(0o700)
    return f"'{program}' kv get 'secret/of the clinic'"


def said(command: str, **more: str) -> list[str]:
    """What is wrong where the token is asked for by this command."""
    environ = {name: value for name, value in GOOD.items() if name != "TWILIO_AUTH_TOKEN"}
    with pytest.raises(settings.SettingsError) as wrong:
        settings.load(environ | {"TWILIO_AUTH_TOKEN_COMMAND": command} | more)
    return wrong.value.problems


def test_a_secret_may_come_from_a_command_that_asks_a_vault(tmp_path: Path) -> None:
    environ = {name: value for name, value in GOOD.items() if name != "TWILIO_AUTH_TOKEN"}
    command = vault(
        tmp_path, f"import sys; print({TOKEN!r} if sys.argv[1:] == ['kv', 'get', 'secret/of the clinic'] else '')"
    )
    loaded = settings.load(environ | {"TWILIO_AUTH_TOKEN_COMMAND": command})
    assert loaded.twilio_auth_token.get_secret_value() == TOKEN


def test_what_goes_wrong_is_said_without_a_word_of_what_the_command_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked_for, "SECONDS", 0.5)
    name = "TWILIO_AUTH_TOKEN_COMMAND"
    for code, sentence in {
        f"print({TOKEN!r}); raise SystemExit(3)": f"{name} ended with 3 and no value that could be used",
        "pass": f"{name} ended with 0 and no value that could be used",
        "print('x' * 200_000)": f"{name} ended with 0 and no value that could be used",
        "import time; time.sleep(60)": f"{name} has not answered for 0 seconds",
    }.items():
        problems = said(vault(tmp_path, code))
        assert sentence in problems
        assert TOKEN not in str(problems)
    assert f"{name} cannot be asked (FileNotFoundError)" in said("/nowhere/at/all")
    assert f"{name} cannot be asked (ValueError)" in said("'a quote that is not closed")


def test_a_value_comes_in_one_way_and_settings_that_end_like_it_are_what_they_are(tmp_path: Path) -> None:
    assert said("/bin/true", TWILIO_AUTH_TOKEN="here too") == [
        "TWILIO_AUTH_TOKEN and TWILIO_AUTH_TOKEN_COMMAND are both set: keep one"
    ]
    loaded = settings.load(
        GOOD | {"WARMTHREAD_SCAN_COMMAND": "clamdscan -", "WARMTHREAD_AUDIT_HEADS_FILE": str(tmp_path / "heads")}
    )
    assert (loaded.scan_command, loaded.audit_heads_file) == ("clamdscan -", tmp_path / "heads")
    assert [
        settings.named_by(name) for name in ("TWILIO_AUTH_TOKEN_COMMAND", "PORT_FILE", "WARMTHREAD_SCAN_COMMAND")
    ] == [
        "TWILIO_AUTH_TOKEN",
        "PORT",
        "WARMTHREAD_SCAN_COMMAND",
    ]
