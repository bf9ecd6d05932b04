"""`warmthread demo` as a newcomer runs it: the walk, then a service to play with, then Ctrl-C."""

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tests.waiting import PATIENCE, until


def test_after_the_walk_it_serves_until_ctrl_c_and_leaves_nothing(tmp_path: Path) -> None:
    output = tmp_path / "said"
    with output.open("w") as out:
        demo = subprocess.Popen([sys.executable, "-m", "service.cli", "demo"], stdout=out, stderr=out, stdin=-3)
    until(lambda: "Ctrl-C ends" in output.read_text() or demo.poll() is not None, "the walk", within=10 * 60)
    address = re.search(r"http://\S+/readyz", output.read_text())
    assert address is not None, output.read_text()[-800:]
    until(lambda: answer_of(address.group()) == {"problems": [], "status": "ready"}, "the service to be ready")
    stumble(output.read_text())
    assert answer_of(address.group()) == {"problems": [], "status": "ready"}
    demo.send_signal(signal.SIGINT)
    assert demo.wait(PATIENCE) == 0
    after = output.read_text().split("Ctrl-C ends")[1]
    assert "Traceback" not in after
    assert "Cannot listen" not in after


def answer_of(address: str) -> object:
    """What the service says of itself, well or not."""
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as unwell:
        with unwell:
            return json.loads(unwell.read())


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
