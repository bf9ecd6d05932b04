"""Sends one part to an EHR, and finds out whether it has it already (no database).

No EHR here knows a conditional create, so that whatever may have been sent is looked for by its identifier first, and
what is found is believed only where it bears that identifier: an EHR that does not know the parameter gives everything.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from interchange.fhir.values import objects, text
from interchange.polling import answers
from interchange.polling.asking import Asker, Heard, Trouble, meaning
from records.fhir.values import Resource
from records.writing.contents import NOTE, SYSTEM, Part

FHIR, FORM = "application/fhir+json", "application/x-www-form-urlencoded"
MOST_PAGES = 20
# What an EHR's code means, where a part is not taken; whatever else stands for itself.
MEANINGS = ("restricted", "refused", "flowsheet", "content", "gone", "limit", "merged")
BY_STATUS = {403: "refused", 404: "unsupported", 405: "unsupported", 410: "gone", 501: "unsupported"}


class Refused(Exception):
    """The EHR does not take a part: `why` is a word of ours for it, `code` the EHR's own."""

    def __init__(self, why: str, code: str) -> None:
        super().__init__(why)
        self.why, self.code = why, code


class Merged(Exception):
    """The patient is another record over there by now: `reference` is the one that stays."""

    def __init__(self, reference: str) -> None:
        super().__init__("merged")
        self.reference = reference


@dataclass(frozen=True)
class Place:
    """Where parts go: resources to `base`, notes of a visit to `notes`; `patient` is whom they are about there."""

    base: str
    patient: str = ""
    notes: str = ""


def send(asker: Asker, part: Part, place: Place, *, look_first: bool) -> str:
    """Send a part and return what the EHR calls it. Raises Refused, Merged, and Trouble where nobody knows."""
    there = part.replaces or (find(asker, part, place) if look_first else "")
    if there and not part.is_kept_current:
        return there
    if there:
        heard = asker.put(f"{place.base}/{there}", FHIR, json.dumps({**part.body, "id": _id(there)}).encode())
    elif part.form == NOTE:
        heard = asker.post(place.notes, FORM, urlencode(part.body).encode())
    else:
        heard = asker.post(f"{place.base}/{part.type}", FHIR, json.dumps(part.body).encode())
    if 200 <= heard.status < 300:
        return there or _named(heard, part)
    return _refused(asker, part, place, heard)


def _id(reference: str) -> str:
    return reference.rpartition("/")[2]


def _named(heard: Heard, part: Part) -> str:
    """What the EHR calls what it has just taken; the type alone where it does not say."""
    if part.form == NOTE:
        return NOTE
    own = text(heard.body, "id") if text(heard.body, "resourceType") == part.type else ""
    return f"{part.type}/{own or _located(heard.location, part.type)}".removesuffix("/")


def _located(location: str, kind: str) -> str:
    """The id in the address of what was made, which may name its version too."""
    return location.partition("/_history/")[0].rpartition(f"{kind}/")[2]


def _refused(asker: Asker, part: Part, place: Place, heard: Heard) -> str:
    if heard.means("duplicate") and not part.replaces and (there := find(asker, part, place)):
        return there
    if heard.means("merged") and "Patient/" in heard.location:
        raise Merged(f"Patient/{_located(heard.location, 'Patient')}")
    code = next((each for each in sorted(heard.codes) if meaning(each) in (*MEANINGS, "duplicate")), "")
    why = meaning(code) or BY_STATUS.get(heard.status, "other")
    raise Refused(why, code or next(iter(sorted(heard.codes)), str(heard.status)))


def find(asker: Asker, part: Part, place: Place) -> str:
    """Return what the EHR calls a part that it has, "" where it has none. Raises Refused where it lets nobody look,
    as then nobody can know, and Trouble."""
    try:
        return _found_note(asker, part, place) if part.form == NOTE else _found(asker, part, place)
    except Trouble as trouble:
        if trouble.why == "not_authorised":
            raise Refused("unknown", "") from None
        raise


def _found(asker: Asker, part: Part, place: Place) -> str:
    wanted = [
        ("patient", place.patient.removeprefix("Patient/")),
        ("identifier", f"{SYSTEM}|{part.mark}"),
        *_code(part),
    ]
    heard = asker.get(f"{place.base}/{part.type}", wanted)
    for _ in range(MOST_PAGES):
        if heard.status != 200:
            raise Refused("unknown", str(heard.status))
        for resource in (entry.get("resource") for entry in objects(heard.body, "entry")):
            if text(resource, "resourceType") == part.type and part.mark in _marks(resource):
                return f"{part.type}/{text(resource, 'id')}"
        following = answers.further(heard.body)
        if not following:
            return ""
        heard = asker.get(following)
    raise Refused("unknown", "")


def _code(part: Part) -> list[tuple[str, str]]:
    """Observations are looked for by their code as well: Epic asks for one, and does not search them by identifier."""
    codings = part.body.get("code", {}).get("coding", []) if part.type == "Observation" else []
    return [("code", f"{each['system']}|{each['code']}") for each in codings[:1]]


def _marks(resource: object) -> Iterator[str]:
    """Our own identifiers in a resource: one, or a list of them."""
    alone = text(resource, "identifier", "value") if text(resource, "identifier", "system") == SYSTEM else ""
    yield from filter(None, [alone])
    yield from (text(each, "value") for each in objects(resource, "identifier") if text(each, "system") == SYSTEM)


def _found_note(asker: Asker, part: Part, place: Place) -> str:
    heard = asker.get(place.notes)
    if heard.status != 200:
        raise Refused("unknown", str(heard.status))
    listed: list[Resource] = heard.body if isinstance(heard.body, list) else list(objects(heard.body, "notes"))  # type: ignore[arg-type]
    return NOTE if any(part.mark in text(each, "notetext") for each in listed) else ""
