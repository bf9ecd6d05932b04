"""New York State's measures 1 to 8 of a month of Collaborative Care (OMH, 2025). Pure: days and totals in, counts out.

The wording is the State's; where it is silent, a call is made here and told in docs/caseload.md. Measure 1 counts
everybody, 2 to 8 patients who have Medicaid on the first of the month. Nothing is divided: a share of nobody is 0 of 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from caseload.measures.scales import Scale
from caseload.months import Month

LONG_ENOUGH = timedelta(days=70)
BASELINE_WINDOW = timedelta(days=14)
REVIEW_WINDOW = timedelta(days=60)
# A contact in which treatment can be delivered: live. Texts, portal messages, e-mail, reminders, missed visits,
# unanswered calls and the consultant's review are none.
LIVE = frozenset(["in_person", "phone", "video"])
TREATMENT = "treatment"


@dataclass(frozen=True, slots=True)
class Episode:
    """From the care manager's initial assessment to the discharge; both days are days of the episode."""

    enrolled: date
    discharged: date | None
    scale: Scale


@dataclass(frozen=True, slots=True)
class Score:
    """A total on a scale, at a day of the clinic's."""

    at: date
    scale: Scale
    total: int


@dataclass(frozen=True, slots=True)
class Patient:
    """What the measures read of a patient. `medicaid`: from and to (both included; None: still); `contacts`: days of
    live contacts with treatment; `reviews`: days of the consultant's reviews with a recommendation."""

    episodes: Sequence[Episode]
    medicaid: Sequence[tuple[date, date | None]]
    contacts: Sequence[date]
    scores: Sequence[Score]
    reviews: Sequence[date]


@dataclass(frozen=True, slots=True)
class _Facts:
    """A patient's month. `improved` is None where it is not asked: under 70 days, or no elevated baseline."""

    newly_enrolled: bool
    discharged_after: tuple[int, ...]
    contacted: bool
    improved: bool | None
    in_remission: bool
    reviewed: bool


def measures(month: Month, patients: Iterable[Patient]) -> dict[str, dict[str, Any]]:
    """Return {"1": {"n"}, "2": {"n"}, "3": {"n"}, "4": {"n", "weeks"}, "5": {"n", "of"}, ... "8": {"n", "of"}}.

    "4" has how many were discharged and their mean weeks, to one decimal, None where nobody was.
    """
    enrolled = [patient for patient in patients if _episodes_of(month, patient)]
    facts = [_facts(month, patient) for patient in enrolled if _has_medicaid(patient, month.first)]
    asked = [each for each in facts if each.improved is not None]
    waiting = [each for each in asked if not each.improved]
    days = [length for each in facts for length in each.discharged_after]
    return {
        "1": {"n": len(enrolled)},
        "2": {"n": len(facts)},
        "3": {"n": sum(each.newly_enrolled for each in facts)},
        "4": {"n": len(days), "weeks": _weeks(days)},
        "5": {"n": sum(each.contacted for each in facts), "of": len(facts)},
        "6": {"n": len(asked) - len(waiting), "of": len(asked)},
        "7": {"n": sum(each.in_remission for each in facts), "of": len(facts)},
        "8": {"n": sum(each.reviewed for each in waiting), "of": len(waiting)},
    }


def _episodes_of(month: Month, patient: Patient) -> list[Episode]:
    """The patient's episodes with at least a day in the month, in order."""
    return sorted(
        (
            episode
            for episode in patient.episodes
            if episode.enrolled <= month.last and (episode.discharged is None or episode.discharged >= month.first)
        ),
        key=lambda episode: episode.enrolled,
    )


def _has_medicaid(patient: Patient, on: date) -> bool:
    return any(start <= on and (end is None or end >= on) for start, end in patient.medicaid)


def _facts(month: Month, patient: Patient) -> _Facts:
    episodes = _episodes_of(month, patient)
    # Whoever came back within the month is measured by what they came back for; both ends and beginnings count.
    episode = episodes[-1]
    ends = min(episode.discharged or month.last, month.last)
    begins = max(episode.enrolled, month.first)
    scores = _scores_of(episode, ends, patient)
    baseline = _baseline(episode, scores)
    this_month = [score for score in scores if score.at >= month.first]
    return _Facts(
        newly_enrolled=any(month.first <= each.enrolled <= month.last for each in episodes),
        discharged_after=tuple(
            (each.discharged - each.enrolled).days
            for each in episodes
            if each.discharged is not None and each.discharged <= month.last
        ),
        contacted=bool(this_month) and any(begins <= day <= ends for day in patient.contacts),
        improved=_improved(baseline, scores) if baseline and ends - episode.enrolled >= LONG_ENOUGH else None,
        in_remission=bool(baseline and this_month) and episode.scale.is_remission(scores[-1].total),
        reviewed=any(month.last - REVIEW_WINDOW < day <= month.last for day in patient.reviews),
    )


def _scores_of(episode: Episode, ends: date, patient: Patient) -> list[Score]:
    """The episode's totals on its own scale, in order."""
    return sorted(
        (score for score in patient.scores if score.scale == episode.scale and episode.enrolled <= score.at <= ends),
        key=lambda score: score.at,
    )


def _baseline(episode: Episode, scores: Sequence[Score]) -> Score | None:
    """The first total within 14 days of enrolment, if it is elevated: the screening before it is never one."""
    first = scores[0] if scores else None
    inside = first is not None and first.at <= episode.enrolled + BASELINE_WINDOW
    return first if first and inside and episode.scale.is_elevated(first.total) else None


def _improved(baseline: Score, scores: Sequence[Score]) -> bool:
    """By the newest total, however old: who missed a scale this month has not become worse. A baseline alone is no
    improvement, since an elevated total is none against itself."""
    return baseline.scale.has_improved(baseline.total, scores[-1].total)


def _weeks(days: Sequence[int]) -> float | None:
    if not days:
        return None
    mean = Decimal(sum(days)) / (7 * len(days))
    return float(mean.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))
