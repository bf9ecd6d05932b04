"""What is due for somebody in an episode, by named rules: each a key with the days or points it speaks of. Pure.

Sources: the AIMS Center's registry, Bao 2016 and the consultation measure of New York State.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

from caseload.registry.progress import ELEVATED, Progress

Phase = Literal["active", "relapse_prevention", "discharged"]
# Gravest first: the order in which rows stand and reasons are read.
KEYS = (
    "self_harm",
    "emergency",
    "worse",
    "high",
    "two_open",
    "contact",
    "not_better",
    "recommendation",
    "review",
    "review_owed",
    "unanswered",
    "score",
    "relapse_check",
    "flagged",
    "inactive",
)
PLACES = {key: place for place, key in enumerate(KEYS)}
# What puts somebody on the consultant's list, from how many days, points or weeks on (0: always). Of who is well a
# score is due after sixty days only.
FOR_REVIEW = {
    **dict.fromkeys(
        ("self_harm", "worse", "high", "not_better", "recommendation", "review", "review_owed", "flagged"), 0
    ),
    "contact": 28,
    "score": 31,
}
WITHOUT_RESPONSE = frozenset({"awaiting", "improving", "not_improving", "worse"})
HIGH, NOT_BETTER_DAYS, OWED_DAYS, REVIEW_WINDOW, INACTIVE_DAYS, WAITING_DAYS = 15, 56, 70, 60, 90, 14
WELL_SCORE_DAYS, REVIEWED_LATELY = 60, 7
# Own choice: so soon the first score is asked for, that it may fall within the fourteen days of a baseline.
FIRST_SCORE_DAYS = 7
# HEDIS FUM looks at follow-up within 7 and within 30 days of an emergency visit.
EMERGENCY_DAYS = 30


class Days(NamedTuple):
    """After how many days what is due, as the clinic decides: contact and review by phase."""

    contact: int = 14
    contact_in_relapse_prevention: int = 30
    score: int = 30
    review: int = 30
    review_in_relapse_prevention: int = 60


@dataclass(frozen=True)
class Facts:
    """What is known of an episode today. `contact` and `review` are the last days of each, None for never.

    `recommended` is the day of the oldest recommendation that nobody has acted on; `check_on` the next day set in the
    relapse-prevention plan; `unanswered` when a person was asked to call since questions stayed without an answer;
    `emergency` the day of the last visit to an emergency department.
    """

    today: date
    enrolled: date
    phase: Phase
    progress: Progress
    contact: date | None = None
    review: date | None = None
    recommended: date | None = None
    check_on: date | None = None
    self_harm: bool = False
    flagged: bool = False
    two_open: bool = False
    unanswered: date | None = None
    emergency: date | None = None


@dataclass(frozen=True)
class Due:
    """One thing that is due: its key, and the days or points it is about."""

    key: str
    number: int = 0


def of(facts: Facts, days: Days) -> list[Due]:
    """Return everything that is due, gravest first; nothing of a discharged episode."""
    if facts.phase == "discharged":
        return []
    return [Due(key, number) for key in KEYS if (number := RULES[key](facts, days)) is not None]


def _since(facts: Facts, day: date | None) -> int:
    return (facts.today - (day or facts.enrolled)).days


def _self_harm(facts: Facts, _days: Days) -> int | None:
    return 0 if facts.self_harm else None


def _emergency(facts: Facts, _days: Days) -> int | None:
    """In an emergency department lately, and nobody has spoken with them on that day or since."""
    at = facts.emergency
    if at is None or _since(facts, at) > EMERGENCY_DAYS or (facts.contact is not None and facts.contact >= at):
        return None
    return _since(facts, at)


def _worse(facts: Facts, _days: Days) -> int | None:
    return facts.progress.change if facts.progress.state == "worse" else None


def _high(facts: Facts, _days: Days) -> int | None:
    last = facts.progress.last
    return last.total if last is not None and last.total >= HIGH else None


def _two_open(facts: Facts, _days: Days) -> int | None:
    return 0 if facts.two_open else None


def _contact(facts: Facts, days: Days) -> int | None:
    return _past(_since(facts, facts.contact), _between_contacts(facts, days))


def _between_contacts(facts: Facts, days: Days) -> int:
    return days.contact if facts.phase == "active" else days.contact_in_relapse_prevention


def next_contact(facts: Facts, days: Days) -> date | None:
    """Return the last day on which the next live contact is in time, None once discharged."""
    if facts.phase == "discharged":
        return None
    return (facts.contact or facts.enrolled) + timedelta(days=_between_contacts(facts, days))


def _not_better(facts: Facts, _days: Days) -> int | None:
    """Eight weeks and neither below ten nor halved: for whoever began above ten."""
    if facts.phase != "active" or not _without_response(facts.progress):
        return None
    weeks = _since(facts, facts.enrolled)
    return weeks // 7 if weeks >= NOT_BETTER_DAYS else None


def _without_response(progress: Progress) -> bool:
    began = progress.baseline
    return began is not None and began.total >= ELEVATED and progress.state in WITHOUT_RESPONSE


def _recommendation(facts: Facts, _days: Days) -> int | None:
    return None if facts.recommended is None else _past(_since(facts, facts.recommended), WAITING_DAYS)


def _review(facts: Facts, days: Days) -> int | None:
    limit = days.review if facts.phase == "active" else days.review_in_relapse_prevention
    if facts.review is None:
        return 0
    return _past(_since(facts, facts.review), limit)


def _review_owed(facts: Facts, _days: Days) -> int | None:
    """Seventy days without response and no review in sixty: what the state's measure counts."""
    if not _without_response(facts.progress) or _since(facts, facts.enrolled) < OWED_DAYS:
        return None
    seen = facts.review is not None and _since(facts, facts.review) <= REVIEW_WINDOW
    return None if seen else _since(facts, facts.enrolled)


def _unanswered(facts: Facts, _days: Days) -> int | None:
    """Texted twice without an answer: a call, until somebody has spoken with them or they have answered."""
    asked, last = facts.unanswered, facts.progress.last
    if (
        asked is None
        or (last is not None and last.on >= asked)
        or (facts.contact is not None and facts.contact > asked)
    ):
        return None
    return _since(facts, asked)


def _score(facts: Facts, days: Days) -> int | None:
    last = facts.progress.last
    if last is None:
        return _past(_since(facts, None), min(days.score, FIRST_SCORE_DAYS))
    well = facts.progress.state in ("improved", "remission")
    limit = max(days.score, WELL_SCORE_DAYS) if well or facts.phase == "relapse_prevention" else days.score
    return _past(_since(facts, last.on), limit)


def _relapse_check(facts: Facts, _days: Days) -> int | None:
    return check_late(facts.phase, facts.check_on, facts.today)


def check_late(phase: str, check_on: date | None, today: date) -> int | None:
    """Return for how many days the check of a relapse-prevention plan has been due; None where it is not."""
    if phase != "relapse_prevention" or check_on is None or check_on > today:
        return None
    return (today - check_on).days


def _flagged(facts: Facts, _days: Days) -> int | None:
    return 0 if facts.flagged else None


def _inactive(facts: Facts, _days: Days) -> int | None:
    return _since(facts, facts.contact) if _since(facts, facts.contact) >= INACTIVE_DAYS else None


def _past(days: int, limit: int) -> int | None:
    return days if days > limit else None


RULES: Mapping[str, Callable[[Facts, Days], int | None]] = {
    "self_harm": _self_harm,
    "emergency": _emergency,
    "worse": _worse,
    "high": _high,
    "two_open": _two_open,
    "contact": _contact,
    "not_better": _not_better,
    "recommendation": _recommendation,
    "review": _review,
    "review_owed": _review_owed,
    "unanswered": _unanswered,
    "score": _score,
    "relapse_check": _relapse_check,
    "flagged": _flagged,
    "inactive": _inactive,
}


def gravest(due: Sequence[Due]) -> int:
    """Return where the gravest of these stands in KEYS, after the last where nothing is due: to sort by."""
    return min([PLACES[each.key] for each in due], default=len(KEYS))


def for_review(due: Sequence[Due], reviewed: int | None) -> list[Due]:
    """Return the reasons for which somebody belongs on the consultant's list, `reviewed` so many days ago or never.

    Whoever was reviewed within a week is off the list until a question is asked of the consultant.
    """
    reasons = [each for each in due if each.key in FOR_REVIEW and each.number >= FOR_REVIEW[each.key]]
    lately = reviewed is not None and reviewed < REVIEWED_LATELY
    return [each for each in reasons if each.key == "flagged"] if lately else reasons
