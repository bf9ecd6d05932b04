"""What somebody owes a patient: a Task of the team, a ServiceRequest for a warm handoff or a referral, the Task that
says how far it is, and the Flag of a patient's safety."""

from collections.abc import Mapping, Sequence
from typing import Any

from records.fhir import phrases
from records.fhir.values import OURS, Resource, colleague, concept, full, instant, period, reference, resource

TASKS = {"open": "requested", "claimed": "in-progress", "snoozed": "on-hold", "done": "completed"}
ENDED_OTHERWISE = {"task_not_possible": "failed", "task_not_needed": "cancelled", "withdrawn": "cancelled"}
REQUESTS = {
    "asked": "active",
    "offered": "active",
    "accepted": "active",
    "told": "active",
    "arrived": "active",
    "referred": "active",
    "met": "completed",
    "scheduled": "completed",
    "contacted": "completed",
    "declined": "revoked",
    "left": "revoked",
    "lost": "revoked",
    "cancelled": "revoked",
}

FULFILLED = {
    "asked": "requested",
    "offered": "requested",
    "referred": "requested",
    "accepted": "accepted",
    "told": "accepted",
    "arrived": "in-progress",
    "met": "completed",
    "scheduled": "completed",
    "contacted": "completed",
    "declined": "rejected",
    "left": "failed",
    "lost": "failed",
    "cancelled": "cancelled",
}


# Until somebody has ended the item, whatever they have done of it meanwhile.
FLAGS = {"open": "active", "claimed": "active", "snoozed": "active", "done": "inactive"}


def flag(item: Any) -> Resource:
    """Return that somebody must look after a patient's safety: since when, and until when. It says neither what they
    have said nor how it ended."""
    return resource(
        "Flag",
        item.id,
        [item.created_at, item.acknowledged_at, item.done_at],
        status=FLAGS[item.state],
        category=[concept(None, "http://terminology.hl7.org/CodeSystem/flag-category", "safety", "Safety")],
        code=concept(phrases.say("services", "safety"), f"{OURS}:service", "safety"),
        subject=reference("Patient", item.patient_id),
        period=period(instant(item.created_at), instant(item.done_at)),
    )


def task(item: Any, words: str | None, made_by: Any, names: Mapping[Any, str]) -> Resource:
    """Return a task; `words` are what to do beyond its title."""
    status = ENDED_OTHERWISE.get(item.disposition, TASKS[item.state]) if item.state == "done" else TASKS[item.state]
    return resource(
        "Task",
        item.task_id,
        [item.created_at, item.acknowledged_at, item.done_at],
        status=status,
        businessStatus=concept(None, f"{OURS}:outcome", item.disposition) if item.disposition else None,
        intent="order",
        description=item.summary,
        **{"for": reference("Patient", item.patient_id)},
        executionPeriod=period(instant(item.acknowledged_at), instant(item.done_at)),
        authoredOn=instant(item.created_at),
        lastModified=instant(max(at for at in (item.created_at, item.acknowledged_at, item.done_at) if at)),
        requester=colleague(made_by, names),
        owner=colleague(item.owner_id, names),
        note=[{"text": words}] if words else None,
        restriction={"period": {"end": instant(item.answer_by)}},
    )


def service_request(row: Any, reasons: Sequence[tuple[str, str]], names: Mapping[Any, str]) -> Resource:
    """Return a handoff or, where it is for later, a referral; `reasons` are keys with their words."""
    service = "referral" if row.modality == "later" else "handoff"
    performer = colleague(row.colleague_id, names)
    return resource(
        "ServiceRequest",
        row.id,
        [row.requested_at, row.state_at, row.ended_at, row.contact_at],
        status=REQUESTS[row.state],
        intent="order",
        priority="urgent" if row.urgent else "routine",
        code=concept(phrases.say("services", service), f"{OURS}:service", service),
        subject=reference("Patient", row.patient_id),
        occurrenceDateTime=instant(row.met_at),
        authoredOn=instant(row.requested_at),
        performer=[performer] if performer else None,
        locationCode=[concept(row.place)] if row.place else None,
        reasonCode=[concept(words, f"{OURS}:handoff-reason", key) for key, words in reasons],
        note=[{"text": row.note}] if row.note else None,
        orderDetail=[full(concept(None, f"{OURS}:handoff-way", row.modality))],
    )


def fulfilment(row: Any, names: Mapping[Any, str]) -> Resource:
    """Return how far a handoff or referral is: a Task with its ServiceRequest in `focus`, as FHIR R4's workflow and the
    referrals of SDOH Clinical Care have it."""
    return resource(
        "Task",
        f"{row.id}.task",
        [row.requested_at, row.state_at, row.ended_at, row.contact_at],
        status=FULFILLED[row.state],
        businessStatus=concept(None, f"{OURS}:outcome", row.outcome) if row.outcome else None,
        intent="order",
        priority="urgent" if row.urgent else "routine",
        code=concept(None, "http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
        focus=reference("ServiceRequest", row.id),
        **{"for": reference("Patient", row.patient_id)},
        executionPeriod=period(instant(row.met_at), instant(row.ended_at) if row.met_at else None),
        authoredOn=instant(row.requested_at),
        lastModified=instant(row.state_at or row.requested_at),
        owner=colleague(row.colleague_id, names),
    )
