"""`make bench`: every measurement, as a ratio against a floor measured in the same run.

Machines are noisy; ratios less.

python -m bench [inbound] [outbound] [alert] [inbox] [polls] [forms] [reading] [planning] [urgent] [imports]
                [simulation] [slow_clients] [handoff] [codes] [caseload] [nights] [review]
                [webhooks] [siu] [planned] [backfill] [api_lists] [growth] [starting]
BENCH_PATIENTS=1000000 python -m bench inbox     (a larger clinic than 100,000 patients: minutes, and some GB of disk)
                                                 (also for api_lists)
BENCH_VISITS=20000 python -m bench planning      (fewer visits than 100,000; also for urgent, simulation, backfill)
BENCH_SECONDS=300 python -m bench backfill       (what is read in so long, rather than in 900 s)
BENCH_TEXTS=1000000 python -m bench review       (more texts than 100,000, and a fifth as many visits)
BENCH_SIZES=10000,100000 python -m bench growth (texts stored; BENCH_JSON=file writes the figures down)
BENCH_ROWS=20000 python -m bench imports         (a shorter file than 100,000 rows)
"""

import sys
from collections.abc import Callable

from bench import (
    alert,
    api_lists,
    backfill,
    caseload,
    codes,
    forms,
    growth,
    handoff,
    imports,
    inbound,
    inbox,
    nights,
    outbound,
    planned,
    planning,
    polls,
    reading,
    review,
    simulation,
    siu,
    slow_clients,
    starting,
    urgent,
    webhooks,
)

MEASUREMENTS: dict[str, Callable[[], str]] = {
    "inbound": inbound.measure,
    "outbound": outbound.measure,
    "alert": alert.measure,
    "inbox": inbox.measure,
    "planning": planning.measure,
    "urgent": urgent.measure,
    "polls": polls.measure,
    "reading": reading.measure,
    "forms": forms.measure,
    "handoff": handoff.measure,
    "imports": imports.measure,
    "simulation": simulation.measure,
    "slow_clients": slow_clients.measure,
    "codes": codes.measure,
    "caseload": caseload.measure,
    "nights": nights.measure,
    "review": review.measure,
    "webhooks": webhooks.measure,
    "siu": siu.measure,
    "planned": planned.measure,
    "backfill": backfill.measure,
    "api_lists": api_lists.measure,
    "growth": growth.measure,
    "starting": starting.measure,
}


def main(wanted: list[str]) -> int:
    """Run the measurements named, all of them if none is; return the exit code."""
    unknown = [name for name in wanted if name not in MEASUREMENTS]
    if unknown:
        print(
            f"no measurement named {', '.join(unknown)}; there are: {', '.join(MEASUREMENTS)}",
            file=sys.stderr,
        )
        return 2
    for name in wanted or list(MEASUREMENTS):
        print(MEASUREMENTS[name](), flush=True)
    return 0


sys.exit(main(sys.argv[1:]))
