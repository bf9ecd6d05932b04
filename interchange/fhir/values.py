"""Looks into a resource that may hold anything anywhere."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from config import strict_json
from interchange import moments
from interchange.moments import Stamp

Resource = Mapping[str, Any]
STAMP = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.\d+)?)?(?:(Z)|([+-])(\d\d):(\d\d))?)?", re.ASCII)


def look(resource: object, *path: str | int) -> Any:
    """Return what stands at a path of names and places, None where nothing does."""
    for step in path:
        if isinstance(step, str) and isinstance(resource, Mapping):
            resource = resource.get(step)
        elif isinstance(step, int) and isinstance(resource, list) and step < len(resource):
            resource = resource[step]
        else:
            return None
    return resource


def text(resource: object, *path: str | int) -> str:
    """Return the text at a path, trimmed; "" where there is none. A half of a letter in it is U+FFFD."""
    value = look(resource, *path)
    return strict_json.showable(value).strip() if isinstance(value, str) else ""


def time(resource: object, *path: str | int) -> str:
    """Return what is written where a date or a time belongs, "" where nothing is. A number is written too, though FHIR
    has none there: what cannot be read must not be taken for what was not said."""
    value = look(resource, *path)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else text(resource, *path)


def objects(resource: object, *path: str | int) -> Iterator[Resource]:
    """Return the objects of the list at a path; what is none is passed over."""
    value = look(resource, *path)
    return (entry for entry in value if isinstance(entry, Mapping)) if isinstance(value, list) else iter(())


def stamp(written: str) -> Stamp | None:
    """Return an instant, dateTime or date; None for what is none, and for a year or month alone."""
    parts = STAMP.fullmatch(written)
    if parts is None:
        return None
    try:
        wall = datetime.fromisoformat(f"{parts[1]}T{parts[2] or '00:00'}:{min(int(parts[3] or 0), 59):02}")
        offset = moments.offset(*parts.group(5, 6, 7)) if parts[5] else timedelta(0) if parts[4] else None
    except ValueError:
        return None
    return Stamp(wall, offset, parts[2] is not None)


def as_of(resource: object) -> dict[str, str | None]:
    """Return since when a resource is so, where the EHR says: what is older than what is known changes nothing."""
    return _instant("as_of", text(resource, "meta", "lastUpdated"))


def created(resource: object) -> dict[str, str | None]:
    """Return since when a visit is booked, where the EHR says: a visit that is read late was not booked late."""
    return _instant("booked", text(resource, "created"))


def _instant(name: str, written: str) -> dict[str, str | None]:
    at = stamp(written)
    if at is None or at.offset is None or not at.is_plausible:
        return {}
    return {name: moments.utc((at.wall - at.offset).replace(tzinfo=UTC))}


def labels(resource: object) -> dict[str, list[str]]:
    """Return {"labels": the security labels} of a resource that has any (42 CFR Part 2, restricted ...), else {}."""
    codes = [text(label, "code") for label in objects(resource, "meta", "security")]
    return {"labels": [code for code in codes if code]} if any(codes) else {}


def concept(resource: object, name: str) -> str:
    """Return the words of a CodeableConcept: its text, else the first display or code."""
    coding = next(objects(resource, name, "coding"), {})
    return text(resource, name, "text") or text(coding, "display") or text(coding, "code")
