"""Settings from a file: what people write in an .env, and what the environment says all the same."""

from pathlib import Path

import pytest

from config import env_file, settings
from service import child_settings

GOOD = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "canary-token-77",
    "WARMTHREAD_PUBLIC_URL": "https://clinic.example",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nothing in it, in which the process was started with no setting in its environment."""
    for name in (*settings.names(), settings.ENV_FILE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, **values: str) -> Path:
    file = folder / ".env"
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return file


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=plain", "plain"),
        ("export NAME = spaced out ", "spaced out"),
        ("NAME='# not a comment'", "# not a comment"),
        ('NAME="quoted" # a comment', "quoted"),
        ("NAME=a#b # a comment", "a#b"),
        ("NAME=# only a comment", ""),
        ("NAME=$HOME/`id`", "$HOME/`id`"),
        ("NAME=a=b=c", "a=b=c"),
        ("NAME=", ""),
        ("\ufeffNAME=marked", "marked"),
        ("NAME=first\nNAME=last", "last"),
    ],
)
def test_a_line_is_read_as_people_write_it(tmp_path: Path, line: str, value: str) -> None:
    (tmp_path / ".env").write_text(f"# a comment\n\n{line}\n", "utf-8")
    with_mark = line.startswith("\ufeff")
    if with_mark:
        (tmp_path / ".env").write_text(f"{line}\n", "utf-8")
    assert env_file.read(tmp_path / ".env") == {"NAME": value}


def test_every_line_that_is_none_is_named_without_its_words(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nsecret words\n= x\n")
    with pytest.raises(env_file.BadFile) as bad:
        env_file.read(tmp_path / ".env")
    assert [problem.split("line ")[1] for problem in bad.value.problems] == [
        "2: expected NAME=value",
        "3: expected NAME=value",
    ]
    assert "secret" not in str(bad.value)


def test_the_file_beside_which_it_is_started_is_read(here: Path) -> None:
    write(here, **GOOD, PORT="8123", SOMEBODY_ELSES="1")
    assert settings.load().port == 8123


def test_the_environment_wins_over_the_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here, **GOOD, PORT="8123")
    (here / "token").write_text("from-the-file-8")
    monkeypatch.setenv("PORT", "8124")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN_FILE", str(here / "token"))
    loaded = settings.load()
    assert loaded.port == 8124
    assert loaded.twilio_auth_token.get_secret_value() == "from-the-file-8"


def test_mistakes_in_the_file_are_named_with_the_others(here: Path) -> None:
    write(here, **GOOD, PORT="99999", WARMTHREAD_COLOUR="red")
    with pytest.raises(settings.SettingsError) as refused:
        settings.load()
    assert {problem.split()[0] for problem in refused.value.problems} == {"PORT", "WARMTHREAD_COLOUR"}


def test_a_file_that_was_named_must_be_there_and_an_empty_name_means_none(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(here, **GOOD)
    monkeypatch.setenv(settings.ENV_FILE, "/nowhere/at/all")
    with pytest.raises(settings.SettingsError, match="/nowhere/at/all cannot be read"):
        settings.load()
    monkeypatch.setenv(settings.ENV_FILE, "")
    with pytest.raises(settings.SettingsError, match="TWILIO_AUTH_TOKEN is missing"):
        settings.load()


def test_without_a_file_nothing_changes(here: Path) -> None:
    with pytest.raises(settings.SettingsError, match="TWILIO_AUTH_TOKEN is missing"):
        settings.load()


def test_a_child_of_ours_reads_no_file(here: Path) -> None:
    """Else the demonstration would meet the operator's own database."""
    write(here, DATABASE_URL="postgresql://somewhere/real")
    env = child_settings.environment(settings.load(GOOD), "")
    assert env[settings.ENV_FILE] == ""
    assert "DATABASE_URL" not in env
