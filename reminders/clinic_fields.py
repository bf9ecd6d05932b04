"""The kinds of field in a clinic's own description: how each is read, and what is expected where it cannot be. Pure."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from messaging import phone
from messaging.retention import rules as keeping
from reminders.rules import zones

# The postal codes of the states, the district and the territories whose numbers can be texted.
STATES = re.compile(
    "A[LKZRS]|C[AOT]|D[EC]|FL|G[AU]|HI|I[DLNA]|K[SY]|LA|M[EDAINSOTP]|N[EVHJMYCD]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|"
    "V[TAI]|W[AVIY]"
)


def _zone(value: object) -> object:
    return zones.of_place(value.strip()).key if isinstance(value, str) else value


def _phone(value: object) -> object:
    if not isinstance(value, str) or not value.strip():
        return value
    try:
        return phone.e164(value)
    except phone.NotTextable as wrong:
        raise ValueError(str(wrong)) from None


def _countries(value: object) -> object:
    if isinstance(value, list | tuple) and all(isinstance(code, str) for code in value):
        return phone.countries(value)
    return value


def _words(value: object) -> object:
    if isinstance(value, str):
        value = value.strip()
        if not value.isprintable():
            raise ValueError("a single line that can be shown")
    return value


def _service(value: object) -> object:
    if not isinstance(value, str) or not value.strip():
        return None
    if not re.fullmatch(r"MG[0-9a-f]{32}", value.strip()):
        raise ValueError("the SID of a Messaging Service: MG and 32 of 0-9 and a-f, as Twilio's console shows it")
    return value.strip()


def _state(value: object) -> object:
    if not isinstance(value, str) or not value.strip():
        return None
    if not STATES.fullmatch(value.strip().upper()):
        raise ValueError("two letters of a state, such as CO")
    return value.strip().upper()


def _years(years: int) -> int:
    if not keeping.may_keep(years):
        raise ValueError(f"at least {keeping.LEAST_YEARS} years, or 0 to keep them")
    return years


Zone = Annotated[str, BeforeValidator(_zone)]
Words = Annotated[str, BeforeValidator(_words)]
Name = Annotated[Words, Field(min_length=1, max_length=80)]
Line = Annotated[Words, Field(max_length=120)]
# 0, or no less than the floor: the schema of the clinic's file says both.
Years = Annotated[
    int,
    Field(
        ge=0,
        le=keeping.MOST_YEARS,
        json_schema_extra={"anyOf": [{"const": 0}, {"minimum": keeping.LEAST_YEARS}]},
    ),
    AfterValidator(_years),
]
Phone = Annotated[str, BeforeValidator(_phone)]
Countries = Annotated[tuple[str, ...], BeforeValidator(_countries)]
MessagingService = Annotated[str | None, BeforeValidator(_service)]
State = Annotated[str | None, BeforeValidator(_state)]
