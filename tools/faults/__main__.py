"""`python -m tools.faults --seeds 10 --mode embedded`: seeds one after the other, each against a service of its own."""

import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import click

from tools.faults import alone, one_seed, plan
from tools.faults.one_seed import Verdict
from tools.faults.stage import say


@click.command()
@click.option("--seeds", default=1, show_default=True, help="How many seeds.")
@click.option("--first", default=1, show_default=True, help="The first of them.")
@click.option("--mode", type=click.Choice(["embedded", "postgresql"]), default="embedded", show_default=True)
@click.option("--short", is_flag=True, help="Only what is made good within seconds.")
@click.option("--alone", "each_alone", is_flag=True, help="Each kind of the machine's faults for itself, no seeds.")
def main(seeds: int, first: int, mode: str, short: bool, each_alone: bool) -> None:
    """Hurt a whole service by a seeded plan and judge from outside what came of it. Ends with 1 if an oracle fails."""
    verdicts = []
    for begun in _each_alone() if each_alone else _seeds(range(first, first + seeds), mode, short=short):
        verdict = begun()
        verdicts.append(verdict)
        say(told(verdict, short=short))
    say(summary(verdicts))
    raise SystemExit(1 if any(verdict.findings for verdict in verdicts) else 0)


def _seeds(seeds: range, mode: str, *, short: bool) -> Iterator[Callable[[], Verdict]]:
    return (partial(one_seed.run, plan.make(seed, mode, short=short)) for seed in seeds)


def _each_alone() -> Iterator[Callable[[], Verdict]]:
    for name in alone.KINDS:
        say(name)
        yield partial(alone.run, name)


def told(verdict: Verdict, *, short: bool) -> str:
    """Return the line of one seed; of one that failed also what was seen, what it met, and how to repeat it."""
    the = verdict.plan
    worst = f", alerts at most {max(verdict.alerts):.1f} s" if verdict.alerts else ""
    line = (
        f"seed {the.seed} {the.mode}: {len(the.faults)} faults, {verdict.texts} texts in, {len(the.submits)} forms, "
        f"{verdict.sendings} texts out{worst}, {verdict.took:.0f} s: "
    )
    if not verdict.findings:
        return line + "all oracles hold"
    again = f"make faults SEEDS=1 FIRST={the.seed} MODE={the.mode}" + (" SHORT=1" if short else "")
    found = "\n".join(f"  {finding}" for finding in verdict.findings)
    return f"{line}{len(verdict.findings)} findings\n{found}\n{plan.in_words(the)}\n  again: {again}"


def summary(verdicts: list[Verdict]) -> str:
    """Return what all seeds together have shown."""
    kinds = Counter(finding.kind for verdict in verdicts for finding in verdict.findings)
    waits = sorted(wait for verdict in verdicts for wait in verdict.alerts)
    counted = ", ".join(f"{kind} {kinds[kind]}" for kind in ("lost", "doubled", "late", "wrong"))
    told = f"; {len(waits)} alerts, median {statistics.median(waits):.1f} s, worst {waits[-1]:.1f} s" if waits else ""
    sent = sum(verdict.sendings for verdict in verdicts)
    return f"{len(verdicts)} seeds: {counted}; {sent} texts out{told}"


if __name__ == "__main__":
    main()
