"""Programs of the clinic that hear of events by webhooks: each name is one, recording what comes and behaving as told.

`POST /receiver/<name>` is its address; `/receivers` shows what came, `/sim/receivers/<name>` the same as JSON and how
it behaves: any status, after any while, for some times or for good.
"""

import threading
import time
from collections import defaultdict, deque
from dataclasses import asdict, dataclass, field
from itertools import count

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator import clock

pages = Blueprint("receivers", __name__)
KEEP, SHOWN = 5_000, 100
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")


class Behaviour(BaseModel):
    """How a receiver answers: `status` after `delay_ms`, for the next `times` requests and 204 after them."""

    model_config = ConfigDict(extra="forbid")

    status: int = Field(default=204, ge=200, le=599)
    delay_ms: int = Field(default=0, ge=0, le=120_000)
    retry_after: int | None = Field(default=None, ge=0)
    location: str | None = None
    times: int | None = Field(default=None, ge=0)


@dataclass(frozen=True)
class Heard:
    """One request as it came, `began` and `ended` in seconds of one clock, and what was answered."""

    number: int
    at: str
    headers: dict[str, str]
    body: str
    status: int
    began: float
    ended: float


@dataclass
class Receiver:
    """One program. `held` is how many requests it has read and not answered yet."""

    held: int = 0
    heard: deque[Heard] = field(default_factory=lambda: deque(maxlen=KEEP))
    behaviour: Behaviour = field(default_factory=Behaviour)


class Receivers:
    """Every receiver that was ever spoken to or of."""

    def __init__(self) -> None:
        self._known: defaultdict[str, Receiver] = defaultdict(Receiver)
        self._numbers, self._lock = count(1), threading.Lock()
        self.revision = 0

    def behave(self, name: str, behaviour: Behaviour) -> None:
        """Answer as told from now on."""
        with self._lock:
            self._known[name].behaviour = behaviour

    def next_behaviour(self, name: str) -> Behaviour:
        """Return how the next request is answered, and count it."""
        with self._lock:
            now = self._known[name].behaviour
            if now.times is None:
                return now
            after = now.times - 1
            self._known[name].behaviour = now.model_copy(update={"times": after}) if after > 0 else Behaviour()
            return now if now.times > 0 else Behaviour()

    def hold(self, name: str, change: int) -> None:
        """Count a request that is read, or answered."""
        with self._lock:
            self._known[name].held += change

    def keep(self, name: str, headers: dict[str, str], body: str, status: int, began: float) -> None:
        """Keep a request that is about to be answered."""
        with self._lock:
            self.revision = next(self._numbers)
            at = clock.now().isoformat()
            self._known[name].heard.append(Heard(self.revision, at, headers, body, status, began, time.monotonic()))

    def heard(self, name: str) -> tuple[list[Heard], int]:
        """Return what came to one, the oldest first, and how much it has not answered yet."""
        with self._lock:
            return list(self._known[name].heard), self._known[name].held

    def newest(self) -> list[tuple[str, Heard]]:
        """Return what came to all of them, the newest first."""
        with self._lock:
            every = [(name, each) for name, receiver in self._known.items() for each in receiver.heard]
        return sorted(every, key=lambda pair: -pair[1].number)[:SHOWN]


def receivers() -> Receivers:
    """Return the receivers of the running app."""
    kept: Receivers = current_app.extensions["receivers"]
    return kept


@pages.errorhandler(ValidationError)
def explain(error: ValidationError) -> ResponseReturnValue:
    """Say what is wrong with a request."""
    return jsonify(error=str(error)), 400


@pages.post("/receiver/<name>")
def hear(name: str) -> ResponseReturnValue:
    """Take an event, or behave as told."""
    began, told = time.monotonic(), receivers().next_behaviour(name)
    body = request.get_data(as_text=True)
    receivers().hold(name, 1)
    time.sleep(told.delay_ms / 1000)
    receivers().hold(name, -1)
    signed = {header: request.headers.get(header, "") for header in (*SIGNED, "host")}
    receivers().keep(name, signed, body, told.status, began)
    answer = Response(status=told.status)
    if told.retry_after is not None:
        answer.headers["Retry-After"] = str(told.retry_after)
    if told.location is not None:
        answer.headers["Location"] = told.location
    return answer


@pages.get("/receivers")
def show() -> ResponseReturnValue:
    """What came to any program, the newest first."""
    if request.args.get("since", type=int) == receivers().revision:
        return Response(status=204)
    page = render_template("receivers.html", heard=receivers().newest(), revision=receivers().revision)
    answer = make_response(page)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/sim/receivers/<name>")
def listed(name: str) -> ResponseReturnValue:
    """What came to one program, the oldest first."""
    heard, held = receivers().heard(name)
    return jsonify(heard=[asdict(each) for each in heard], held=held)


@pages.put("/sim/receivers/<name>")
def behave(name: str) -> ResponseReturnValue:
    """Let a program answer as told."""
    told = Behaviour.model_validate(request.get_json())
    receivers().behave(name, told)
    return jsonify(told.model_dump())
