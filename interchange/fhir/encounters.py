"""Reads an Encounter (FHIR R4, and R5's class) of somebody in an emergency department, or of an inpatient; any other
says nothing here."""

from collections.abc import Callable, Iterator

from interchange import moments
from interchange.fhir import patients, references, values
from interchange.fhir.references import Context
from interchange.fhir.values import Resource, objects, text
from interchange.profiles import Profile

Act = dict[str, object]
CANCELLED = ("cancelled", "entered-in-error", "discontinued")
ENDED = ("finished", "completed", "discharged")
# Nobody is there yet.
AHEAD = ("planned",)


def acts(encounter: Resource, context: Context) -> list[Act]:
    """Return that somebody was in an emergency department, or when they were an inpatient, or that this is taken back;
    nothing of any other."""
    status, codes = text(encounter, "status"), set(_classes(encounter))
    kept: dict[str, tuple[list[str], Callable[[Resource, Context], Act]]] = {
        "emergency.visit": (context.profile.emergency, _visit),
        "inpatient.stay": (context.profile.inpatient, _stay),
    }
    readings = {name: told for name, (classes, told) in kept.items() if codes.intersection(classes)}
    if not readings or status in AHEAD:
        return []
    subject = encounter.get("subject")
    patient = references.patients([subject], context, "/subject")
    if patient is None:
        context.note("patient_missing", "/subject")
        return []
    key, begins = _key(encounter), any(_visit(encounter, context).values())
    if key is None or not (begins or status in CANCELLED):
        _refuse(encounter, context, key)
        return []
    sent_along = context.along.get(text(subject, "reference"))
    whose: Act = {"patient": patient, "person": patients.person(sent_along, context) if sent_along else {}}
    said = values.as_of(encounter) | values.labels(encounter)
    return [
        {"act": name.partition(".")[0] + ".cancel" if status in CANCELLED else name, "key": key}
        | told(encounter, context) | whose | said
        for name, told in readings.items()
    ]  # fmt: skip


def _refuse(encounter: Resource, context: Context, key: str | None) -> None:
    if key is None:
        context.note("key_missing", "/id")
    else:
        written = values.time(encounter, "period", "start")
        context.note("start_unreadable" if written else "start_missing", "/period/start")


def says_something(encounter: Resource, profile: Profile) -> bool:
    """Whether an Encounter is of an emergency department or a stay, as a feed's profile calls them."""
    return bool(set(_classes(encounter)).intersection([*profile.emergency, *profile.inpatient]))


def _visit(encounter: Resource, context: Context) -> Act:
    """When a visit to an emergency department began, None where that is not plain."""
    stamp = values.stamp(text(encounter, "period", "start"))
    return {"at": moments.utc(moments.answered(stamp, context.profile.zone))}


def _stay(encounter: Resource, context: Context) -> Act:
    """The edges of a stay. One that has ended and does not say when did so when the resource was last written."""
    status, zone = text(encounter, "status"), context.profile.zone
    if status in CANCELLED:
        return {}
    start, end = (values.stamp(values.time(encounter, "period", edge)) for edge in ("start", "end"))
    if end is None and values.time(encounter, "period", "end"):
        context.note("time_unreadable", "/period/end")
    discharged_at = moments.utc(moments.edge(end, zone, ends=True))
    if discharged_at is None and status in ENDED:
        discharged_at = values.as_of(encounter).get("as_of")
        if discharged_at is None:
            context.note("end_missing", "/period/end")
    return {"admitted_at": moments.utc(moments.edge(start, zone)), "discharged_at": discharged_at}


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
