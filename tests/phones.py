"""The phone network as a test sees it: the simulator's own interface, over HTTP."""

import json
import urllib.request
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

from tests.waiting import PATIENCE, until


def answers(port: int) -> bool:
    """Whether something on this port says that it is well."""
    line = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        line.request("GET", "/healthz")
        return line.getresponse().status == 200
    except OSError:
        return False
    finally:
        line.close()


@dataclass
class Network:
    """The phone network as a test sees it."""

    url: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Speak with the simulator's own interface."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def faults(self, *rules: dict[str, Any]) -> None:
        """Put these faults in force, in place of those before."""
        self.ask("PUT", "/sim/faults", list(rules))

    def accepted(self, to: str = "") -> list[dict[str, Any]]:
        """Every text accepted, oldest first."""
        messages: list[dict[str, Any]] = self.ask("GET", f"/sim/messages?to={quote(to)}")["messages"]
        return messages

    def asked(self) -> int:
        """How many creates reached the network, accepted or not."""
        return int(self.ask("GET", "/sim/messages?limit=0")["requests"]["asked"])

    def settled(self, sid: str, status: str) -> None:
        """Wait until a text has come to `status`."""
        until(
            lambda: any(text["sid"] == sid and text["status"] == status for text in self.accepted()),
            f"{sid} to come to {status}",
        )
