"""An Appointment: a visit of the clinic's books, and what the patient said to it."""

from typing import Any
from zoneinfo import ZoneInfo

from records.fhir.values import ABSENT, Resource, concept, full, instant, reference, resource, system_of

STATUSES = {
    "booked": "booked",
    "confirmed": "booked",
    "change_asked": "booked",
    "cancelled": "cancelled",
    "arrived": "arrived",
    "no_show": "noshow",
}
SAID = {"confirmed": "accepted", "change_asked": "tentative", "arrived": "accepted"}
# The books have no length: an Appointment that begins must end, so the end says that nobody knows it.
UNKNOWN = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}


def appointment(row: Any) -> Resource:
    """Return a visit; its start has the offset of its own zone."""
    whose = {"actor": reference("Patient", row.patient_id), "status": SAID.get(row.state, "needs-action")}
    others = [{"actor": {"display": who}, "status": "accepted"} for who in (row.clinician, row.place) if who]
    return resource(
        "Appointment",
        row.id,
        [row.updated_at],
        identifier=[full({"system": system_of("visit", row.source), "value": row.external_id})],
        status=STATUSES[row.state],
        appointmentType=concept(row.kind) if row.kind else None,
        start=row.starts_at.astimezone(ZoneInfo(row.zone)).isoformat(timespec="seconds"),
        _end=UNKNOWN,
        created=instant(row.booked_at),
        participant=[whose, *others],
    )
