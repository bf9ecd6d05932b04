"""Reads what one turn is about: a slice of days page by page, single visits, and the patient of a visit (no database).

Nothing that an EHR says is believed to be what was asked for: a start outside of the slice is left out, and a page or
a record elsewhere is not followed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from interchange.fhir.values import Resource, objects, text
from interchange.polling import answers
from interchange.polling.answers import Visit
from interchange.polling.asking import Asker, Heard, Trouble, meaning
from interchange.polling.pacing import Slice

MOST_PAGES = 20
# In one turn; what is left is read at the next one.
MOST_REQUESTS = 40
COUNT = "50"
Beside = list[tuple[str, Resource]]
GONE = (404, 410)


@dataclass(frozen=True)
class Page:
    """What a slice holds: its visits, what the EHR warns of (codes), and whether it holds more than it gives."""

    visits: list[Visit]
    warns: frozenset[str]
    too_many: bool = False


@dataclass
class Found:
    """A visit that is told: with its patient beside it; `gone` where the EHR has it no more, and what it said."""

    name: str
    visit: Visit | None
    beside: Beside = field(default_factory=list)
    gone: Resource | None = None


@dataclass(frozen=True)
class Source:
    """Where the resources of FHIR are, and the zone of times without an offset."""

    base: str
    zone: str


def days(asker: Asker, source: Source, asked: Slice) -> Page:
    """Return the visits of a slice. Raises Trouble, also where its pages ended before they were read."""
    bounds = [("date", f"ge{asked.start.isoformat()}"), ("date", f"lt{asked.end.isoformat()}"), ("_count", COUNT)]
    bodies, codes = _pages(asker, f"{source.base}/Appointment", bounds)
    visits = [visit for body in bodies for visit in answers.visits(body, source.zone)]
    warns = frozenset(code for code in codes if meaning(code) in ("warns", "split"))
    too_many = any(meaning(code) == "split" for code in codes)
    return Page(answers.within(visits, asked), warns, too_many)


def encounters(asker: Asker, source: Source, patient: Resource, since: date) -> list[Resource]:
    """Return the encounters of a patient that a day or one after it was part of: what else an EHR shows is left out.
    Raises Trouble."""
    own = text(patient, "id")
    bounds = [("patient", own), ("date", f"ge{since.isoformat()}"), ("_count", COUNT)]
    bodies, _ = _pages(asker, f"{source.base}/Encounter", bounds)
    read = [entry.get("resource") for body in bodies for entry in objects(body, "entry")]
    named = [each for each in read if text(each, "resourceType") == "Encounter" and text(each, "id")]
    return [each for each in named if isinstance(each, Mapping) and _is_of(each, own)]


def _is_of(encounter: Resource, patient: str) -> bool:
    return text(encounter, "subject", "reference").endswith(f"Patient/{patient}")


def _pages(asker: Asker, address: str, bounds: Sequence[tuple[str, str]]) -> tuple[list[Any], set[str]]:
    """The answers to a search, page by page, and the codes that came with them."""
    heard, bodies, codes = asker.get(address, bounds), list[Any](), set[str]()
    for _ in range(MOST_PAGES):
        if heard.status != 200 or text(heard.body, "resourceType") not in ("Bundle", "OperationOutcome"):
            raise Trouble("restart" if heard.means("restart") else "answer")
        bodies.append(heard.body)
        codes |= heard.codes
        following = answers.further(heard.body)
        if not following:
            break
        heard = asker.get(following)
    else:
        codes.add("4127")
    return bodies, codes


def one(asker: Asker, source: Source, name: str) -> Found:
    """Return a visit by its name, Appointment/123. Raises Trouble."""
    heard = asker.get(f"{source.base}/{name}")
    if heard.status == 200 and text(heard.body, "resourceType") == "Appointment":
        return Found(name, answers.visit(heard.body, source.zone))
    if heard.status in GONE or heard.means("gone"):
        return Found(name, None, gone=_outcome(heard))
    if heard.means("restricted"):
        return Found(name, None, [("", _outcome(heard))])
    raise Trouble("answer")


def patient(asker: Asker, source: Source, reference: str) -> Beside:
    """Return what is known of a patient: the record; where it was merged the one that stays, under the reference that
    meant the other; where it is restricted, that it is. Raises Trouble."""
    if not reference:
        return []
    address = reference if reference.startswith(("https://", "http://")) else ""
    if address and not address.startswith(source.base):
        return []
    heard = asker.get(address or f"{source.base}/{reference}")
    if heard.means("merged") and heard.location:
        survivor = asker.get(heard.location)
        if not _is_patient(survivor):
            return [("", _outcome(heard))]
        return [(reference, survivor.body), ("", answers.replaced(reference, survivor.body))]
    if _is_patient(heard):
        return [(reference, heard.body)]
    if heard.means("restricted", "merged", "gone") or heard.status in GONE:
        return [("", _outcome(heard))]
    raise Trouble("answer")


def _is_patient(heard: Heard) -> bool:
    return heard.status == 200 and text(heard.body, "resourceType") == "Patient"


def _outcome(heard: Heard) -> dict[str, Any]:
    """An answer that is no resource as FHIR would say it, codes alone: its words may be anybody's."""
    codes: Sequence[str] = sorted(heard.codes)
    issues = [{"severity": "error", "code": "processing", "details": {"coding": [{"code": code}]}} for code in codes]
    return {"resourceType": "OperationOutcome", "issue": issues or [{"severity": "error", "code": "not-found"}]}
