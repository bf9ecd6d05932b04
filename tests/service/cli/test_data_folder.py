"""A data directory in which nothing can be kept, or whose keys are gone: exit 2, and what to do."""

from pathlib import Path

import pytest

from config import keys
from tests.service.cli.test_service import run

__all__ = ["run"]
CREATE = ("clinic", "create", "--name", "Elm", "--zone", "America/Denver", "--number", "+13035550100")


@pytest.mark.parametrize("folder", ["a_file", "a_file/below", "/proc/nowhere"])
@pytest.mark.parametrize("by_setting", [True, False], ids=["keys by setting", "keys in the folder"])
def test_a_folder_that_cannot_be_used_ends_with_exit_2(run, tmp_path: Path, folder: str, by_setting: bool):
    (tmp_path / "a_file").touch()
    given = {"WARMTHREAD_MASTER_KEYS": keys.new_master_line("k1")} if by_setting else {}
    ended = run("staff", "list", WARMTHREAD_DATA_DIR=str(tmp_path / folder), **given)
    assert ended.returncode == 2, ended.stderr
    assert "WARMTHREAD_DATA_DIR cannot be used" in ended.stderr
    assert "Name a folder" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_new_master_keys_are_never_made_beside_what_the_old_ones_sealed(run, tmp_path: Path):
    assert run(*CREATE).returncode == 0
    file = tmp_path / "data" / keys.FILE
    kept = file.read_text()
    file.unlink()
    for command in (("staff", "list"), CREATE, ("serve",)):
        ended = run(*command)
        assert ended.returncode == 2, ended.stderr
        if command != ("serve",):  # its first process says so, at the same terminal
            assert "master.keys is missing" in ended.stderr
            assert "put it back" in ended.stderr
        assert not file.exists()
    assert run("staff", "list", WARMTHREAD_MASTER_KEYS=kept.strip()).returncode == 0
    file.write_text(kept)
    file.chmod(0o600)
    assert run("staff", "list").returncode == 0
