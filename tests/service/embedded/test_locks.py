"""Locks that the kernel gives back."""

import os
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from service.embedded import locks
from tests.waiting import PATIENCE


def test_a_held_lock_is_refused_and_names_its_holder(tmp_path):
    held = locks.hold(tmp_path / "lock")
    locks.sign(held)
    with pytest.raises(BlockingIOError):
        locks.hold(tmp_path / "lock")
    assert locks.holder(tmp_path / "lock") == str(os.getpid())
    os.close(held)
    os.close(locks.hold(tmp_path / "lock"))


def test_patience_waits_for_a_holder_who_ends(tmp_path, python):
    holder = python(
        "import sys, time; from pathlib import Path; from service.embedded import locks\n"
        "locks.hold(Path(sys.argv[1])); print('held', flush=True); time.sleep(600)",
        tmp_path / "lock",
    )
    holder.stdout.readline()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(locks.hold, tmp_path / "lock", patience=PATIENCE)
        assert not wait([waiting], timeout=0.2).done
        holder.kill()
        os.close(waiting.result())


def test_a_link_in_place_of_the_lock_file_is_not_followed(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="lock"):
        locks.hold(tmp_path / "lock")
    assert not (tmp_path / "elsewhere").exists()


def test_an_unreadable_holder_is_unknown(tmp_path):
    assert locks.holder(tmp_path / "nothing") == "unknown"
