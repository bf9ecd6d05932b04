"""`warmthread explain measures`: a clinic's patients and a month as JSON in, the measures out. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from caseload import fields
from caseload.measures import nys, scales
from intake_links.instruments import instruments

MEDICAID = "medicaid"


def _known_scale(name: str) -> str:
    if name not in scales.known():
        raise ValueError(f"expected one of {', '.join(scales.known())}")
    return name


def _known_instrument(name: str) -> str:
    if name not in scales.known() and name not in instruments():
        raise ValueError("an instrument that is not known here")
    return name


class _Episode(fields.Line):
    enrolled: fields.DayOrInstant
    discharged: fields.DayOrInstant | None = None
    scale: Annotated[str, AfterValidator(_known_scale)]


class _Coverage(fields.Line):
    payer: Literal["medicaid", "other"]
    start: Annotated[fields.Day, Field(alias="from")]
    end: Annotated[fields.Day | None, Field(alias="to")] = None


class _Contact(fields.Line):
    at: fields.DayOrInstant
    kind: Literal["treatment", "other"]
    by: fields.Name


class _Score(fields.Line):
    at: fields.DayOrInstant
    scale: Annotated[str, AfterValidator(_known_instrument)]
    total: Annotated[int, Field(ge=0)]


class _Review(fields.Line):
    at: fields.DayOrInstant
    recommendation: bool


class _Patient(fields.Line):
    id: fields.Name
    birth_date: fields.Day
    episodes: list[_Episode] = []
    coverage: list[_Coverage] = []
    contacts: list[_Contact] = []
    scores: list[_Score] = []
    reviews: list[_Review] = []


class _Line(fields.Line):
    month: fields.Month
    zone: fields.Zone
    patients: list[_Patient]


def explain(record: Mapping[str, object]) -> dict[str, Any]:
    """The answer of `warmthread explain measures`: {"nys": {"1": {"n"}, ... "8": {"n", "of"}}} as `nys.measures` has
    them, or {"error": "..."} with the field that is wrong. Whatever it holds, nothing is raised.
    """
    try:
        line = fields.read(_Line, record)
        patients = [
            _read(patient, line.zone, f"patients[{place}]") for place, patient in enumerate(_each_once(line.patients))
        ]
    except fields.BadLine as wrong:
        return {"error": str(wrong)}
    return {"nys": nys.measures(line.month, patients)}


def _each_once(patients: Sequence[_Patient]) -> Sequence[_Patient]:
    ids: set[str] = set()
    for place, patient in enumerate(patients):
        if patient.id in ids:
            raise fields.BadLine(f"patients[{place}].id: this stands there twice")
        ids.add(patient.id)
    return patients


def _read(patient: _Patient, zone: ZoneInfo, field: str) -> nys.Patient:
    def day(at: date) -> date:
        return fields.local_day(at, zone)

    return nys.Patient(
        episodes=_episodes(patient, zone, field),
        medicaid=_medicaid(patient, field),
        contacts=[
            day(contact.at) for contact in patient.contacts if contact.kind == nys.TREATMENT and contact.by in nys.LIVE
        ],
        scores=_scores(patient, zone, field),
        reviews=[day(review.at) for review in patient.reviews if review.recommendation],
    )


def _episodes(patient: _Patient, zone: ZoneInfo, field: str) -> list[nys.Episode]:
    episodes = []
    for place, each in enumerate(patient.episodes):
        enrolled = fields.local_day(each.enrolled, zone)
        discharged = None if each.discharged is None else fields.local_day(each.discharged, zone)
        if discharged is not None and discharged < enrolled:
            raise fields.BadLine(f"{field}.episodes[{place}].discharged: this is before enrolled")
        episodes.append(nys.Episode(enrolled, discharged, scales.known()[each.scale]))
    for earlier, later in pairwise(sorted(episodes, key=lambda episode: episode.enrolled)):
        if earlier.discharged is None or earlier.discharged > later.enrolled:
            raise fields.BadLine(f"{field}.episodes: two of them are open at the same time")
    return episodes


def _medicaid(patient: _Patient, field: str) -> list[tuple[date, date | None]]:
    for place, coverage in enumerate(patient.coverage):
        if coverage.end is not None and coverage.end < coverage.start:
            raise fields.BadLine(f"{field}.coverage[{place}].to: this is before from")
    return [(coverage.start, coverage.end) for coverage in patient.coverage if coverage.payer == MEDICAID]


def _scores(patient: _Patient, zone: ZoneInfo, field: str) -> list[nys.Score]:
    """The totals in order. Of several on a day without a time the lowest comes first, so that none flatters."""
    for place, each in enumerate(patient.scores):
        scale = scales.known().get(each.scale)
        if scale is not None and each.total > scale.highest:
            raise fields.BadLine(f"{field}.scores[{place}].total: {scale.highest} is the highest")
    return [
        nys.Score(fields.local_day(each.at, zone), scales.known()[each.scale], each.total)
        for each in sorted(patient.scores, key=lambda each: (each.at.isoformat(), each.total))
        if each.scale in scales.known()
    ]
