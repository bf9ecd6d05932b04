"""`warmthread demo` as a newcomer runs it: the walk, then a service to play with, then Ctrl-C."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path


def test_after_the_walk_it_serves_until_ctrl_c_and_leaves_nothing(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with said.open("w") as out:
        demo = subprocess.Popen(
            [sys.executable, "-m", "config.cli", "demo"], stdout=out, stderr=out, stdin=-3
        )
    end = time.monotonic() + 150
    while "Ctrl-C ends" not in said.read_text() and demo.poll() is None and time.monotonic() < end:
        time.sleep(0.3)
    time.sleep(3)  # long enough for a second start to stumble over the first
    address = re.search(r"http://\S+/readyz", said.read_text())
    assert address is not None, said.read_text()[-800:]
    with urllib.request.urlopen(address.group(), timeout=5) as answer:
        assert json.loads(answer.read()) == {"problems": [], "status": "ready"}
    demo.send_signal(signal.SIGINT)
    assert demo.wait(40) == 0
    after = said.read_text().split("Ctrl-C ends")[1]
    assert "Traceback" not in after
    assert "Cannot listen" not in after
