"""Locks that the kernel gives back."""

import os
import time

import pytest

from config.embedded import locks


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
        "import sys, time; from pathlib import Path; from config.embedded import locks\n"
        "locks.hold(Path(sys.argv[1])); print('held', flush=True); time.sleep(0.5)",
        tmp_path / "lock",
    )
    holder.stdout.readline()
    started = time.monotonic()
    os.close(locks.hold(tmp_path / "lock", patience=20))
    assert time.monotonic() - started > 0.1


def test_a_link_in_place_of_the_lock_file_is_not_followed(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="lock"):
        locks.hold(tmp_path / "lock")
    assert not (tmp_path / "elsewhere").exists()


def test_an_unreadable_holder_is_unknown(tmp_path):
    assert locks.holder(tmp_path / "nothing") == "unknown"
