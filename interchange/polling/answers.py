"""What is made of an EHR's answers: visits to tell, each with what is known of its patient beside it (pure)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from interchange import moments
from interchange.fhir import values
from interchange.fhir.values import Resource, objects, text
from interchange.polling.pacing import Slice
from interchange.problems import Problems

EASTERN = ZoneInfo("America/New_York")
# athenaOne: x cancelled, f to come, 2 checked in, 3 checked out, 4 charged; o is a slot that nobody has.
LETTERS = {"x": "cancelled", "f": "booked", "2": "checked-in", "3": "fulfilled", "4": "fulfilled"}


@dataclass(frozen=True)
class Visit:
    """A visit as it was read: its resource, and when it begins as far as that can be told."""

    resource: Resource
    starts_at: datetime | None

    @property
    def name(self) -> str:
        """Return what it is called: Appointment/123."""
        return f"Appointment/{text(self.resource, 'id')}"

    @property
    def patient(self) -> str:
        """Return the reference to its patient, "" where it names none or several."""
        named = {text(each, "actor", "reference") for each in objects(self.resource, "participant")}
        own = [reference for reference in named if reference.rpartition("/")[0].endswith("Patient")]
        return own[0] if len(own) == 1 else ""


def digest(resource: object) -> str:
    """Return a hash of a resource, the same however its keys are ordered."""
    return hashlib.sha256(json.dumps(resource, sort_keys=True).encode()).hexdigest()


def visit(resource: Resource, zone: str) -> Visit:
    """Return a visit that was read; a start without an offset is by the clock of `zone`."""
    stamp = values.stamp(text(resource, "start"))
    known = stamp is not None and stamp.has_hour and stamp.is_plausible
    return Visit(resource, moments.instant(stamp, zone, Problems(), "") if stamp and known else None)


def within(found: Sequence[Visit], asked: Slice) -> list[Visit]:
    """Return those that were asked for, as an EHR leaves out what it does not know of a search; and those whose start
    cannot be told."""
    return [each for each in found if each.starts_at is None or asked.start <= each.starts_at < asked.end]


def visits(bundle: object, zone: str) -> list[Visit]:
    """Return the visits of an answer."""
    found = [entry.get("resource") for entry in objects(bundle, "entry")]
    booked = [each for each in found if text(each, "resourceType") == "Appointment" and text(each, "id")]
    return [visit(each, zone) for each in booked if isinstance(each, Mapping)]


def further(bundle: object) -> str:
    """Return where the next page is, "" where there is none."""
    return next((text(link, "url") for link in objects(bundle, "link") if text(link, "relation") == "next"), "")


def told(resource: Resource, beside: Sequence[tuple[str, Resource]]) -> dict[str, Any]:
    """Return a resource as a bundle that is kept, with what was read beside it under the references that mean it."""
    others = [({"fullUrl": name} if name else {}) | {"resource": each} for name, each in beside]
    entries = [{"resource": resource}, *others]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def replaced(reference: str, survivor: Resource) -> dict[str, Any]:
    """Return what FHIR says of a patient who was merged into another: the record is replaced by the survivor's."""
    other = {"reference": f"Patient/{text(survivor, 'id')}"}
    return {
        "resourceType": "Patient",
        "id": reference.rpartition("/")[2],
        "active": False,
        "name": survivor.get("name", []),
        "link": [{"other": other, "type": "replaced-by"}],
    }


def of_row(row: Resource, practice: str) -> Resource | None:
    """Return a row of the queue of changed visits as an Appointment; None for a slot that nobody has."""
    letter, number, who = (_word(row, name) for name in ("appointmentstatus", "appointmentid", "patientid"))
    if letter == "o" or not number:
        return None
    status = LETTERS.get(letter, letter)
    # That nobody came is a reason to cancel there, and no state.
    if status == "cancelled" and "NOSHOW" in _word(row, "cancelreasonname").upper().replace(" ", "").replace("-", ""):
        status = "noshow"
    actors = [("Patient", f"a-{practice}.E-{who}", "")] if who else []
    actors += [("Practitioner", f"a-{practice}.Provider-{_word(row, 'providerid')}", _word(row, "providername"))]
    actors += [("Location", f"a-{practice}.Department-{_word(row, 'departmentid')}", _word(row, "departmentname"))]
    named = [{"actor": {"reference": f"{kind}/{own}", "display": shown}} for kind, own, shown in actors]
    made: dict[str, Any] = {
        "resourceType": "Appointment",
        "id": number,
        "status": status,
        "start": _start(row),
        "participant": named,
    }
    minutes, changed = _word(row, "duration"), _eastern(_word(row, "lastmodified"))
    made |= {"minutesDuration": int(minutes)} if minutes.isdecimal() else {}
    return made | ({"meta": {"lastUpdated": changed}} if changed else {})


def _word(row: Resource, name: str) -> str:
    value = row.get(name)
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _start(row: Resource) -> str:
    """The start by the clock of the department, which the row does not name: the feed's zone is meant. What is no time
    is told as it stands, to be refused as such."""
    written = f"{_word(row, 'date')} {_word(row, 'starttime')}".strip()
    try:
        at = datetime.strptime(written, "%m/%d/%Y %H:%M")  # noqa: DTZ007
    except ValueError:
        return written
    return at.isoformat(timespec="seconds")


def _eastern(written: str) -> str:
    try:
        at = datetime.strptime(written, "%m/%d/%Y %H:%M:%S").replace(tzinfo=EASTERN)
    except ValueError:
        return ""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def eastern(moment: datetime) -> str:
    """Return a moment as the queue wants its windows written: by Eastern time."""
    return f"{moment.astimezone(EASTERN):%m/%d/%Y %H:%M:%S}"
