"""Runs one seed from an empty folder to its verdict."""

import time
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from config import clock
from tools.faults import acting, evidence, oracles, stage, traffic
from tools.faults.evidence import Evidence
from tools.faults.oracles import Finding
from tools.faults.plan import Plan
from tools.faults.traffic import Record

# How long after the last fault everything may take to be made good: a text that was lost on its way to us is found in
# the carrier's list within a minute, a lease ends after one, and whoever died often is started again after half of one.
PATIENCE_SECONDS = 240.0
# So long nothing more may come after all has come.
AFTERWARDS_SECONDS = 4.0


@dataclass
class Verdict:
    """What a seed has shown: every oracle that did not hold, how much there was, and seconds from event to alert."""

    plan: Plan
    findings: list[Finding] = field(default_factory=list)
    texts: int = 0
    sendings: int = 0
    alerts: list[float] = field(default_factory=list)
    took: float = 0.0


def run(plan: Plan) -> Verdict:
    """Start a service, let the plan happen to it, wait until all is made good, and judge."""
    began = time.monotonic()
    with stage.standing(plan) as standing:
        secret, record = traffic.set_up(standing, plan)
        while clock.now() < record.began_at:
            standing.poll()
            time.sleep(acting.EVERY_SECONDS)
        threads = traffic.send(standing, secret, record)
        acting.act(standing, plan.faults, time.monotonic())
        while any(thread.is_alive() for thread in threads):
            standing.poll()
            time.sleep(acting.EVERY_SECONDS)
        settle(standing, record)
        seen = evidence.gather(standing)
        evidence.look_deeper(standing, seen)
    waits = [(told - taken).total_seconds() for taken, told in oracles.alert_times(record, seen)]
    took = time.monotonic() - began
    return Verdict(plan, oracles.judge(record, seen), len(record.typed), len(seen.sendings), waits, took)


def settle(standing: stage.Stage, record: Record) -> None:
    """Wait until nothing is to come any more, or for as long as anything may take; then a little longer."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        standing.poll()
        seen = _seen(standing)
        if seen is not None and not oracles.unsettled(record, seen):
            break
        time.sleep(0.5)
    later = time.monotonic() + AFTERWARDS_SECONDS
    while time.monotonic() < later:
        standing.poll()
        time.sleep(acting.EVERY_SECONDS)


def _seen(standing: stage.Stage) -> Evidence | None:
    try:
        return evidence.gather(standing)
    except SQLAlchemyError:  # PostgreSQL has not come back yet
        if standing.postgresql:
            standing.start_database()
        return None
