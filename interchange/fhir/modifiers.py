"""Finds what turns the meaning of a resource in a way we do not know: FHIR R4 (2.1.0.4) forbids to act on that.

A modifierExtension may say that a patient is not meant, or that a visit is only wished for; implicitRules name rules
by which all of it was written. We know neither.
"""

from collections.abc import Mapping

NAMES = ("modifierExtension", "implicitRules")


def of(resource: object) -> str | None:
    """Return the name of such an element in a resource, at whatever depth; None where there is none.

    Not its path: the names on the way are the sender's.
    """
    waiting = [resource]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            name = next((name for name in NAMES if value.get(name)), None)
            if name is not None:
                return name
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return None


def around(whole: Mapping[str, object], inside: str) -> str | None:
    """Return the same of what stands beside the element `inside`: of a bundle without its entries, of an entry."""
    return of({name: value for name, value in whole.items() if name != inside})
