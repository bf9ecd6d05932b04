"""Reads an Appointment (FHIR R4)."""

from collections.abc import Sequence
from datetime import timedelta

from interchange import moments
from interchange.fhir import patients, references, values
from interchange.fhir.references import Context
from interchange.fhir.values import Resource, objects, text
from interchange.moments import Stamp

Act = dict[str, object]
# R4 appointmentstatus. What is not booked yet gets no texts.
ACTS = {
    "booked": "visit.book",
    "arrived": "visit.arrived",
    "checked-in": "visit.arrived",
    "fulfilled": "visit.arrived",
    "cancelled": "visit.cancel",
    "entered-in-error": "visit.cancel",
    "noshow": "visit.no_show",
    "proposed": "ignore",
    "pending": "ignore",
    "waitlist": "ignore",
}


def acts(appointment: Resource, context: Context) -> list[Act]:
    """Return the act of an appointment: where it says what it must not, none, and the context's problems why."""
    status = text(appointment, "status")
    act = ACTS.get(status)
    if act is None:
        context.note("status_unsupported" if status else "status_missing", "/status")
        return []
    if act == "ignore":
        return [{"act": "ignore", "why": status}]
    booked = act == "visit.book"
    actors = [participant.get("actor") for participant in objects(appointment, "participant")]
    patient = references.patients(actors, context, "/participant")
    if patient is None and booked and not _held(context):
        context.note("patient_missing", "/participant")
    said = {
        "key": _key(appointment, context),
        **_when(appointment, context, needed=booked),
        "minutes": _minutes(appointment, context),
        "patient": patient,
    }
    said |= _person(actors, context)
    beside = _where_and_whom(appointment, actors, context) | values.as_of(appointment) | values.created(appointment)
    return [{"act": act, **said, **beside, **values.labels(appointment)}]


def _person(actors: Sequence[object], context: Context) -> Act:
    """What the patient's own resource says, where it came along."""
    sent_along = [context.along.get(text(actor, "reference")) for actor in actors]
    own = [resource for resource in sent_along if resource and text(resource, "resourceType") == "Patient"]
    if len(own) != 1:
        return {}
    return {
        "identifiers": references.identifiers(own[0], context.profile),
        "person": patients.person(own[0], context),
    }


def _held(context: Context) -> bool:
    return any(problem.code in ("several_patients", "patient_unclear") for problem in context.problems)


def _key(appointment: Resource, context: Context) -> str | None:
    """The visit's id: of the profile's system, else the first identifier with a system, else the resource's own."""
    current = [each for each in objects(appointment, "identifier") if text(each, "use") not in references.PAST]
    wanted = context.profile.appointment_system
    known = [(text(each, "system"), text(each, "value")) for each in current]
    for system, value in known:
        if value and system and wanted in ("", system):
            return f"{system}|{value}"
    if text(appointment, "id"):
        return f"Appointment/{text(appointment, 'id')}"
    alone = next((value for _, value in known if value), None)
    if alone is None:
        context.note("key_missing", "/id")
    return alone


def _when(appointment: Resource, context: Context, *, needed: bool) -> Act:
    written = values.time(appointment, "start")
    stamp = values.stamp(written)
    if stamp is None or not stamp.is_plausible:
        if written:
            context.note("start_unreadable" if needed else "time_unreadable", "/start")
        elif needed:
            context.note("start_missing", "/start")
        return {"start": None, "local": None}
    if not stamp.has_hour:
        context.note("start_without_hour", "/start")
        return {"start": None, "local": stamp.local}
    at = moments.instant(stamp, context.profile.zone, context.problems, f"{context.at}/start")
    return {"start": moments.utc(at), "local": stamp.local}


def _minutes(appointment: Resource, context: Context) -> int | None:
    said = values.look(appointment, "minutesDuration")
    length = said if type(said) is int and said > 0 else None
    if said is not None and length is None:
        context.note("minutes_unreadable", "/minutesDuration")
    between = _between(values.stamp(text(appointment, "start")), values.stamp(text(appointment, "end")))
    if length and between and length != between:
        context.note("minutes_differ", "/minutesDuration")
    return length or between


def _between(begins: Stamp | None, ends: Stamp | None) -> int | None:
    if begins is None or ends is None or not (begins.has_hour and ends.has_hour):
        return None
    lasts = (ends.wall - (ends.offset or timedelta(0))) - (begins.wall - (begins.offset or timedelta(0)))
    minutes = round(lasts.total_seconds() / 60)
    return minutes if 0 < minutes <= 1_440 else None


def _where_and_whom(appointment: Resource, actors: list[object], context: Context) -> Act:
    named = {
        "place": _display("Location", actors, context),
        "clinician": _display("Practitioner", actors, context),
        "kind": values.concept(appointment, "appointmentType") or values.concept({"of": _service(appointment)}, "of"),
    }
    return {name: words for name, words in named.items() if words}


def _service(appointment: Resource) -> object:
    return values.look(appointment, "serviceType", 0)


def _display(kind: str, actors: list[object], context: Context) -> str:
    for actor in actors:
        reference = text(actor, "reference")
        resource = context.along.get(reference)
        if text(resource, "resourceType") == kind or reference.rpartition("/")[0].endswith(kind):
            return text(actor, "display") or text(resource, "name")
    return ""
