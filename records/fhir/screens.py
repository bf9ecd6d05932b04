"""A form that was answered: a QuestionnaireResponse, and Observations in the shape of US Core's screenings.

A panel holds a total and an answer for each question; all are derived from the response. An estimate for a form with
answers missing is never a total.
"""

import json
from collections.abc import Sequence
from typing import Any

from intake_links import scoring
from intake_links.scoring import Instrument
from records.fhir import forms
from records.fhir.values import LOINC, OURS, Resource, concept, full, instant, reference, resource

RESPONSES = {"started": "in-progress", "submitted": "completed", "closed": "completed"}
SURVEY = "http://terminology.hl7.org/CodeSystem/observation-category"
US_CORE = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category"
# Beside "survey" US Core asks for one of its own: what the form is about.
ABOUT = {"audit_c": ("social-history", SURVEY)}
OF_MIND = ("cognitive-status", US_CORE)
INTERPRETED = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
UCUM = "http://unitsofmeasure.org"
# US Core counts this total without a unit of its own.
UNITS = {"audit_c": "1"}
PANEL, TOTAL = "panel", "total"


def response(row: Any) -> Resource:
    """Return what was answered; `row` has its answers opened."""
    known = scoring.instruments().get(row.instrument)
    return resource(
        "QuestionnaireResponse",
        row.id,
        [row.started_at, row.submitted_at, row.scored_at],
        questionnaire=forms.canonical(known) if known else f"{OURS}:questionnaire:{row.instrument}",
        status=RESPONSES[row.state],
        subject=reference("Patient", row.patient_id),
        authored=instant(row.submitted_at or row.started_at),
        language=row.language,
        item=[_answered(item, points, row.language) for _, item, points in answered(row, known)],
    )


def answered(row: Any, known: Instrument | None) -> list[tuple[int, Any, int]]:
    """Return number (from 1), question and points of each answer; none of a form whose questions have changed since."""
    points: Sequence[int | None] = json.loads(row.answers) if row.answers else []
    if known is None or len(points) != len(known.items):
        return []
    both = zip(known.items, points, strict=True)
    return [(number, item, value) for number, (item, value) in enumerate(both, 1) if value is not None]


def _answered(item: Any, points: int, language: str) -> Resource:
    said = item.text.get(language, item.text["en"])
    return {"linkId": forms.link_id(item), "text": said, "answer": [forms.answer(item, points, language)]}


def observations(row: Any) -> list[Resource]:
    """Return panel, total and answers of a form that was scored, none of one that was not."""
    if row.scored_at is None or not row.result:
        return []
    known, result = scoring.instruments().get(row.instrument), json.loads(row.result)
    items = [_item(row, number, item, points) for number, item, points in answered(row, known)]
    members = [*([_total(row, known, result)] if result["total"] is not None else []), *items]
    panel = _observation(
        row,
        PANEL,
        _code(known.panel_loinc if known else None, row.instrument, known.title if known else row.instrument),
        hasMember=[reference("Observation", each["id"]) for each in members],
    )
    return [panel, *members]


def codes() -> dict[str, set[str]]:
    """Return by LOINC or own code in which instruments' observations it stands."""
    found: dict[str, set[str]] = {}
    for known in scoring.instruments().values():
        told = [known.panel_loinc or known.id, known.total_loinc or f"{known.id}.total"]
        for code in (*told, *(item.loinc or item.id for item in known.items)):
            found.setdefault(code, set()).add(known.id)
    return found


def _code(loinc: str | None, own: str, words: str) -> Resource:
    return concept(words, LOINC if loinc else f"{OURS}:instrument", loinc or own)


def _observation(row: Any, part: str, code: Resource, **elements: Any) -> Resource:
    about, system = ABOUT.get(row.instrument, OF_MIND)
    return resource(
        "Observation",
        f"{row.id}.{part}",
        [row.started_at, row.submitted_at, row.scored_at],
        status="final",
        category=[concept(None, SURVEY, "survey"), concept(None, system, about)],
        code=code,
        subject=reference("Patient", row.patient_id),
        effectiveDateTime=instant(row.submitted_at or row.started_at),
        issued=instant(row.scored_at),
        derivedFrom=[reference("QuestionnaireResponse", row.id)],
        **elements,
    )


def _total(row: Any, known: Instrument | None, result: dict[str, Any]) -> Resource:
    unit = UNITS.get(row.instrument, "{score}")
    code = _code(known.total_loinc if known else None, f"{row.instrument}.total", _title(row, known))
    quantity = {"value": result["total"], "unit": unit, "system": UCUM, "code": unit}
    return _observation(row, TOTAL, code, valueQuantity=quantity, interpretation=_interpretation(known, result))


def _title(row: Any, known: Instrument | None) -> str:
    return f"{known.title if known else row.instrument} total score"


def _interpretation(known: Instrument | None, result: dict[str, Any]) -> list[Resource]:
    bands = {band.name: band.words["en"] for band in known.bands()} if known else {}
    said = [concept(bands.get(result["band"], result["band"]))] if result["band"] else []
    positive = {True: "POS", False: "NEG"}.get(result["positive"])
    return [*said, concept(None, INTERPRETED, positive)] if positive else said


def _item(row: Any, number: int, item: Any, points: int) -> Resource:
    given = forms.answer(item, points)
    value = {"valueCodeableConcept": _chosen(given["valueCoding"])} if "valueCoding" in given else given
    return _observation(row, str(number), _code(item.loinc, item.id, item.text["en"]), **value)


def _chosen(coding: Resource) -> Resource:
    return full({"coding": [coding], "text": coding["display"]})
