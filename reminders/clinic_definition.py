"""A clinic's description of itself as a file or page gives it: each field read strictly, each mistake at its field."""

import re
from collections.abc import Mapping, Sequence
from datetime import time
from typing import Annotated, Any, Literal

import pydantic
from pydantic import AfterValidator, BeforeValidator, Field

from messaging import phone
from messaging.retention import rules as keeping
from messaging.versions import publishing
from messaging.wording import clinic_names
from reminders.cadence import cadence_definition
from reminders.rules import zones

MOST_SITES = MOST_COUNTRIES = 20
# Versions and files from before have a number of months that nothing was deleted by; `keep_years` is what holds.
KEPT, NOTHING_DELETED = "retention_months", ("", "0")
# Two hours a day in which a text may leave: with less, a step that waits for the morning would find no room.
LEAST_OPEN = 120
# A file that lacks more of the visits of its days than this, in percent, is rather cut off than complete.
MOST_MISSING = 20
LANGUAGES: tuple[Literal["en", "es"], ...] = ("en", "es")
Role = Literal["care_manager", "clinician", "psychiatric_consultant", "front_desk", "clinic_admin", "auditor"]
# Who is asked for a second factor unless the clinic says otherwise: whoever decides who comes in.
ASKED_FOR_FACTOR: tuple[Role, ...] = ("clinic_admin",)
# The postal codes of the states, the district and the territories whose numbers can be texted.
STATES = re.compile(
    "A[LKZRS]|C[AOT]|D[EC]|FL|G[AU]|HI|I[DLNA]|K[SY]|LA|M[EDAINSOTP]|N[EVHJMYCD]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|"
    "V[TAI]|W[AVIY]"
)
EXPECTED = {
    "missing": "this must be given",
    "string_type": "expected a text",
    "too_short": "this must be given",
    "too_long": "this is too long",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "greater_than_equal": "0 keeps them: no number is below it",
    "less_than_equal": f"at most {keeping.MOST_YEARS} years, or 0 to keep them",
}


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
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
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


def _share(percent: int) -> int:
    if not 0 <= percent <= 100:
        raise ValueError("a share in percent, 0 to 100")
    return percent


def _neutral(name: str) -> str:
    if said := clinic_names.objection(name):
        raise ValueError(said)
    return name


Zone = Annotated[str, BeforeValidator(_zone)]
Name = Annotated[str, BeforeValidator(_words), Field(min_length=1, max_length=80)]
Line = Annotated[str, BeforeValidator(_words), Field(max_length=120)]
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
Share = Annotated[int, Field(json_schema_extra={"minimum": 0, "maximum": 100}), AfterValidator(_share)]


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Site(_Strict):
    """A place where patients are seen. `name` is what the clinic's system calls the place of a visit."""

    name: Name
    address: Line = ""
    zone: Zone
    state: Annotated[str | None, BeforeValidator(_state)] = None


class About(_Strict):
    """A clinic as it describes itself.

    `text_name` is what texts call it, "" its own name; `quiet_hours` narrow those of every cadence; the words of texts
    are kept for `keep_years`, 0 for good; staff read hours by `clock`, days as `dates`; mobiles of `countries` may be
    texted beside those of ours; a complete file that lacks more than `most_missing` percent of the visits of its days
    cancels none of them by itself; `acknowledges`: a text that a person must read is answered with the time by which
    somebody reads it; `second_factor` are the roles that sign in with more than a password.
    """

    name: Name
    text_name: Annotated[str, BeforeValidator(_words), Field(max_length=80), AfterValidator(_neutral)] = ""
    zone: Zone
    phone: Annotated[str, BeforeValidator(_phone), Field(min_length=1)]
    messaging_service_sid: Annotated[str | None, BeforeValidator(_service)] = None
    languages: Annotated[tuple[Literal["en", "es"], ...], Field(min_length=1, max_length=2)] = LANGUAGES
    quiet_hours: cadence_definition.QuietHours = cadence_definition.QuietHours()
    keep_years: Years = 0
    countries: Annotated[tuple[str, ...], BeforeValidator(_countries), Field(max_length=MOST_COUNTRIES)] = ()
    clock: Literal["12", "24"] = "12"
    dates: Literal["month_day", "day_month"] = "month_day"
    sites: Annotated[tuple[Site, ...], Field(max_length=MOST_SITES)] = ()
    most_missing: Share = MOST_MISSING
    acknowledges: bool = False
    second_factor: Annotated[tuple[Role, ...], Field(max_length=6)] = ASKED_FOR_FACTOR


def read(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a clinic's description in its full form. Raises publishing.Refused with each mistake at its field."""
    if str(definition.get(KEPT, 0)) not in NOTHING_DELETED:
        raise publishing.Refused(
            [publishing.Problem(KEPT, "nothing was ever deleted by it: leave this out, or give keep_years")]
        )
    try:
        found = About.model_validate(without_age(definition))
    except pydantic.ValidationError as wrong:
        raise publishing.Refused([_problem(each) for each in wrong.errors(include_input=False)]) from None
    problems = [*_named_twice(found.sites), *_too_quiet(found.quiet_hours)]
    if problems:
        raise publishing.Refused(problems)
    return found.model_dump(mode="json")


def without_age(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description without what nothing was ever deleted by."""
    return {key: value for key, value in definition.items() if key != KEPT}


def _problem(each: Any) -> publishing.Problem:
    location = each["loc"]
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    said = EXPECTED.get(each["type"]) or _choices(each) or str(each["msg"]).removeprefix("Value error, ")
    if each["type"] == "extra_forbidden":
        model = Site if location[0] == "sites" else About
        said = f"unknown; there are {', '.join(model.model_fields)}"
    return publishing.Problem(field[:60], said)


def _choices(each: Any) -> str:
    offered = str(each.get("ctx", {}).get("expected", "")) if each["type"] == "literal_error" else ""
    return f"expected one of: {offered.replace(' or ', ', ').replace(chr(39), '')}" if offered else ""


def _named_twice(sites: Sequence[Site]) -> list[publishing.Problem]:
    names = [site.name.casefold() for site in sites]
    return [
        publishing.Problem(f"sites[{place}].name", "two sites have this name")
        for place, name in enumerate(names)
        if name in names[:place]
    ]


def _too_quiet(quiet: cadence_definition.QuietHours) -> list[publishing.Problem]:
    if _minutes(quiet.start) - _minutes(quiet.end) >= LEAST_OPEN:
        return []
    return [publishing.Problem("quiet_hours.start", "at least two hours of the day must be left for texts")]


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
