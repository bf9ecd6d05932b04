"""An EpisodeOfCare: a course of collaborative care, from enrolment to discharge."""

from collections.abc import Mapping
from typing import Any

from records.fhir import phrases
from records.fhir.values import OURS, Resource, colleague, concept, full, period, reference, resource

STATUSES = {"active": "active", "relapse_prevention": "active", "discharged": "finished"}


def episode(row: Any, clinic: Any, names: Mapping[Any, str]) -> Resource:
    """Return an episode; relapse prevention is active care, and its type says which."""
    ended = row.ended_on.isoformat() if row.ended_on else None
    kinds = [concept(phrases.say("services", "care"), f"{OURS}:service", "care")]
    return resource(
        "EpisodeOfCare",
        row.id,
        [row.created_at, row.phase_at],
        status=STATUSES[row.phase],
        type=[*kinds, concept(phrases.say("phases", row.phase), f"{OURS}:phase", row.phase)],
        diagnosis=[full({"condition": {"display": row.diagnosis}})] if row.diagnosis else None,
        patient=reference("Patient", row.patient_id),
        managingOrganization={"display": clinic.name},
        period=period(row.enrolled_on.isoformat(), ended),
        careManager=colleague(row.manager_id, names),
    )
