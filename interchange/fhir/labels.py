"""Reads what a resource says of its own sensitivity: that it, or a part of it, falls under 42 CFR Part 2.

Labels stand in `meta.security`; those of a part in an extension of their own (DS4P's inline security labels).
"""

from collections.abc import Iterator, Mapping

from interchange.fhir.values import Resource, objects, text
from interchange.profiles import Profile

INLINE = "extension-inline-sec-label"
# Deeper than any resource that is read.
DEEPEST = 40


def is_part_two(resource: Resource, profile: Profile) -> bool:
    """Whether the resource bears one of the profile's codes, whatever the code's system."""
    codes = {code.upper() for code in profile.part_two}
    return any(text(coding, "code").upper() in codes for coding in _labels(resource))


def _labels(resource: Resource) -> Iterator[object]:
    yield from objects(resource, "meta", "security")
    yield from _inline(resource)


def _inline(value: object, depth: int = 0) -> Iterator[object]:
    if depth > DEEPEST:
        return
    if isinstance(value, list):
        for each in value:
            yield from _inline(each, depth + 1)
    elif isinstance(value, Mapping):
        if text(value, "url").endswith(INLINE):
            yield value.get("valueCoding")
        for each in value.values():
            yield from _inline(each, depth + 1)
