"""`warmthread demo` as a newcomer runs it: the walk, then a service to play with, then Ctrl-C."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pytest

from config.settings import SettingsError
from service.cli.walk import demo
from service.cli.walk.screen import Screen
from service.cli.walk.steps import STEPS
from service.visitor import Page, Visitor
from tests.waiting import PATIENCE, until


@pytest.fixture
def home() -> Iterator[Path]:
    """Where the demonstration puts what it needs for a while; a short path, because sockets have no long ones."""
    with tempfile.TemporaryDirectory(prefix="wt-", dir="/tmp") as folder:
        yield Path(folder)


@contextmanager
def begun(output: Path, *words: str, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A demonstration that writes to `output`; nothing of it outlives a test that fails."""
    clean = {name: value for name, value in os.environ.items() if name != "PORT"}
    with output.open("w") as out:
        argv = [sys.executable, "-m", "service.cli", "demo", *words]
        process = subprocess.Popen(argv, stdout=out, stderr=out, stdin=-3, env=clean | environ)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)


def test_after_the_walk_it_serves_until_ctrl_c_and_leaves_nothing(tmp_path: Path, home: Path) -> None:
    output = tmp_path / "said"
    with begun(output, TMPDIR=str(home)) as process:
        until(lambda: "Ctrl-C ends" in output.read_text() or process.poll() is not None, "the walk", within=10 * 60)
        said = output.read_text()
        address = re.search(r"http://\S+/readyz", said)
        assert address is not None, said[-800:]
        # What failed once on a busy machine is told for two minutes.
        until(lambda: is_well(address.group()), "the service to be ready", within=5 * 60)
        stumble(said)
        assert is_well(address.group())
        reads_well(said)
        opens_on_work(address.group().removesuffix("/readyz"))
        shows_phones(said)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        after = output.read_text().split("Ctrl-C ends")[1]
        assert re.search(r"Ending \.\.\.\s+Ended, nothing is left\.", after)
        assert "Traceback" not in after
        assert "Cannot listen" not in after
        assert list(home.glob("warmthread-demo-*")) == []


def reads_well(said: str) -> None:
    """What a newcomer reads: titles and ticks, names, no colours in a file, nothing too wide, nothing dropped."""
    assert "\x1b" not in said
    assert [line for line in said.splitlines() if len(line) > 100] == []
    assert len(re.findall(r"^ +\d+\. .+ \.\.\. ✓ [\d.]+ s$", said, re.MULTILINE)) == len(STEPS)
    plan = said[said.index("Priya Raman") : said.index("Sign the care team in")]
    assert len(re.findall(r"day, \w+ \d+, \d+:\d\d [AP]M +\d+h before the visit", plan)) == 3
    assert "steps skipped: their time had passed" in plan
    assert "dropped" not in said
    assert "Its clock is set to a Tuesday, 9:40 AM" in said


def opens_on_work(service: str) -> None:
    """What whoever goes on finds: each role to be, a full inbox by New York's clock, trends, replies, a handoff."""
    browser = Visitor(service)
    roles = browser.get("/demo")
    for name in ("Rosa Delgado", "Dr Elin Lindqvist", "Dr Amara Wu", "Sam Fields", "Ines Moreau", "Nadia Frost"):
        assert name in roles.text
    button = roles.source.index("Rosa Delgado")
    staff = re.findall(r'name="staff" value="([^"]+)"', roles.source[:button])[-1]
    inbox = browser.submit(roles, roles.form(action="/demo"), staff=staff)
    assert "Rosa Delgado" in inbox.text
    everyone = browser.get("/inbox?view=everyone")
    assert len({link for link in everyone.links if re.search(r"/inbox/[0-9a-f-]{36}", link)}) >= 15
    for words in ("Patient safety", "Positive screen", "Warm handoff", "Reply", "overdue", "in progress"):
        assert words in everyone.text
    mine = browser.get("/inbox?view=mine")
    assert "Owen" in mine.text
    assert "Owen" in page_of(browser, everyone, "Owen").text
    assert "9:" in page_of(browser, everyone, "Owen").text
    trend = page_of(browser, everyone, "Tyrell")
    assert "in 10 weeks" in trend.text or "10 weeks" in trend.text
    assert "Hanna" in browser.get("/handoffs").text
    assert "There are none yet" not in browser.get("/saved-replies").text


def page_of(browser: Visitor, everyone: Page, name: str) -> Page:
    row = everyone.source[: everyone.source.index(f'<span class="who">{name}')]
    return browser.get(re.findall(r'href="([^"]+)"', row)[-1].replace("&amp;", "&"))


def shows_phones(said: str) -> None:
    """The phones have names and the clinic's time, and their page needs no more than a press."""
    network = re.search(r"The phones: +(http://\S+)/", said)
    assert network is not None
    wall = Visitor(network[1]).get("/")
    for words in ("Owen Fitzroy", "Rosa Delgado, care team", "STOP"):
        assert words in wall.text
    assert re.search(r"(9|10):\d\d AM", wall.text)
    assert "UTC" not in wall.text


def test_ctrl_c_during_the_walk_ends_it_and_says_so(tmp_path: Path, home: Path) -> None:
    output = tmp_path / "said"
    with begun(output, "--exit", TMPDIR=str(home)) as process:
        until(
            lambda: " 1. Import" in output.read_text() or process.poll() is not None, "the first step", within=10 * 60
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        said = output.read_text()
        assert "Ending ..." in said
        assert said.rstrip().endswith("Ended, nothing is left.")
        assert "Traceback" not in said, said[-3000:]
        assert list(home.glob("warmthread-demo-*")) == []


def test_a_busy_usual_port_falls_to_the_next_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert demo._usual(Screen(), "The phones", taken) > taken
    assert f"The phones: port {taken} is taken by another program, so this time it is" in capsys.readouterr().out


@pytest.mark.parametrize("wanted", ["http", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(wanted: str) -> None:
    with pytest.raises(SettingsError, match="PORT must be a number"):
        demo._doors(Screen(), wanted)


def test_a_port_that_was_asked_for_and_is_taken_is_an_error() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(click.ClickException, match="is taken by another program: set PORT, or leave it out"):
            demo._doors(Screen(), str(other.getsockname()[1]))


def answer_of(address: str) -> Any:
    """What the service says of itself, well or not."""
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as unwell:
        with unwell:
            return json.loads(unwell.read())


def is_well(address: str) -> bool:
    """Whether nothing is wrong but what the seeded morning brings: a safety item whose owner has not answered."""
    said = answer_of(address)
    problems = [problem for problem in said["problems"] if not problem.startswith("safety items past their time")]
    return not problems and said["status"] in ("ready", "degraded")


def stumble(printed: str) -> None:
    """Start the phone network a second time on its port: once it has stumbled, so would a second start of the demo."""
    port = re.search(r"The phones: +http://127\.0\.0\.1:(\d+)/", printed)
    assert port is not None
    words = (
        "--port",
        port[1],
        "--sms-url",
        "http://127.0.0.1:9/",
        "--account-sid",
        "AC",
        "--auth-token",
        "x",
    )
    second = subprocess.run(
        [sys.executable, "-m", "simulator", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Cannot listen" in second.stderr
