"""`python -m tools.hosts`: three hosts under load, of which one is cut off and then the other one killed."""

import time
from dataclasses import replace

import click

from config import clock
from tools.faults import evidence, one_seed, oracles, plan, traffic
from tools.faults.__main__ import told
from tools.faults.one_seed import Verdict
from tools.faults.stage import say
from tools.hosts import network, standing

REFUSED = 2
# Seconds after the traffic begins, which goes on for twenty.
CUT_OFF, JOIN, KILL = 3.0, 9.0, 14.0


@click.command()
@click.option("--seed", default=1, show_default=True, help="Which patients, texts and forms.")
def main(seed: int) -> None:
    """Cut one host off, kill the other, and judge from outside. Ends with 1 if an oracle fails, with 2 if this user or
    this machine may not make network namespaces."""
    try:
        verdict = run(seed)
    except network.NotAllowed as refused:
        say(f"Three hosts cannot be made here: {refused}. It takes Linux, iproute2 and root.")
        raise SystemExit(REFUSED) from None
    say(told(verdict, short=False))
    raise SystemExit(1 if verdict.findings else 0)


def run(seed: int) -> Verdict:
    """Start three hosts, let a seed's traffic come, cut and kill meanwhile, wait until all is made good, and judge."""
    started = time.monotonic()
    brought = replace(plan.make(seed, "postgresql"), faults=())
    first, second = standing.WORKING
    with standing.standing() as hosts:
        stage = hosts.stage
        say(f"three hosts stand after {time.monotonic() - started:.0f} s")
        secret, record = traffic.set_up(stage, brought)
        _let_pass(hosts, (record.began_at - clock.now()).total_seconds() + time.monotonic())
        threads, began = traffic.send(stage, secret, record), time.monotonic()
        for at, act, name, words in (
            (CUT_OFF, hosts.cut_off, first, "is cut off"),
            (JOIN, hosts.join, first, "is back"),
            (KILL, hosts.kill, second, "is killed"),
        ):
            _let_pass(hosts, began + at)
            act(name)
            say(f"{time.monotonic() - began:5.1f} s: the {name} host {words}")
        while any(thread.is_alive() for thread in threads):
            _let_pass(hosts, time.monotonic() + 0.1)
        one_seed.settle(stage, record)
        seen = evidence.gather(stage)
        evidence.look_deeper(stage, seen)
    waits = [(told_at - taken).total_seconds() for taken, told_at in oracles.alert_times(record, seen)]
    took = time.monotonic() - started
    return Verdict(brought, oracles.judge(record, seen), len(record.typed), len(seen.sendings), waits, took)


def _let_pass(hosts: standing.Hosts, until: float) -> None:
    while time.monotonic() < until:
        hosts.stage.poll()
        time.sleep(0.05)


if __name__ == "__main__":
    main()
