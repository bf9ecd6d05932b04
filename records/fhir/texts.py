"""A Communication: one text with a patient, in or out."""

from collections.abc import Mapping
from typing import Any

from records.fhir import phrases
from records.fhir.values import OURS, Resource, colleague, concept, instant, reference, resource

STATUSES = {
    "received": "completed",
    "queued": "preparation",
    "held": "on-hold",
    "sending": "in-progress",
    "sent": "completed",
    "delivered": "completed",
    "undelivered": "not-done",
    "failed": "not-done",
    "cancelled": "not-done",
    "unknown": "unknown",
}
MODES = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"


def communication(row: Any, clinic: Any, names: Mapping[Any, str], body: str | None) -> Resource:
    """Return a text. `body` has the patient's own links left out, and is None where its words are no longer kept."""
    inward = row.direction == "in"
    whose, ours = reference("Patient", row.patient_id), {"display": clinic.name}
    by = colleague(row.author_id, names)
    status = STATUSES.get(row.state, "unknown")
    return resource(
        "Communication",
        row.id,
        [row.created_at, row.sent_at, row.delivered_at, row.emptied_at],
        status=status,
        statusReason=_reason(row) if status == "not-done" else None,
        category=[concept(phrases.say("text_kinds", row.kind), f"{OURS}:text-kind", row.kind)],
        medium=[concept(None, MODES, "SMSWRIT")],
        subject=whose,
        sent=None if inward else instant(row.sent_at),
        received=instant(row.created_at if inward else row.delivered_at),
        recipient=[ours if inward else whose],
        sender=whose if inward else by or ours,
        payload=[{"contentString": body}] if body else None,
    )


def _reason(row: Any) -> Resource:
    words = phrases.words()["not_sent"]
    return concept(words["code"].format(code=row.error_code) if row.error_code else words["plain"])
