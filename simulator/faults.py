"""What goes wrong on purpose: rules set at /sim/faults, each for some numbers, some of the time."""

import random
import threading
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from simulator import numbers

Answer = Literal["drop", "accept_then_500", "accept_then_timeout", "garbage", "429", "500", "503"]
Refusal = Literal["429", "500", "503"]
Callbacks = Literal["lose", "duplicate", "reverse"]
Asked = Literal["create", "inbound", "redact"]


class Rule(BaseModel):
    """One fault. It applies to a create (`answer`, `delay_ms`, `callbacks...`), to a text from a phone (`inbound`), or
    to a message that is to be redacted (`redact`).

    `number` is the phone; `count` is how often the rule applies before it is spent; `seed` makes `probability`
    repeatable. `signature: "wrong"` spoils the signature of the webhooks concerned.
    """

    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, AfterValidator(numbers.normalise)] | None = None
    probability: float = Field(default=1.0, ge=0, le=1)
    count: int | None = Field(default=None, ge=1)
    seed: int | None = None
    delay_ms: int = Field(default=0, ge=0, le=600_000)
    answer: Annotated[Answer, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)] | None = (
        None
    )
    hang_s: float = Field(default=60, ge=0, le=600)
    callbacks: Callbacks | None = None
    callbacks_delay_ms: int = Field(default=0, ge=0, le=600_000)
    inbound: Literal["lose"] | None = None
    redact: (
        Annotated[Refusal, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)] | None
    ) = None
    signature: Literal["wrong"] | None = None


class Plan(BaseModel):
    """All faults in force: a latency for every create, in milliseconds, and the rules in the order they are tried."""

    model_config = ConfigDict(extra="forbid")

    latency_ms: int = Field(default=0, ge=0, le=600_000)
    rules: list[Rule] = Field(default_factory=list)


def parse(raw: object) -> Plan:
    """Read a plan, a list of rules or a single rule. Raises pydantic.ValidationError."""
    if isinstance(raw, dict) and raw.keys() & Plan.model_fields.keys():
        return Plan.model_validate(raw)
    return Plan.model_validate({"rules": raw if isinstance(raw, list) else [raw]})


@dataclass(frozen=True)
class Fate:
    """What one message meets; the defaults are a network without faults."""

    delay_ms: int = 0
    answer: Answer | None = None
    hang_s: float = 60
    callbacks: Callbacks | None = None
    callbacks_delay_ms: int = 0
    lost: bool = False
    forged: bool = False


class Faults:
    """The plan in force, with how often each rule has applied. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.released = threading.Event()
        self.set(Plan())

    def set(self, plan: Plan) -> None:
        """Replace the plan; requests that hang under the old one are let go."""
        with self._lock:
            self.released.set()
            self.released = threading.Event()
            self.plan = plan
            self._applied = [0] * len(plan.rules)
            self._chance = [random.Random(rule.seed) for rule in plan.rules]

    def shown(self) -> dict[str, object]:
        """The plan as it was given, each rule with `applied`."""
        with self._lock:
            rules = [
                rule.model_dump(exclude_defaults=True) | {"applied": applied}
                for rule, applied in zip(self.plan.rules, self._applied, strict=True)
            ]
            return {"latency_ms": self.plan.latency_ms, "rules": rules}

    def for_create(self, number: str) -> Fate:
        """The first rule that applies to a message to `number`, and the latency of the plan."""
        rule = self._draw(number, "create") or Rule()
        return Fate(
            delay_ms=self.plan.latency_ms + rule.delay_ms,
            answer=rule.answer,
            hang_s=rule.hang_s,
            callbacks=rule.callbacks,
            callbacks_delay_ms=rule.callbacks_delay_ms,
            forged=rule.signature == "wrong",
        )

    def for_inbound(self, number: str) -> Fate:
        """The first rule that applies to a text typed on the phone `number`."""
        rule = self._draw(number, "inbound") or Rule()
        return Fate(lost=rule.inbound == "lose", forged=rule.signature == "wrong")

    def for_redaction(self, number: str) -> Refusal | None:
        """How the first rule that applies refuses to redact a message of the phone `number`; None where none does."""
        rule = self._draw(number, "redact")
        return rule.redact if rule else None

    def _draw(self, number: str, what: Asked) -> Rule | None:
        with self._lock:
            for at, rule in enumerate(self.plan.rules):
                if _concerns(rule, number, what) and self._happens(at, rule):
                    self._applied[at] += 1
                    return rule
        return None

    def _happens(self, at: int, rule: Rule) -> bool:
        if rule.count is not None and self._applied[at] >= rule.count:
            return False
        return self._chance[at].random() < rule.probability


def _concerns(rule: Rule, number: str, what: Asked) -> bool:
    if rule.number is not None and rule.number != number:
        return False
    if what == "redact" or rule.redact is not None:
        return what == "redact" and rule.redact is not None
    for_create = bool(rule.answer or rule.delay_ms or rule.callbacks or rule.callbacks_delay_ms)
    for_inbound = rule.inbound is not None
    neither = not for_create and not for_inbound  # a rule with a wrong signature alone concerns both ways
    return neither or (for_inbound if what == "inbound" else for_create)
