"""How one feed is read: which field is the visit's id, which of several starts is right, what its words mean."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from messaging import languages, phone
from reminders.rules import zones

Happening = Literal[
    "visit.book", "visit.move", "visit.change", "visit.cancel", "visit.no_show", "visit.arrived",
    "patient.update", "patient.merge", "score", "ignore",
]  # fmt: skip
Start = Literal["SCH-11.4", "TQ1-7", "AIS-4", "AIL-6", "AIP-6"]
Key = Literal["SCH-1", "SCH-2", "SCH-3", "SCH-4", "SCH-5", "SCH-26", "SCH-27", "PV1-19", "AIS-3"]
Status = Literal["pending", "booked", "arrived", "cancelled", "no_show"]
PhoneKind = Literal["mobile", "home", "work", "other", "mail", "fax", "pager"]
Result = Literal["final", "corrected", "withdrawn", "preliminary"]
Answer = Literal["confirmed", "change_asked"]


class BadProfile(ValueError):
    """What is wrong with a profile, by the names of its keys."""


class Told(BaseModel):
    """How a feed's EHR is told what a patient has said of a visit: by which event, and by which word in SCH-25."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    event: Literal["S14", "S15"] = "S14"
    status: Annotated[str, Field(pattern=r"^[A-Za-z0-9 _.^-]{1,60}$")]


class Profile(BaseModel):
    """A feed's profile, whole; default_profile.toml tells each key."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    zone: str
    charset: str
    country: str
    abroad: list[str]
    authority: str
    key: list[Key] = Field(min_length=1)
    start: list[Start]
    processing: list[Literal["P", "T", "D"]] = Field(min_length=1)
    phone_fields: list[Annotated[str, Field(pattern=r"^PID-[1-9][0-9]?$")]]
    consent_component: int = Field(ge=0, le=18)
    patient_types: list[str]
    patient_system: str
    appointment_system: str
    owns_visits: bool
    emergency: list[str]
    inpatient: list[str]
    part_two: list[str]
    part_two_fields: list[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{2}-[1-9][0-9]?$")]]
    events: dict[str, Happening]
    statuses: dict[str, Status]
    units: dict[str, int]
    phone_kinds: dict[str, PhoneKind]
    languages: dict[str, str]
    sexes: dict[str, Literal["female", "male"]]
    results: dict[str, Result]
    tells: dict[Answer, Told]

    @field_validator("zone")
    @classmethod
    def _zone(cls, name: str) -> str:
        return zones.of_place(name).key if name else ""

    @field_validator("country", "abroad")
    @classmethod
    def _countries(cls, value: str | list[str]) -> str | list[str]:
        phone.countries([value] if isinstance(value, str) else value)
        return value

    @field_validator("languages")
    @classmethod
    def _languages(cls, codes: dict[str, str]) -> dict[str, str]:
        return {written: languages.read(code) or "en" for written, code in codes.items()}


def read(own: object = None) -> Profile:
    """Return the profile of a feed whose own keys are `own` (a mapping as in the TOML, or None), over the default's.
    Raises BadProfile and names each key that is wrong."""
    if own is None:
        return default()
    if not isinstance(own, Mapping):
        raise BadProfile("a profile is a table of keys")
    merged = {**_default_keys()}
    for name, value in own.items():
        known = merged.get(name)
        if isinstance(known, dict) and isinstance(value, Mapping):
            merged[name] = known | dict(value)
        else:
            merged[name] = [value] if isinstance(known, list) and isinstance(value, str) else value
    try:
        return Profile.model_validate(merged)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False, include_context=False)
        raise BadProfile("; ".join(f"{'.'.join(map(str, each['loc']))}: {_why(each)}" for each in wrong)) from None


def _why(error: ErrorDetails) -> str:
    """What is wrong with a key, in words for whoever writes a profile; what is rare in the checker's own."""
    said = str(error["msg"]).removeprefix("Value error, ")
    return "there is no such key" if error["type"] == "extra_forbidden" else said


@cache
def default() -> Profile:
    """Return the profile of a feed about which nothing was said."""
    return Profile.model_validate(_default_keys())


@cache
def _default_keys() -> dict[str, Any]:
    return tomllib.loads(default_text())


def default_text() -> str:
    """Return the default profile as it is written, with its comments."""
    return resources.files("interchange").joinpath("default_profile.toml").read_text("utf-8")
