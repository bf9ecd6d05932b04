"""The forms that values have on this door: moments in UTC with a Z, lines and texts without control characters."""

import unicodedata
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from config import clock, keys

HIDDEN = ("Cc", "Cs", "Zl", "Zp")


class Shape(BaseModel):
    """What is sent or answered: exactly these fields, each of exactly its type."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


def _line(text: str) -> str:
    if any(unicodedata.category(character) in HIDDEN for character in text):
        raise ValueError("a line")
    return text.strip()


def _words(text: str) -> str:
    if any(unicodedata.category(character) in HIDDEN for character in text.replace("\n", "").replace("\r", "")):
        raise ValueError("words")
    return text.strip()


Line = Annotated[str, AfterValidator(_line)]
Words = Annotated[str, AfterValidator(_words)]
# To the second, as RFC 3339 has it: "2026-03-10T15:00:00Z".
Moment = Annotated[
    datetime, PlainSerializer(clock.iso, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]


class Nothing(Shape):
    """A POST to an address that says it all."""


class Listing(BaseModel):
    """Which part of a list is wanted: what comes `after` a cursor, and how much at most."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    after: str | None = Field(None, max_length=200)
    limit: int = Field(50, ge=1, le=200)


def opened(row: Any, name: str) -> str | None:
    """Return a sealed value, None where its key was deleted with the patient's words."""
    try:
        value: str | None = getattr(row, name)
    except keys.WrongKey:
        return None
    return value
