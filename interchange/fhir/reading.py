"""What a FHIR R4 resource or bundle says, as acts, and what was wrong with it; one bad entry does not keep the rest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from interchange import labels as sensitivity
from interchange import scores as forms
from interchange.fhir import appointments, encounters, labels, modifiers, outcomes, patients, references, scores
from interchange.fhir.references import Context
from interchange.fhir.values import Resource, objects, text
from interchange.problems import Problems, heaviest, waiting
from interchange.profiles import Profile

Act = dict[str, object]
READERS: dict[str, Callable[[Resource, Context], list[Act]]] = {
    "Appointment": appointments.acts,
    "Encounter": encounters.acts,
    "Patient": patients.acts,
    "Observation": scores.of_observation,
    "QuestionnaireResponse": scores.of_response,
}
REFUSED = ("rejected", "error")


@dataclass(frozen=True)
class Reading:
    """What was said: whether it was taken, its acts in order, its problems."""

    taken: bool
    acts: list[Act]
    problems: Problems


def read(resource: Resource, profile: Profile) -> Reading:
    """Return what a resource says. Nothing is raised, whatever it holds."""
    problems = Problems()
    if text(resource, "resourceType") == "Bundle":
        acts = _bundle(resource, profile, problems)
        return Reading(bool(acts) or heaviest(problems) not in REFUSED, acts, problems)
    acts = _resource(resource, Context(profile, problems, references.contained(resource)))
    acts = acts or ([] if problems else [{"act": "ignore"}])
    landed = any(act["act"] == "score" for act in acts)
    return Reading(landed or heaviest(problems) not in REFUSED, acts, problems)


def _resource(resource: Resource, context: Context, turned: str | None = None) -> list[Act]:
    """What a resource says; `turned` is what changes its meaning from around it."""
    kind = text(resource, "resourceType")
    if kind == "OperationOutcome":
        outcomes.note(resource, context)
        return [{"act": "ignore"}]
    reader = READERS.get(kind)
    if reader is None:
        context.note("resource_unknown", "/resourceType")
        return []
    acts = reader(resource, context)
    if labels.is_part_two(resource, context.profile):
        acts = [*acts, *sensitivity.acts(acts)]
    turned = turned or modifiers.of(resource)
    if turned is not None:
        context.note("modifier_unknown", f"/{turned}")
    if heaviest(context.problems) in REFUSED:
        # What of a form can be read lands, and what may be an alarm is told, whatever else of it is wrong.
        told = [
            act if act.get("patient") and turned is None else forms.unclear(act)
            for act in acts
            if str(act["act"]).startswith("score")
        ]
        return [act for act in told if act]
    return waiting(acts, context.problems)


def _bundle(bundle: Resource, profile: Profile, problems: Problems) -> list[Act]:
    if not isinstance(bundle.get("entry", []), list):
        problems.note("resource_malformed", "/entry")
        return []
    if any(text(link, "relation") == "next" for link in objects(bundle, "link")):
        problems.note("more_pages", "/link")
    along, turned = references.along(bundle), modifiers.around(bundle, "entry")
    acts: list[Act] = []
    for place, entry in enumerate(bundle.get("entry", [])):
        own = Problems()
        acts += _entry(entry, Context(profile, own, along, f"/entry/{place}/resource"), turned)
        problems += own
    # A bundle bears the labels of whatever stands in it.
    if labels.is_part_two({"meta": bundle.get("meta")}, profile):
        acts += sensitivity.acts([act for act in acts if act["act"] != sensitivity.PART_TWO])
    return acts or ([] if problems else [{"act": "ignore"}])


def _without(entry: Any) -> str:
    return "entry_without_resource" if isinstance(entry, Mapping) else "resource_malformed"


def _entry(entry: Any, context: Context, turned: str | None) -> list[Act]:
    """What an entry says. Resources of other kinds, the places and people beside a visit, are no problem."""
    resource = entry.get("resource") if isinstance(entry, Mapping) else None
    if not isinstance(resource, Mapping):
        deletes = text(entry, "request", "method").upper() == "DELETE"
        context.note("entry_deletes" if deletes else _without(entry))
        return []
    kind = text(resource, "resourceType")
    if kind == "OperationOutcome":
        outcomes.note(resource, context)
        return []
    if not kind:
        context.note("resource_malformed", "/resourceType")
        return []
    if kind == "Bundle":  # what stands in it would be lost in silence
        context.note("resource_unknown", "/resourceType")
        return []
    if kind not in READERS:
        return []
    inside = {**context.along, **references.contained(resource)}
    turned = turned or modifiers.around(entry, "resource")
    return _resource(resource, Context(context.profile, context.problems, inside, context.at), turned)
