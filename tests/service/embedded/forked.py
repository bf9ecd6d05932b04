"""A program to be forked: `python -m tests.service.embedded.forked FILE [SECONDS]` tells what it is, and waits."""

import json
import os
import signal
import sys
import time
from pathlib import Path

file, seconds = Path(sys.argv[1]), float(sys.argv[2]) if sys.argv[2:] else 0.0
said = {
    "name": __name__,
    "words": sys.argv[1:],
    "env": dict(os.environ),
    "leads": os.getsid(0) == os.getpgid(0) == os.getpid(),
    "files": sorted(int(name) for name in os.listdir("/proc/self/fd") if Path(f"/proc/self/fd/{name}").exists()),
    "stdin": os.readlink("/proc/self/fd/0"),
    "comm": Path("/proc/self/comm").read_text().strip(),
    "asks": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
}
file.with_suffix(".part").write_text(json.dumps(said))
file.with_suffix(".part").rename(file)
time.sleep(seconds)
raise SystemExit(3)
