"""What a process of ours leaves behind: no file that others can read, no memory on a disk, no secret in a variable."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import db, handed_down, keys, settings
from service import child_settings, hardening, migrations, processes, start
from service.embedded import ports
from tests.waiting import until

ROOT = Path(__file__).parents[2]
TOKEN = "a token that nobody may see"
ASKED = """
import ctypes, os, resource
from service import hardening
hardening.harden()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)))
"""
GOOD = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": TOKEN,
    "WARMTHREAD_PUBLIC_URL": "https://clinic.example",
}


def test_a_process_writes_for_itself_alone_and_leaves_no_core():
    ended = subprocess.run([sys.executable, "-c", ASKED], cwd=ROOT, capture_output=True, text=True, check=True)
    dumpable = 0 if sys.platform.startswith("linux") else -1
    assert ended.stdout.split() == [str(dumpable), "(0,", "0)", "0o77"]


def test_every_command_begins_so():
    ended = subprocess.run(
        [sys.executable, "-m", "service.cli", "backup", "new-key", "/dev/null/x"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    line = "import service.cli, os; service.cli.cli.main = lambda **_: print(oct(os.umask(0))); service.cli.main()"
    said = subprocess.run([sys.executable, "-c", line], cwd=ROOT, capture_output=True, text=True)
    assert said.stdout.strip() == "0o77"


def test_a_data_directory_that_others_could_read_is_closed(tmp_path):
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    folder.mkdir(mode=0o755)
    elsewhere.mkdir(mode=0o755)
    database = folder / "warmthread.sqlite3"
    database.touch(mode=0o644)
    (folder / "link").symlink_to(elsewhere)
    hardening.close_to_others(folder)
    hardening.close_to_others(tmp_path / "nowhere")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, database, elsewhere)]
    assert modes == [0o700, 0o600, 0o755]


def test_what_is_handed_down_is_read_as_often_as_a_child_is_started():
    loaded = settings.load(GOOD | {"WARMTHREAD_MASTER_KEYS": keys.new_master_line("k1")})
    env, files = child_settings.handed_down(loaded, "redis://:secret@127.0.0.1/0")
    try:
        assert not files or not any(TOKEN in value or "secret" in value or "k1:" in value for value in env.values())
        for _ in range(2):
            child = settings.load(env)
            assert child.twilio_auth_token.get_secret_value() == TOKEN
            assert child.redis_url == "redis://:secret@127.0.0.1/0"
            assert child.master_keys == loaded.master_keys
    finally:
        for file in files:
            os.close(file)


def test_every_setting_that_is_a_secret_is_handed_down_or_kept_from_children():
    sealed = {
        str(field.alias) for field in settings.Settings.model_fields.values() if "SecretStr" in str(field.annotation)
    }
    assert sealed - set(child_settings.SECRET) == {"WARMTHREAD_BACKUP_KEYS"}
    loaded = settings.load(GOOD | {"WARMTHREAD_BACKUP_KEYS": keys.new_master_line("b1")})
    assert "WARMTHREAD_BACKUP_KEYS" not in child_settings.environment(loaded, "")


SECRETS = {
    "TWILIO_AUTH_TOKEN_SECONDARY": "the second token",
    "TWILIO_API_KEY": "SK" + "1" * 32,
    "TWILIO_API_KEY_SECRET": "the secret of the key",
    "WARMTHREAD_SMTP_URL": "smtps://us:mail-password@mail.example:465",
    "WARMTHREAD_MAIL_FROM": "warmthread@clinic.example",
    "WARMTHREAD_SELF_CHECK_URL": "https://switch.example/a-long-token",
    "WARMTHREAD_MASTER_KEYS": "k1:" + "q" * 42 + "E=",
}


@pytest.mark.parametrize(
    ("process", "without"),
    [
        ("web", {"the secret of the key", "mail-password", "a-long-token"}),
        ("mllp", {TOKEN, "the second token", "the secret of the key", "mail-password", "a-long-token"}),
        ("prepare", {TOKEN, "the second token", "the secret of the key", "mail-password", "a-long-token"}),
        ("worker.urgent", {TOKEN, "the second token"}),
        ("ticker", {TOKEN, "the second token"}),
    ],
)
def test_each_process_is_told_only_the_secrets_it_has_a_use_for(process: str, without: set[str]) -> None:
    every = {TOKEN, "the second token", "the secret of the key", "mail-password", "a-long-token", "q" * 42}
    loaded = settings.load(GOOD | SECRETS)
    told = child_settings.environment(child_settings.needed_by(process, loaded), "")
    assert {secret for secret in every if secret not in " ".join(told.values())} == without
    again = settings.load({name: value for name, value in told.items() if name in settings.names()})
    assert again.smtp_url is not None  # that there is mail decides what pages show
    assert again.public_url == loaded.public_url


def test_with_a_token_alone_workers_ask_the_carrier_by_it() -> None:
    told = child_settings.environment(child_settings.needed_by("worker.bulk", settings.load(GOOD)), "")
    assert told["TWILIO_AUTH_TOKEN"] == TOKEN


@pytest.mark.parametrize("number", ["x", "987654"])
def test_a_file_that_is_not_there_is_a_mistake_of_the_settings(number):
    with pytest.raises(settings.SettingsError, match="cannot be read"):
        settings.load(GOOD | {handed_down.NAME: number})


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """The web server, its processes, a worker and the ticker, as the supervisor starts them; and the guardian."""
    monkeypatch.setattr("config.runtime._settings", None)
    monkeypatch.setattr("config.runtime._made", {})
    (port,) = ports.free_ports(1)
    loaded = settings.load(GOOD | {"PORT": str(port), "WARMTHREAD_DATA_DIR": str(tmp_path / "data")})
    start.use(loaded, "test")
    migrations.upgrade()
    service = processes.Service(loaded)
    try:
        service.supervisor.start()
        yield {name: status.pid or 0 for name, status in service.supervisor.status().items()}
    finally:
        service.stop()
        db.engine().dispose()


def test_no_process_of_a_running_service_has_a_secret_in_its_environment(pids):
    if not sys.platform.startswith("linux"):
        return  # there is no /proc to look into
    children = {
        f"{name}.{child}": int(child)
        for name, pid in pids.items()
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    }
    assert any(name.startswith("web.") for name in children)
    for name, pid in (pids | children).items():
        said = Path(f"/proc/{pid}/environ").read_bytes()
        assert TOKEN.encode() not in said, name
        if name != "valkey":  # it has these from the supervisor, which here is the test
            until(lambda pid=pid: "Umask:\t0077" in Path(f"/proc/{pid}/status").read_text(), f"the umask of {name}")
            until(lambda pid=pid: _core(pid) == ["0", "0"], f"the core limit of {name}")


def _core(pid: int) -> list[str]:
    (line,) = [line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max core")]
    return line.split()[4:6]
