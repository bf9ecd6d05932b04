"""The running service as the walk sees it: its doors, its phones and the command line, nothing behind them."""

import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from config.cli.walk.visitor import Page, Visitor

T = TypeVar("T")


class NotSeen(Exception):
    """Something the walk waits for did not happen in time, or happened otherwise."""


class Scene:
    """Where the doors are: the service at `service`, the phone network at `network`, commands run with `env`."""

    def __init__(self, service: str, network: str, env: dict[str, str], folder: Path) -> None:
        self.service, self.network, self.env, self.folder = service, network, env, folder

    def command(self, *words: str) -> Any:
        """Run one `warmthread` command with --json and return what it printed."""
        argv = [sys.executable, "-m", "config.cli", *words, "--json"]
        ended = subprocess.run(argv, env=self.env, capture_output=True, text=True, timeout=60, check=False)
        if ended.returncode != 0:
            said = (ended.stderr.strip().splitlines() or ["nothing"])[-1]
            raise NotSeen(f"warmthread {' '.join(words[:2])} ended with {ended.returncode} and said: {said}")
        return json.loads(ended.stdout)

    def browser(self) -> Visitor:
        """Return a browser that nobody has used yet."""
        return Visitor(self.service)

    def texts(self, number: str) -> list[dict[str, Any]]:
        """Return what the phone `number` shows, oldest first."""
        address = f"{self.network}/sim/phones/{urllib.parse.quote(number)}/messages"
        found: list[dict[str, Any]] = self._ask(urllib.request.Request(address))["messages"]
        return found

    def type(self, number: str, body: str) -> None:
        """Type a text on the phone `number` and send it to the clinic."""
        address = f"{self.network}/sim/phones/{urllib.parse.quote(number)}/messages"
        data = json.dumps({"body": body}).encode()
        self._ask(urllib.request.Request(address, data=data, headers={"Content-Type": "application/json"}))

    def received(self, number: str, words: str, *, seconds: float = 12) -> str:
        """Wait until the phone shows a text from the clinic that has `words` in it; return it."""

        def look() -> str | None:
            bodies = [one["body"] for one in self.texts(number) if one["direction"] == "in"]
            return next((body for body in reversed(bodies) if words.casefold() in body.casefold()), None)

        return self.soon(look, f"a text with “{words}” on a phone", seconds)

    def page_with(self, browser: Visitor, path: str, *words: str, seconds: float = 12) -> Page:
        """Wait until the page at `path` shows all the words; return it."""

        def look() -> Page | None:
            page = browser.get(path)
            return page if page.status == 200 and all(one in page.text for one in words) else None

        return self.soon(look, f"{' and '.join(words)} at {path.split('?')[0]}", seconds)

    def soon(self, look: Callable[[], T | None], what: str, seconds: float = 12) -> T:
        """Return the first answer that is not None. Raises NotSeen after `seconds`."""
        end = time.monotonic() + seconds
        while True:
            found = look()
            if found is not None:
                return found
            if time.monotonic() > end:
                raise NotSeen(f"{what} was not seen within {seconds:.0f} s")
            time.sleep(0.02)

    def _ask(self, request: urllib.request.Request) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            return json.loads(answer.read())
