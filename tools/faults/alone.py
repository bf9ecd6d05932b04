"""Each kind of the machine's faults for itself, where a seeded plan would mix them: by name, mode and what happens."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tools.faults import one_seed, plan
from tools.faults.one_seed import Verdict
from tools.faults.plan import Fault

SEED = 5


@dataclass(frozen=True)
class Alone:
    """These faults, and the mode in which they are met."""

    mode: str
    faults: tuple[Fault, ...]


# In most of them a worker dies meanwhile, so that others take over what it had in hand by a wrong clock or no database.
KINDS: Mapping[str, Alone] = {
    "clock back": Alone("embedded", (Fault(2, "leap", "clock", 5, by=-3600), Fault(6.5, "kill", "worker.urgent"))),
    "clock ahead": Alone("embedded", (Fault(2, "leap", "clock", 5, by=3600), Fault(6.5, "kill", "worker.urgent"))),
    "no fork server": Alone(
        "embedded",
        (Fault(2, "kill", "fork server"), Fault(5, "freeze", "fork server", 2), Fault(5.5, "kill", "worker.urgent")),
    ),
    "no ticker, no bells": Alone(
        "embedded", (Fault(0.5, "freeze", "ticker", 80), Fault(1, "freeze", "valkey", 6), Fault(7.5, "kill", "valkey"))
    ),
    "full disk": Alone("embedded", (Fault(2, "fill", "disk", 4),)),
    "cut off": Alone("postgresql", (Fault(2, "cut", "postgresql", 5),)),
    "no connection": Alone("postgresql", (Fault(1, "exhaust", "postgresql", 6), Fault(3, "kill", "worker.urgent"))),
    "severed": Alone("postgresql", (Fault(2, "sever", "postgresql"), Fault(4, "sever", "postgresql"))),
}


def run(name: str) -> Verdict:
    """Let the faults of this name happen to a service, and judge what came of it."""
    kind = KINDS[name]
    return one_seed.run(replace(plan.make(SEED, kind.mode, short=True), faults=kind.faults))
