"""Reads an id that stands in a form or in an address."""

from uuid import UUID


def uuid_of(text: str | None) -> UUID | None:
    """Return the id, None for anything else."""
    try:
        return UUID(text or "")
    except ValueError:
        return None
