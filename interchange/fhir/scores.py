"""Reads scores: an Observation of a total or an answer, a QuestionnaireResponse with all answers (FHIR R4)."""

from collections.abc import Iterator

from interchange import moments, scores
from interchange.fhir import questionnaires, references, values
from interchange.fhir.references import Context
from interchange.fhir.values import Resource, objects, text

Act = dict[str, object]
STATES = {
    "final": "final",
    "amended": "corrected",
    "corrected": "corrected",
    "cancelled": "withdrawn",
    "entered-in-error": "withdrawn",
    "registered": "preliminary",
    "preliminary": "preliminary",
    "unknown": "preliminary",
}
ANSWERED = {"completed": "final", "amended": "corrected", "in-progress": "final", "stopped": "final"}


def of_observation(observation: Resource, context: Context) -> list[Act]:
    """Return the scores of an observation and of its components."""
    state = STATES.get(text(observation, "status"))
    if state is None:
        context.note("status_unsupported" if text(observation, "status") else "status_missing", "/status")
        return []
    results = list(_results(observation))
    if not results or state == "preliminary":
        return [{"act": "ignore"}]
    said = _said(observation, context, state, ("effectiveDateTime", "effectiveInstant", "issued"))
    if state == "withdrawn":
        return [{"act": "score", "instrument": named.instrument, "loinc": loinc} | said for _, loinc, named in results]
    acts = []
    for result, loinc, named in results:
        empty = not any(name.startswith("value") for name in result)
        act = scores.told(named, _value(result, named), f"{context.at}/value", context.problems, empty=empty)
        acts += [act | {"loinc": loinc} | said] if act else []
    return acts


def _said(resource: Resource, context: Context, state: str, times: tuple[str, ...]) -> Act:
    patient = references.patients([resource.get("subject")], context, "/subject")
    patient = patient or references.patient(resource.get("subject"), context)
    if patient is None:
        context.note("patient_missing", "/subject")
    written = {name: values.time(resource, name) for name in times}
    stamp = next(filter(None, map(values.stamp, written.values())), None)
    if stamp is None and any(written.values()):
        context.note("time_unreadable", "/" + next(name for name in times if written[name]))
    at = moments.utc(moments.answered(stamp, context.profile.zone))
    return {"patient": patient, "state": state, "at": at, **values.as_of(resource), **values.labels(resource)}


def _results(observation: Resource) -> Iterator[tuple[Resource, str, scores.Coded]]:
    """Whatever has a code of ours and says something; a panel that only holds its members together says nothing."""
    for result in (observation, *objects(observation, "component")):
        for coding in objects(result, "code", "coding"):
            loinc = text(coding, "code")
            named = scores.coded(loinc) if "loinc" in text(coding, "system").lower() else None
            if named and (named.part != "panel" or any(name.startswith("value") for name in result)):
                yield result, loinc, named
                break


def _value(result: Resource, named: scores.Coded) -> int | None:
    answers = dict(named.answers)
    for coding in objects(result, "valueCodeableConcept", "coding"):
        if text(coding, "code") in answers:
            return answers[text(coding, "code")]
    quantity = values.look(result, "valueQuantity")
    written = quantity.get("value") if isinstance(quantity, dict) and not quantity.get("comparator") else None
    # US Core's own example of a total is a text: it is taken, and never written.
    places = (result.get("valueInteger"), written, result.get("valueString"))
    return next((value for place in places if (value := scores.whole(place)) is not None), None)


def of_response(response: Resource, context: Context) -> list[Act]:
    """Return the answers of a questionnaire as one score."""
    status = text(response, "status")
    state = ANSWERED.get(status, "withdrawn" if status == "entered-in-error" else None)
    if state is None:
        context.note("status_unsupported" if status else "status_missing", "/status")
        return []
    try:
        definition = questionnaires.instrument(response.get("questionnaire"))
    except questionnaires.Unacceptable:
        context.note("instrument_unknown", "/questionnaire")
        return []
    said = _said(response, context, state, ("authored",))
    act: Act = {"act": "score", "instrument": definition.id, **said}
    if state == "withdrawn":
        return [act]
    try:
        return [act | {"answers": list(questionnaires.answers(definition, response.get("item")))}]
    except questionnaires.Unacceptable as refused:
        for error in refused.errors:
            context.note("answer_unreadable", error["pointer"])
        alarming = questionnaires.may_alert(definition, response.get("item"))
        unclear = {"act": scores.UNCLEAR, "instrument": definition.id, "part": "form", "kind": "safety"}
        return [unclear | said] if alarming else []
