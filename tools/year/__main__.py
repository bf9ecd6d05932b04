"""`python -m tools.year --days 30 --clinics 20 --seed 1`: days of clinics, as fast as they can be lived.

Ends with 1 if anything did not hold.
"""

import statistics
import sys
from collections import Counter
from datetime import date

import click

from tools.year import turning
from tools.year.turning import Year


@click.command()
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3660))
@click.option("--clinics", default=10, show_default=True, type=click.IntRange(1, 200))
@click.option("--seed", default=1, show_default=True)
@click.option("--first", default="2027-02-20", show_default=True, help="The first day, as YYYY-MM-DD.")
def main(days: int, clinics: int, seed: int, first: str) -> None:
    """Live days of made-up clinics through the service's own acts and lanes, and judge each hour of them."""
    year = turning.run(seed, days, clinics, date.fromisoformat(first))
    sys.stdout.write(told(year) + "\n")
    raise SystemExit(1 if year.findings else 0)


def told(year: Year) -> str:
    """Return what was lived, how fast, and each finding."""
    judge = year.judge
    kinds = ", ".join(f"{count} {kind}" for kind, count in judge.kinds.most_common())
    counted = Counter(finding.kind for finding in year.findings)
    verdict = ", ".join(f"{kind} {counted[kind]}" for kind in ("lost", "doubled", "late", "wrong"))
    waits = f"; {len(judge.alerts)} alerts, median {statistics.median(judge.alerts):.2f} s" if judge.alerts else ""
    lines = [
        f"seed {year.seed}: {year.days} clinic-days in {year.seconds:.0f} s,"
        f" {60 * year.days / year.seconds:.0f} a minute; {year.processor_seconds:.0f} s of processor,"
        f" {60 * year.days / year.processor_seconds:.0f} a minute of it",
        f"{len(judge.typed)} texts in, {len(year.town.phones.sent)} out ({kinds}),"
        f" {len(year.town.submitted)} forms{waits}",
        verdict,
        *(f"  {finding}" for finding in year.findings[:50]),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
