"""What the service does with more patience or force than a test needs, and the fixtures that give it back."""

import importlib
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from config import aside
from config.db import claims
from tests.waiting import PATIENCE
from web.account import passwords

# By name of the module, since `db.engine` is the function in it.
engines = importlib.import_module("config.db.engine")
SHIPPED_SYNCHRONOUS: str = engines.SYNCHRONOUS
SHIPPED_HASHER: PasswordHasher = passwords._HASHER


@pytest.fixture(scope="session", autouse=True)
def long_slices() -> Iterator[None]:
    """However busy the machine is, a drain comes to the end of what a test has given it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(claims, "SLICE_SECONDS", PATIENCE)
        yield


@pytest.fixture(scope="session", autouse=True)
def hasty_rounds() -> Iterator[None]:
    """Long work lets what is urgent go first: once, since in most tests nobody works on that."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(aside, "STEPS", 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def hasty_files() -> Iterator[None]:
    """No file of a test must outlive a power cut, so none waits for the disk. Processes of their own do, as shipped."""
    engines.SYNCHRONOUS = "OFF"
    yield
    engines.SYNCHRONOUS = SHIPPED_SYNCHRONOUS


@pytest.fixture(scope="session", autouse=True)
def hasty_passwords() -> Iterator[None]:
    """No password of a test must outlive a thief: argon2id over 64 KiB, where the service takes 64 MiB."""
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    yield
    passwords._HASHER = SHIPPED_HASHER


@pytest.fixture
def shipped_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that are hashed as the service does."""
    monkeypatch.setattr(passwords, "_HASHER", SHIPPED_HASHER)


@pytest.fixture
def durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite files that wait for the disk as the service's do; asked for before the house."""
    monkeypatch.setattr(engines, "SYNCHRONOUS", SHIPPED_SYNCHRONOUS)
