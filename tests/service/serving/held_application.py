"""An application whose answer to /held is made, in 3 MB, once the file named by HELD_UNTIL is there."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.waiting import until

LONG = b"x" * 3_000_000


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer one request."""
    if environ["PATH_INFO"] == "/held":
        Path(os.environ["HELD_UNTIL"] + ".begun").touch()
        until(Path(os.environ["HELD_UNTIL"]).exists)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [LONG]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"here"]
