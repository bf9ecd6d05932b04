"""The running service as the walk sees it: its doors, its phones and the command line, nothing behind them."""

import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from service.cli.walk import commands
from service.visitor import Page, Visitor

T = TypeVar("T")
# Seconds after which a command is taken to hang: where much else runs, its start alone may take a minute.
HANGS = 600


class NotSeen(Exception):
    """Something the walk waits for did not happen in time, or happened otherwise."""


class Scene:
    """Where the doors are: the service at `service`, the phone network at `network`, commands run with `env`.

    `patience` is how many seconds something may take to be seen, where a step does not say otherwise.
    """

    def __init__(self, service: str, network: str, env: dict[str, str], folder: Path, *, patience: float) -> None:
        self.service, self.network, self.env, self.folder = service, network, env, folder
        self.patience = patience

    def command(self, *words: str) -> Any:
        """Run one `warmthread` command with --json and return what it printed."""
        ended = commands.run((*words, "--json"), self.env, within=HANGS)
        if ended.code != 0:
            last_line = (ended.err.strip().splitlines() or ["nothing"])[-1]
            raise NotSeen(f"warmthread {' '.join(words[:2])} ended with {ended.code} and said: {last_line}")
        return json.loads(ended.out)

    def browser(self) -> Visitor:
        """Return a browser that nobody has used yet."""
        return Visitor(self.service)

    def texts(self, number: str) -> list[dict[str, Any]]:
        """Return what the phone `number` shows, oldest first."""
        address = f"{self.network}/sim/phones/{urllib.parse.quote(number)}/messages"
        messages: list[dict[str, Any]] = self._ask(urllib.request.Request(address))["messages"]
        return messages

    def type(self, number: str, body: str) -> None:
        """Type a text on the phone `number` and send it to the clinic."""
        address = f"{self.network}/sim/phones/{urllib.parse.quote(number)}/messages"
        data = json.dumps({"body": body}).encode()
        self._ask(urllib.request.Request(address, data=data, headers={"Content-Type": "application/json"}))

    def remember(self, number: str, body: str, at: datetime, sid: str) -> None:
        """Put a text on the phone `number` that was sent to the clinic before, at `at`; it is not sent again."""
        address = f"{self.network}/sim/phones/{urllib.parse.quote(number)}/messages"
        data = json.dumps({"body": body, "sent": {"at": at.isoformat(), "sid": sid}}).encode()
        self._ask(urllib.request.Request(address, data=data, headers={"Content-Type": "application/json"}))

    def name_phones(self, names: dict[str, str]) -> None:
        """Tell the phone network whose each number is."""
        data = json.dumps({"names": names}).encode()
        headers = {"Content-Type": "application/json"}
        self._read(urllib.request.Request(f"{self.network}/sim/names", data=data, headers=headers, method="PUT"))

    def ehr(self, method: str, path: str, body: object = None) -> Any:
        """Change what an EHR of the simulator holds, or ask it to tell of something."""
        headers, data = {"Content-Type": "application/json"}, json.dumps(body).encode()
        return self._ask(urllib.request.Request(f"{self.network}/sim/ehrs/{path}", data, headers, method=method))

    def received(self, number: str, words: str) -> str:
        """Wait until the phone shows a text from the clinic that has `words` in it; return it."""

        def look() -> str | None:
            bodies = [text["body"] for text in self.texts(number) if text["direction"] == "in"]
            return next((body for body in reversed(bodies) if words.casefold() in body.casefold()), None)

        return self.soon(look, f"a text with “{words}” on a phone")

    def page_with(self, browser: Visitor, path: str, *words: str) -> Page:
        """Wait until the page at `path` shows all the words; return it."""

        def look() -> Page | None:
            page = browser.get(path)
            return page if page.status == 200 and all(word in page.text for word in words) else None

        return self.soon(look, f"{' and '.join(words)} at {path.split('?')[0]}")

    def soon(self, look: Callable[[], T | None], what: str) -> T:
        """Return the first answer that is not None. Raises NotSeen when patience ends, with what waits in the lanes."""
        end = time.monotonic() + self.patience
        while True:
            found = look()
            if found is not None:
                return found
            if time.monotonic() > end:
                raise NotSeen(f"{what} was not seen within {self.patience:.0f} s; {self._waiting()}")
            time.sleep(0.02)

    def _waiting(self) -> str:
        # A slow machine and a lost row look alike from a phone; the lanes tell them apart.
        try:
            figures = self._read(urllib.request.Request(f"{self.service}/metrics")).decode()
        except OSError as error:
            return f"the service does not say what waits ({type(error).__name__})"
        lanes = re.findall(r'^warmthread_lane_oldest_seconds\{lane="(.+)"\} (.+)$', figures, re.MULTILINE)
        waiting = [f"{lane} for {float(age):.0f} s" for lane, age in lanes if float(age) > 0]
        return f"waiting in lanes: {', '.join(waiting) or 'nothing'}"

    def _ask(self, request: urllib.request.Request) -> Any:
        return json.loads(self._read(request))

    def _read(self, request: urllib.request.Request) -> bytes:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=self.patience) as answer:
            return bytes(answer.read())
