"""Reads an Encounter (FHIR R4, and R5's class) of somebody in an emergency department; any other says nothing here."""

from collections.abc import Iterator

from interchange import moments
from interchange.fhir import patients, references, values
from interchange.fhir.references import Context
from interchange.fhir.values import Resource, objects, text

Act = dict[str, object]
CANCELLED = ("cancelled", "entered-in-error", "discontinued")
# Nobody is there yet.
AHEAD = ("planned",)


def acts(encounter: Resource, context: Context) -> list[Act]:
    """Return that somebody was in an emergency department, or that this is taken back; nothing of any other."""
    status = text(encounter, "status")
    if not any(code in context.profile.emergency for code in _classes(encounter)) or status in AHEAD:
        return []
    subject = encounter.get("subject")
    patient = references.patients([subject], context, "/subject")
    if patient is None:
        context.note("patient_missing", "/subject")
        return []
    stamp = values.stamp(text(encounter, "period", "start"))
    began = moments.utc(moments.answered(stamp, context.profile.zone))
    key, cancelled = _key(encounter), status in CANCELLED
    if key is None or (began is None and not cancelled):
        context.note("key_missing" if key is None else "start_missing", "/id" if key is None else "/period/start")
        return []
    sent_along = context.along.get(text(subject, "reference"))
    person = patients.person(sent_along, context) if sent_along else {}
    name = "emergency.cancel" if cancelled else "emergency.visit"
    act: Act = {"act": name, "key": key, "at": began, "patient": patient, "person": person}
    return [act | values.as_of(encounter) | values.labels(encounter)]


def _classes(encounter: Resource) -> Iterator[str]:
    """The codes of its class: of R4 a Coding, of R5 a list of CodeableConcept."""
    yield text(encounter, "class", "code").upper()
    for concept in objects(encounter, "class"):
        yield from (text(coding, "code").upper() for coding in objects(concept, "coding"))


def _key(encounter: Resource) -> str | None:
    """The visit's id: the first identifier with a system that is not of before, else the resource's own."""
    current = [each for each in objects(encounter, "identifier") if text(each, "use") not in references.PAST]
    named = (
        f"{text(each, 'system')}|{text(each, 'value')}"
        for each in current
        if text(each, "system") and text(each, "value")
    )
    own = text(encounter, "id")
    return next(named, f"Encounter/{own}" if own else None)
