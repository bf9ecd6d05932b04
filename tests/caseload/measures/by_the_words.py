"""New York State's measures told a second time, day by day in the State's own words; nothing of the product is used.

A patient is {"episodes": [{"enrolled", "discharged"?, "scale"}], "coverage", "contacts", "scores", "reviews"}, as
`warmthread explain measures` reads them, with dates for days.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

Patient = dict[str, Any]


def by_the_words(caseload: Sequence[Patient], year: int, month: int) -> dict[str, dict[str, Any]]:
    """Return the measures 1 to 8 of a calendar month."""
    first = date(year, month, 1)
    every = {first + timedelta(days=number) for number in range(31)}
    return _Month({day for day in every if day.month == month}).measures(caseload)


class _Month:
    def __init__(self, days: set[date]) -> None:
        self.days, self.first, self.last = days, min(days), max(days)

    def days_of(self, episode: dict[str, Any]) -> set[date]:
        """The days of the month on which the episode is open."""
        return {day for day in self.days if episode["enrolled"] <= day <= episode.get("discharged", date.max)}

    def measures(self, caseload: Sequence[Patient]) -> dict[str, dict[str, Any]]:
        here = [each for each in caseload if any(self.days_of(episode) for episode in each["episodes"])]
        poor = [each for each in here if any(self.covers(coverage) for coverage in each["coverage"])]
        lengths = [
            (episode["discharged"] - episode["enrolled"]).days
            for each in poor
            for episode in each["episodes"]
            if episode.get("discharged") in self.days
        ]
        long = [each for each in poor if self.is_long(each) and (self.first_score(each) or 0) >= 10]
        better = [each for each in long if self.is_better(each)]
        stuck = [each for each in long if not self.is_better(each)]
        return {
            "1": {"n": len(here)},
            "2": {"n": len(poor)},
            "3": {"n": sum(any(episode["enrolled"] in self.days for episode in each["episodes"]) for each in poor)},
            "4": {"n": len(lengths), "weeks": self.weeks(lengths)},
            "5": {"n": sum(self.is_active(each) for each in poor), "of": len(poor)},
            "6": {"n": len(better), "of": len(long)},
            "7": {"n": sum(self.is_well(each) for each in poor), "of": len(poor)},
            "8": {"n": sum(self.is_reviewed(each) for each in stuck), "of": len(stuck)},
        }

    def covers(self, coverage: dict[str, Any]) -> bool:
        return coverage["payer"] == "medicaid" and coverage["from"] <= self.first <= coverage.get("to", date.max)

    def weeks(self, lengths: list[int]) -> float | None:
        if not lengths:
            return None
        tenths = Fraction(sum(lengths) * 10, len(lengths) * 7)
        return int(tenths + Fraction(1, 2)) / 10

    def current(self, each: Patient) -> Patient:
        episode: dict[str, Any] = max(
            (episode for episode in each["episodes"] if self.days_of(episode)),
            key=lambda episode: max(self.days_of(episode)),
        )
        return episode

    def series(self, each: Patient) -> list[tuple[date, int]]:
        """The totals of the episode on its scale, up to the last of its days in the month."""
        episode = self.current(each)
        return sorted(
            (score["at"], score["total"])
            for score in each["scores"]
            if score["scale"] == episode["scale"] and episode["enrolled"] <= score["at"] <= max(self.days_of(episode))
        )

    def first_score(self, each: Patient) -> int | None:
        window = [total for at, total in self.series(each) if (at - self.current(each)["enrolled"]).days <= 14]
        return window[0] if window else None

    def is_long(self, each: Patient) -> bool:
        return (max(self.days_of(self.current(each))) - self.current(each)["enrolled"]).days >= 70

    def is_better(self, each: Patient) -> bool:
        (_, baseline), *later = self.series(each)
        return bool(later) and (later[-1][1] < 10 or later[-1][1] <= baseline / 2)

    def is_well(self, each: Patient) -> bool:
        totals_now = [total for at, total in self.series(each) if at in self.days]
        return (self.first_score(each) or 0) >= 10 and bool(totals_now) and totals_now[-1] < 5

    def is_active(self, each: Patient) -> bool:
        open_days = self.days_of(self.current(each))
        live = {
            contact["at"] for contact in each["contacts"] if contact["kind"] == "treatment" and contact["by"] != "text"
        }
        return bool(live & open_days) and any(at in open_days for at, _ in self.series(each))

    def is_reviewed(self, each: Patient) -> bool:
        recommended = (review["at"] for review in each["reviews"] if review["recommendation"])
        return any(self.last - timedelta(days=59) <= at <= self.last for at in recommended)
