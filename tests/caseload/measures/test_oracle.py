"""The measures against a second telling of the State's words, day by day, over made-up caseloads of every kind."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from caseload.measures import explaining

FIRST, LAST = date(2025, 3, 1), date(2025, 3, 31)
MONTH = {FIRST + timedelta(days=number) for number in range(31)}
days = some.integers(0, 240).map(lambda number: date(2024, 9, 1) + timedelta(days=number))
near = some.integers(0, 20).map(lambda number: timedelta(days=number))
totals = some.sampled_from([0, 3, 4, 5, 8, 9, 10, 11, 12, 16, 18, 20, 21])
scales = some.sampled_from(["phq9", "phq9", "gad7"])


@some.composite
def patients(draw: Any) -> dict[str, Any]:
    """One patient with up to two episodes, one after the other."""
    episodes, day = [], draw(days)
    for _ in range(draw(some.integers(1, 2))):
        ended = day + timedelta(days=draw(some.integers(0, 150)))
        episodes.append({"enrolled": day, "discharged": ended, "scale": draw(scales)})
        day = ended + timedelta(days=draw(some.integers(0, 60)))
    if draw(some.booleans()):
        episodes[-1].pop("discharged")
    soon = episodes[-1]["enrolled"] + draw(near)
    score_days = [soon, *draw(some.lists(days, max_size=5, unique=True))]
    return {
        "episodes": episodes,
        "coverage": draw(
            some.lists(
                some.fixed_dictionaries(
                    {"payer": some.sampled_from(["medicaid", "medicaid", "other"]), "from": days},
                    optional={"to": some.dates(date(2025, 4, 29), date(2025, 6, 1)) | some.just(FIRST)},
                ).filter(lambda each: each.get("to", each["from"]) >= each["from"]),
                max_size=2,
            )
        ),
        "contacts": draw(
            some.lists(
                some.fixed_dictionaries(
                    {
                        "at": days,
                        "kind": some.sampled_from(["treatment", "treatment", "other"]),
                        "by": some.sampled_from(["phone", "video", "in_person", "text"]),
                    }
                ),
                max_size=6,
            )
        ),
        "scores": [{"at": at, "scale": draw(scales), "total": draw(totals)} for at in dict.fromkeys(score_days)],
        "reviews": draw(
            some.lists(some.fixed_dictionaries({"at": days, "recommendation": some.booleans()}), max_size=3)
        ),
    }


def line(caseload: list[dict[str, Any]]) -> dict[str, Any]:
    named = [{"id": str(number), "birth_date": date(1980, 1, 1)} | each for number, each in enumerate(caseload)]
    return {"month": "2025-03", "zone": "America/New_York", "patients": written(named)}


def written(value: Any) -> Any:
    """The same with days as JSON writes them."""
    if isinstance(value, dict):
        return {name: written(each) for name, each in value.items()}
    if isinstance(value, list):
        return [written(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def days_of(episode: dict[str, Any]) -> set[date]:
    """The days of the month on which the episode is open."""
    return {day for day in MONTH if episode["enrolled"] <= day <= episode.get("discharged", date.max)}


def by_the_words(caseload: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    here = [each for each in caseload if any(days_of(episode) for episode in each["episodes"])]
    poor = [each for each in here if any(covers(coverage) for coverage in each["coverage"])]
    lengths = [
        (episode["discharged"] - episode["enrolled"]).days
        for each in poor
        for episode in each["episodes"]
        if episode.get("discharged") in MONTH
    ]
    long = [each for each in poor if is_long(each) and (first_score(each) or 0) >= 10]
    better = [each for each in long if is_better(each)]
    stuck = [each for each in long if not is_better(each)]
    return {
        "1": {"n": len(here)},
        "2": {"n": len(poor)},
        "3": {"n": sum(any(episode["enrolled"] in MONTH for episode in each["episodes"]) for each in poor)},
        "4": {"n": len(lengths), "weeks": weeks(lengths)},
        "5": {"n": sum(is_active(each) for each in poor), "of": len(poor)},
        "6": {"n": len(better), "of": len(long)},
        "7": {"n": sum(is_well(each) for each in poor), "of": len(poor)},
        "8": {"n": sum(is_reviewed(each) for each in stuck), "of": len(stuck)},
    }


def covers(coverage: dict[str, Any]) -> bool:
    return coverage["payer"] == "medicaid" and coverage["from"] <= FIRST <= coverage.get("to", date.max)


def weeks(lengths: list[int]) -> float | None:
    if not lengths:
        return None
    tenths = Fraction(sum(lengths) * 10, len(lengths) * 7)
    return int(tenths + Fraction(1, 2)) / 10


def current(each: dict[str, Any]) -> dict[str, Any]:
    episode: dict[str, Any] = max(
        (episode for episode in each["episodes"] if days_of(episode)), key=lambda episode: max(days_of(episode))
    )
    return episode


def series(each: dict[str, Any]) -> list[tuple[date, int]]:
    """The totals of the episode on its scale, up to the last of its days in the month."""
    episode = current(each)
    return sorted(
        (score["at"], score["total"])
        for score in each["scores"]
        if score["scale"] == episode["scale"] and episode["enrolled"] <= score["at"] <= max(days_of(episode))
    )


def first_score(each: dict[str, Any]) -> int | None:
    window = [total for at, total in series(each) if (at - current(each)["enrolled"]).days <= 14]
    return window[0] if window else None


def is_long(each: dict[str, Any]) -> bool:
    return (max(days_of(current(each))) - current(each)["enrolled"]).days >= 70


def is_better(each: dict[str, Any]) -> bool:
    (_, baseline), *later = series(each)
    return bool(later) and (later[-1][1] < 10 or later[-1][1] <= baseline / 2)


def is_well(each: dict[str, Any]) -> bool:
    totals_now = [total for at, total in series(each) if at in MONTH]
    return (first_score(each) or 0) >= 10 and bool(totals_now) and totals_now[-1] < 5


def is_active(each: dict[str, Any]) -> bool:
    open_days = days_of(current(each))
    live = {contact["at"] for contact in each["contacts"] if contact["kind"] == "treatment" and contact["by"] != "text"}
    return bool(live & open_days) and any(at in open_days for at, _ in series(each))


def is_reviewed(each: dict[str, Any]) -> bool:
    recommended = (review["at"] for review in each["reviews"] if review["recommendation"])
    return any(date(2025, 1, 31) <= at <= LAST for at in recommended)


@settings(max_examples=150)
@given(some.lists(patients(), max_size=6))
def test_the_measures_are_what_the_state_s_words_say(caseload: list[dict[str, Any]]) -> None:
    assert explaining.explain(line(caseload)) == {"nys": by_the_words(caseload)}


@given(some.lists(patients(), max_size=4), some.randoms())
def test_the_order_of_nothing_matters(caseload: list[dict[str, Any]], chance: Any) -> None:
    mixed = [{name: list(each[name]) for name in each} for each in caseload]
    for each in mixed:
        for events in each.values():
            chance.shuffle(events)
    chance.shuffle(mixed)
    assert explaining.explain(line(mixed)) == explaining.explain(line(caseload))
