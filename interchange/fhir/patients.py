"""Reads a Patient (FHIR R4): who they are, how they are reached, whether they have died, into whom they were merged."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from interchange import people
from interchange.fhir import references, values
from interchange.fhir.references import Context
from interchange.fhir.values import Resource, objects, text
from interchange.people import Identifier, Person

Act = dict[str, object]
# The names by which somebody is called, the best first; by "old", "maiden" and "anonymous" nobody is.
USES = ("official", "usual", "", "temp", "nickname")
KINDS = {"mobile": "mobile", "home": "home", "work": "work", "temp": "other", "": None}


def acts(patient: Resource, context: Context) -> list[Act]:
    """Return that a patient changed, and that they died or are one with another record where it says so."""
    known = references.identifiers(patient, context.profile)
    who = references.preferred(known, context.profile)
    if who is None:
        context.note("patient_missing", "/identifier")
        return []
    active = {} if patient.get("active") is not False else {"active": False}
    update: Act = {"act": "patient.update", "patient": who, "identifiers": known, "person": person(patient, context)}
    return [update | active | values.labels(patient), *_death(patient, who), *_merges(patient, who, context)]


def person(patient: Resource, context: Context) -> Person:
    """Return what a Patient says of the person; a key that is not there changes nothing."""
    said: Person = {}
    by_use = {text(name, "use"): name for name in reversed(list(objects(patient, "name")))}
    called = next((by_use[use] for use in USES if use in by_use), None)
    if called is None:
        context.note("name_missing", "/name")
    else:
        said["last_name"] = text(called, "family")
        said["first_name"] = text(called, "given", 0) or ("" if said["last_name"] else text(called, "text"))
    born = _born(patient, context) if "birthDate" in patient else None
    if born:
        said["birth_date"] = born
    if sex := context.profile.sexes.get(text(patient, "gender").lower()):
        said["sex"] = sex
    if language := _language(patient, context):
        said["language"] = language
    phones = list(_phones(patient, context))
    return said | ({"phones": phones} if phones else {})


def _born(patient: Resource, context: Context) -> str | None:
    return people.born(_day(values.time(patient, "birthDate")), f"{context.at}/birthDate", context.problems)


def _day(written: str) -> date | None:
    stamp = values.stamp(written)
    return stamp.wall.date() if stamp else None


def _language(patient: Resource, context: Context) -> str | None:
    spoken = list(objects(patient, "communication"))
    preferred = next((each for each in spoken if each.get("preferred") is True), spoken[0] if len(spoken) == 1 else {})
    written = [text(coding, "code") for coding in objects(preferred, "language", "coding")]
    words = [*written, text(preferred, "language", "text")]
    where = f"{context.at}/communication"
    return people.language(words, where, context.profile, context.problems) if any(words) else None


def _phones(patient: Resource, context: Context) -> Iterator[dict[str, Any]]:
    for place, point in enumerate(objects(patient, "telecom")):
        use, over = text(point, "use"), text(point, "period", "end")
        if text(point, "system") in ("phone", "sms") and use != "old" and not over and text(point, "value"):
            kind = "mobile" if text(point, "system") == "sms" else KINDS.get(use)
            where = f"{context.at}/telecom/{place}"
            yield people.telephone([text(point, "value")], kind, None, where, context.profile, context.problems)


def _death(patient: Resource, who: Identifier) -> list[Act]:
    at = values.time(patient, "deceasedDateTime")
    day = _day(at)
    dead = patient.get("deceasedBoolean") is True or text(patient, "deceasedBoolean").lower() == "true" or bool(at)
    return [{"act": "patient.deceased", "on": day.isoformat() if day else None, "patient": who}] if dead else []


def _merges(patient: Resource, who: Identifier, context: Context) -> list[Act]:
    acts: list[Act] = []
    for link in objects(patient, "link"):
        other = references.patient(link.get("other"), context)
        kind = text(link, "type")
        if kind not in ("replaces", "replaced-by"):
            continue
        if other is None or other == who:
            context.note("merge_incomplete" if other is None else "merge_with_itself", "/link")
            continue
        stays, gone = (who, other) if kind == "replaces" else (other, who)
        acts.append({"act": "patient.merge", "patient": stays, "merged": gone})
    return acts
