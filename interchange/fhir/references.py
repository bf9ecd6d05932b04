"""Who is meant: references between resources, and the identifiers of a patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from interchange import people
from interchange.fhir import modifiers
from interchange.fhir.values import Resource, objects, text
from interchange.people import Identifier
from interchange.problems import Problems
from interchange.profiles import Profile

# Identifiers of before, and those that somebody else gave.
PAST = ("old", "secondary")


@dataclass(frozen=True)
class Context:
    """What a resource is read with: the feed's profile, the resources that came along, and where it stands."""

    profile: Profile
    problems: Problems
    along: Mapping[str, Resource] = field(default_factory=dict)
    at: str = ""

    def note(self, code: str, path: str = "") -> None:
        """Tell a problem at a path of this resource."""
        self.problems.note(code, f"{self.at}{path}")


def identifiers(resource: Resource, profile: Profile) -> list[Identifier]:
    """Return a patient's identifiers, the resource's own id last."""
    known = []
    for entry in objects(resource, "identifier"):
        if text(entry, "value") and text(entry, "use") not in PAST:
            kind = text(entry, "type", "coding", 0, "code")
            known.append(people.identifier(text(entry, "value"), text(entry, "system"), kind, profile))
    own = text(resource, "id")
    return [*known, *([_by_id(own, None)] if own else [])]


def _by_id(own: str, authority: str | None) -> Identifier:
    return {"identifier": own, "authority": authority, "reference": f"Patient/{own}"}


def preferred(known: Sequence[Identifier], profile: Profile) -> Identifier | None:
    """Return the identifier by which the feed knows a patient: of the profile's system, else of its types, else the
    first."""
    of_system = (each for each in known if profile.patient_system and each["authority"] == profile.patient_system)
    return next(of_system, None) or people.preferred(known, profile)


def patient(actor: object, context: Context) -> Identifier | None:
    """Return the patient that a reference means, None where it means none or cannot be followed."""
    reference = text(actor, "reference")
    sent_along = context.along.get(reference)
    if sent_along is not None:
        return preferred(identifiers(sent_along, context.profile), context.profile)
    if text(actor, "identifier", "value"):
        system = text(actor, "identifier", "system")
        return people.identifier(text(actor, "identifier", "value"), system, "", context.profile)
    base, named, own = reference.partition("/_history/")[0].rpartition("Patient/")
    return _by_id(own, base.rstrip("/") or context.profile.authority or None) if named and own else None


def _is_patient(actor: object) -> bool:
    reference = text(actor, "reference")
    return reference.startswith("Patient/") or "/Patient/" in reference or text(actor, "type") == "Patient"


def patients(actors: Sequence[object], context: Context, path: str) -> Identifier | None:
    """Return the one patient among these actors; several are told, and one that cannot be followed."""
    known: list[Identifier] = []
    for actor in actors:
        sent_along = context.along.get(text(actor, "reference"))
        if not _is_patient(actor) and text(sent_along, "resourceType") != "Patient":
            continue
        who = patient(actor, context)
        if who is None:
            context.note("patient_unclear", path)
        elif who not in known:
            known.append(who)
    if len(known) > 1:
        context.note("several_patients", path)
    return known[0] if len(known) == 1 else None


def along(bundle: Resource) -> dict[str, Resource]:
    """Return the resources of a bundle by the references that may mean them; but none that is not understood."""
    named: dict[str, Resource] = {}
    for entry in objects(bundle, "entry"):
        resource = entry.get("resource")
        if isinstance(resource, Mapping) and modifiers.of(resource) is None:
            kind, own = text(resource, "resourceType"), text(resource, "id")
            named |= {name: resource for name in (text(entry, "fullUrl"), f"{kind}/{own}" if own else "") if name}
    return named


def contained(resource: Resource) -> dict[str, Resource]:
    """Return the resources inside a resource by "#id"."""
    return {f"#{text(inner, 'id')}": inner for inner in objects(resource, "contained")}
