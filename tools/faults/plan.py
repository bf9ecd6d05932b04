"""What one seed brings: who writes what when, and what is killed, frozen or lied about meanwhile. Pure: the same seed
is the same plan. Times are seconds after the traffic begins."""

from dataclasses import dataclass
from random import Random
from typing import Any

PATIENTS = 30
# What a patient writes, by what it means. The carrier knows STOP itself; the other revocation only we can obey.
WORDS = {
    "yes": ("Y", "yes I will be there"),
    "stop": ("STOP", "please stop texting me"),
    "crisis": ("I want to kill myself", "i dont want to be alive anymore"),
    "talk": ("can I bring my sister along?", "which door is it"),
}
WORKERS = ("worker.urgent", "worker.default", "worker.bulk")
PROCESSES = (*WORKERS, "ticker", "web")
STORMS: tuple[tuple[dict[str, Any], ...], ...] = (
    ({"answer": "429"},),
    ({"answer": "503"},),
    ({"answer": "500"},),
    ({"answer": "drop"},),
    ({"answer": "garbage"},),
    ({"answer": "accept_then_500", "probability": 0.5}, {"answer": "503", "probability": 0.5}),
    ({"answer": "accept_then_timeout", "hang_s": 12, "probability": 0.3},),
    ({"callbacks": "lose", "probability": 0.5}, {"callbacks": "duplicate"}),
    ({"callbacks": "reverse"},),
    ({"callbacks_delay_ms": 4000},),
    ({"delay_ms": 1500},),
)
LOST_TEXTS: tuple[dict[str, Any], ...] = ({"inbound": "lose", "probability": 0.4},)
# Longer than every lease, so that another has taken over what the frozen one had claimed.
BEYOND_LEASES = (64.0, 80.0)
# Seconds by which a clock leaps: within what hosts may differ, beyond a lease, beyond what a vendor's signature bears.
LEAPS = (-3600, -300, -90, -20, 20, 90, 300, 3600)


@dataclass(frozen=True)
class Visit:
    """A visit of patient `patient` whose reminder is due at `at`."""

    at: float
    patient: int


@dataclass(frozen=True)
class Say:
    """A text that patient `patient` types; `means` is a key of WORDS."""

    at: float
    patient: int
    means: str
    body: str


@dataclass(frozen=True)
class Submit:
    """A PHQ-9 posted by a form vendor; `positive` where item 9 is answered with more than "not at all"."""

    at: float
    patient: int
    positive: bool


@dataclass(frozen=True)
class Fault:
    """`act` meets `target` at `at`, and lasts `seconds` where it lasts.

    kill | freeze a process, flush Valkey, storm at the carrier (by `rules`), stop PostgreSQL, cut the way to it, sever
    its sessions, exhaust its connections, fill the disk, let the clock leap (`by` seconds).
    """

    at: float
    act: str
    target: str
    seconds: float = 0.0
    rules: tuple[dict[str, Any], ...] = ()
    by: int = 0

    @property
    def ends(self) -> float:
        """When it is over."""
        return self.at + self.seconds


@dataclass(frozen=True)
class Plan:
    """Everything that one seed brings, each list in the order of time."""

    seed: int
    mode: str
    seconds: float
    visits: tuple[Visit, ...]
    says: tuple[Say, ...]
    submits: tuple[Submit, ...]
    faults: tuple[Fault, ...]


def make(seed: int, mode: str, *, short: bool = False) -> Plan:
    """Return the plan of `seed` for `mode` (embedded | postgresql).

    A short one leaves out what takes a minute to be made good: web servers killed, texts lost on the way to us, and
    processes frozen beyond their leases; and what the machine itself does: clocks, disk, connections.
    """
    chance = Random(f"{seed} {mode}")
    seconds = 8.0 if short else 20.0
    kinds = tuple(_kind(chance) for _ in range(PATIENTS))
    visits = tuple(Visit(chance.uniform(2, seconds), who) for who, kind in enumerate(kinds) if kind != "form")
    says = [_say(chance, who, kind, seconds) for who, kind in enumerate(kinds) if kind in WORDS]
    submits = [_submit(chance, who, seconds) for who, kind in enumerate(kinds) if kind == "form"]
    return Plan(
        seed,
        mode,
        seconds,
        tuple(sorted(visits, key=lambda visit: visit.at)),
        tuple(sorted(says, key=lambda say: say.at)),
        tuple(sorted(submits, key=lambda submit: submit.at)),
        tuple(sorted(_faults(chance, mode, seconds, short=short), key=lambda fault: fault.at)),
    )


def _kind(chance: Random) -> str:
    return chance.choice(("visit", "visit", "yes", "stop", "stop", "crisis", "talk", "form", "form"))


def _say(chance: Random, who: int, means: str, seconds: float) -> Say:
    return Say(chance.uniform(0, seconds), who, means, chance.choice(WORDS[means]))


def _submit(chance: Random, who: int, seconds: float) -> Submit:
    return Submit(chance.uniform(0, seconds), who, chance.random() < 0.6)


def _faults(chance: Random, mode: str, seconds: float, *, short: bool) -> list[Fault]:
    killed = (*WORKERS, "ticker") if short else PROCESSES
    faults = [Fault(_when(chance, seconds), "kill", chance.choice(killed)) for _ in range(chance.randint(2, 5))]
    for _ in range(chance.randint(1, 3)):
        frozen = chance.choice((*killed, "valkey"))
        faults.append(Fault(_when(chance, seconds), "freeze", frozen, chance.uniform(0.5, 2.5 if short else 8)))
    faults += _of_valkey(chance, seconds)
    # One storm after the other: the network knows one plan at a time.
    begins = chance.uniform(1, 4)
    while begins < seconds:
        lasts = chance.uniform(1, 3 if short else 7)
        rules = chance.choice(STORMS if short else (*STORMS, LOST_TEXTS))
        faults.append(Fault(begins, "storm", "carrier", lasts, rules))
        begins += lasts + chance.uniform(1, 5)
    if mode == "postgresql":
        faults += [
            Fault(_when(chance, seconds), "stop", "postgresql", chance.uniform(0.2, 3))
            for _ in range(chance.randint(1, 2))
        ]
    if not short and chance.random() < 0.25:
        target = chance.choice((*WORKERS, "ticker"))
        faults.append(Fault(chance.uniform(2, seconds / 2), "freeze", target, chance.uniform(*BEYOND_LEASES)))
    if not short:
        # By a chance of their own: what a seed was before there were these, it still is.
        faults += _of_the_machine(Random(f"{chance.random()} machine"), mode, seconds)
    return _one_at_a_time(faults)


def _of_the_machine(chance: Random, mode: str, seconds: float) -> list[Fault]:
    at_postgresql = (("cut", 8.0), ("exhaust", 10.0), ("sever", 0.0))
    kinds = at_postgresql if mode == "postgresql" else (("fill", 6.0),)
    target = "postgresql" if mode == "postgresql" else "disk"
    faults = [
        Fault(_when(chance, seconds), act, target, chance.uniform(longest / 4, longest))
        for act, longest in kinds
        if chance.random() < 0.5
    ]
    if chance.random() < 0.5:
        leap = chance.choice(LEAPS)
        faults.append(Fault(_when(chance, seconds), "leap", "clock", chance.uniform(3, 15), by=leap))
    return faults


def _when(chance: Random, seconds: float) -> float:
    return chance.uniform(1, seconds)


def _of_valkey(chance: Random, seconds: float) -> list[Fault]:
    kinds = [kind for kind in ("flush", "flush", "kill") if chance.random() < 0.5]
    return [Fault(_when(chance, seconds), kind, "valkey") for kind in kinds]


def _one_at_a_time(faults: list[Fault]) -> list[Fault]:
    """Leave out what would meet a target that is frozen or stopped already: who is frozen twice wakes too early."""
    kept: list[Fault] = []
    for fault in sorted(faults, key=lambda each: each.at):
        busy = (held for held in kept if held.target == fault.target and held.act != "storm")
        if not any(held.at <= fault.at <= held.ends + 0.5 for held in busy if held.seconds):
            kept.append(fault)
    return kept


def in_words(plan: Plan) -> str:
    """Return what the seed brings, for whoever reads of a failure."""
    lines = [
        f"  {fault.at:5.1f} s {fault.act} {fault.target}"
        + (f" by {fault.by} s" if fault.by else "")
        + (f" for {fault.seconds:.1f} s" if fault.seconds else "")
        + (f" {' '.join(str(rule) for rule in fault.rules)}" if fault.rules else "")
        for fault in plan.faults
    ]
    return "\n".join([f"seed {plan.seed}, {plan.mode}:", *lines])
