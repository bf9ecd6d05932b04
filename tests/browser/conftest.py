"""Chromium, headless, and one clinic with its phones for the stories."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from service.cli.walk.steps import Walk, import_a_day, sign_everyone_in, texts_arrive
from service.embedded.valkey import ValkeyServer
from tests.browser import kit
from tests.browser.place import Served, serving
from tests.walks.kit import running

# The headless shell first: the same engine without a window's worth of work, for two thirds of the processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip


def executable() -> str | None:
    """The path of the system's Chromium, or of the one that CHROMIUM names; None where there is none."""
    names = (os.environ.get("CHROMIUM", ""), *NAMES)
    return next((path for path in map(shutil.which, names) if path), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; `make browser` installs it."""
    path = executable()
    if path is None:
        pytest.fail("no Chromium on this machine: `make browser` finds or installs it")
    expect.set_options(timeout=kit.PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """A clinic whose patients have been texted, and whose care team is signed in."""
    folder: Path = tmp_path_factory.mktemp("clinic")
    with running(folder) as service:
        walk = Walk(service.scene)
        for step in (import_a_day, sign_everyone_in, texts_arrive):
            step(walk)
        yield walk


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, valkey: ValkeyServer) -> Iterator[Served]:
    """A clinic whose pages are served from this process, one for all stories of a file."""
    with serving(tmp_path_factory.mktemp("clinic"), valkey) as place:
        yield place
