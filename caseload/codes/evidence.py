"""What an auditor asks for of one patient's month, as data: how each minute was reckoned, and what else must be there.

The list follows what Medicare's rule (CMS-1654-F) and audits of behavioral health billing ask for: consent, the
initiating visit, who did what from when to when, scores, the consultant's advice and what was done with it. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from caseload.codes.minutes import Share
from caseload.codes.proposing import Units
from caseload.codes.reckoning import Reckoning
from caseload.months import Month

# Auditors have refused notes that were written long after the service.
LATE = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Work:
    """What an entry was about, and when (UTC) somebody wrote it down."""

    activity: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """Who asked for it and how ("verbal" or "written"), in which language, and whether cost sharing was told."""

    at: datetime
    by: str
    how: str
    language: str
    cost_sharing_told: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """The initiating visit: its day and code."""

    on: date
    code: str


@dataclass(frozen=True, slots=True)
class Score:
    """A validated scale's total, at a day of the clinic's."""

    on: date
    scale: str
    total: int


@dataclass(frozen=True, slots=True)
class Review:
    """The psychiatric consultant's review of this patient; `outcome` "" while nothing was done with it."""

    on: date
    recommendation: str
    outcome: str


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A change of the plan of care."""

    on: date
    change: str


# From when to when, without an end while it is open; None where there was no stay.
Edges = tuple[datetime, datetime | None] | None


@dataclass(frozen=True, slots=True)
class Corrected:
    """That a colleague has put something right that was told: when, who, and why."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in a hospital: whose feed tells it, as it is `told` by now, and as it `holds`."""

    told_by: str
    told: Edges
    holds: Edges
    corrected: Corrected | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """What the registry knows of the patient at the end of the month. `people`: name and credential of each care
    manager by the name that entries have; `registry` is the patient's row of it."""

    practitioner: str
    consultant: str
    diagnoses: Sequence[str]
    people: Mapping[str, str]
    consent: Consent | None = None
    initiating_visit: Visit | None = None
    scores: Sequence[Score] = ()
    reviews: Sequence[Review] = ()
    plan_changes: Sequence[PlanChange] = ()
    stays: Sequence[Stay] = ()
    registry: Mapping[str, Any] = field(default_factory=dict)


def evidence(reckoning: Reckoning, chart: Chart, works: Mapping[str, Work], zone: ZoneInfo) -> dict[str, Any]:
    """Return the month's evidence as JSON has it; times are local to the clinic, with their offset.

    `works` by the key of each entry. "missing" names what an auditor would miss (`missing`); "version" is the table
    that the codes came from.
    """
    proposal = reckoning.proposal
    return {
        "month": str(reckoning.month),
        "minutes": reckoning.count.minutes,
        "excluded": [{"minutes": each, "why": why} for why, each in reckoning.count.excluded.items()],
        "codes": _units(proposal.codes),
        "choices": [_units(choice) for choice in proposal.choices],
        "version": reckoning.version,
        "missing": missing(reckoning, chart),
        "log": [_line(share, chart, works[share.entry.key], zone) for share in reckoning.count.shares],
        **_written(asdict(chart), zone),
    }


def missing(reckoning: Reckoning, chart: Chart) -> list[str]:
    """Return what the month lacks, by name: "consent", "cost_sharing", "initiating_visit", "work", "diagnosis",
    "score" and "review" (both of this month), "consultant"."""
    lacks = {
        "consent": chart.consent is None,
        "cost_sharing": chart.consent is not None and not chart.consent.cost_sharing_told,
        "initiating_visit": chart.initiating_visit is None,
        "work": not reckoning.count.counted,
        "diagnosis": not chart.diagnoses,
        "score": not _within(reckoning.month, chart.scores),
        "review": not _within(reckoning.month, chart.reviews),
        "consultant": not chart.consultant,
    }
    return [name for name, lacking in lacks.items() if lacking]


def is_late(ended_at: datetime, recorded_at: datetime) -> bool:
    """Whether an entry was written down so late after the work that it must say so."""
    return recorded_at - ended_at > LATE


def _within(month: Month, events: Sequence[Score] | Sequence[Review]) -> bool:
    return any(month.first <= event.on <= month.last for event in events)


def _line(share: Share, chart: Chart, work: Work, zone: ZoneInfo) -> dict[str, Any]:
    entry = share.entry
    return {
        "start": _local(entry.start, zone),
        "end": _local(entry.end, zone),
        "person": chart.people.get(entry.person, entry.person),
        "role": entry.role,
        "activity": work.activity,
        "counted_seconds": share.counted.total_seconds(),
        "excluded_seconds": {why: length.total_seconds() for why, length in share.excluded.items()},
        "recorded_at": _local(work.recorded_at, zone),
        "late": is_late(entry.end, work.recorded_at),
    }


def _units(codes: Sequence[Units]) -> list[dict[str, Any]]:
    return [asdict(each) for each in codes]


def _written(value: Any, zone: ZoneInfo) -> Any:
    """The same with days and instants as JSON writes them."""
    if isinstance(value, Mapping):
        return {name: _written(each, zone) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_written(each, zone) for each in value]
    if isinstance(value, datetime):
        return _local(value, zone)
    return value.isoformat() if isinstance(value, date) else value


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat()
