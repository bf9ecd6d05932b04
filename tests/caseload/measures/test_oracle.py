"""The measures against a second telling of the State's words, day by day, over made-up caseloads of every kind."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from caseload.measures import explaining
from tests.caseload.measures.by_the_words import by_the_words

FIRST = date(2025, 3, 1)
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


@settings(max_examples=150)
@given(some.lists(patients(), max_size=6))
def test_the_measures_are_what_the_state_s_words_say(caseload: list[dict[str, Any]]) -> None:
    assert explaining.explain(line(caseload)) == {"nys": by_the_words(caseload, 2025, 3)}


@given(some.lists(patients(), max_size=4), some.randoms())
def test_the_order_of_nothing_matters(caseload: list[dict[str, Any]], chance: Any) -> None:
    mixed = [{name: list(each[name]) for name in each} for each in caseload]
    for each in mixed:
        for events in each.values():
            chance.shuffle(events)
    chance.shuffle(mixed)
    assert explaining.explain(line(mixed)) == explaining.explain(line(caseload))
