"""The parts of what a clinic decides about who gets what: their fields, as they are written and checked. Pure."""

import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from messaging.inbox.routing import assign, clinic_rules, escalation_policy, hours, topics
from messaging.phone import NotTextable, e164
from messaging.reading.topics import Topic as TopicName


def _week(value: object) -> object:
    return hours.read(value) if isinstance(value, str) else value


def _as_kept(value: object) -> object:
    """A day as it is written in the United States, "12/25" or "11/25/2027", as a policy keeps it."""
    written = re.fullmatch(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}))?", value.strip()) if isinstance(value, str) else None
    if written is None:
        return value
    month, day, year = written.groups()
    return "-".join(part for part in (year, f"{int(month):02}", f"{int(day):02}") if part)


def _day(text: str) -> str:
    if not hours.is_day(text):
        raise ValueError(f"{text[:20]} is no day: write 12/25 for every year, 11/25/2027 or 2027-11-25 for one")
    return text


def _phone(value: object) -> object:
    try:
        return e164(value) if isinstance(value, str) else value
    except NotTextable as wrong:
        raise ValueError(str(wrong)) from None


def _small(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _trimmed(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


Week = Annotated[dict[str, list[str]], BeforeValidator(_week)]
Address = Annotated[str, BeforeValidator(_small), Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
Day = Annotated[
    str,
    BeforeValidator(_as_kept),
    Field(json_schema_extra={"pattern": r"^(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"}),
    AfterValidator(_day),
]
Ask = Literal["backup", "on_call", "colleagues", "fallback", "lead", "everyone"]
assert get_args(Ask) == escalation_policy.ASKED
Word = Annotated[str, Field(min_length=1, max_length=120)]
Several = Annotated[tuple[Word, ...], Field(max_length=20)]
To = Literal["panel", "existing", "people", "role", "on_duty", "on_call"]
assert get_args(To) == clinic_rules.RECEIVERS
KindName = Literal["safety", "screen", "handoff", "reply", "delivery"]
assert get_args(KindName) == assign.KINDS
# As many steps, fallbacks and people to call as the page has rows for, so that saving it there loses none.
MOST, MOST_ROUTES = 5, 20


class Strict(BaseModel):
    """A table of which every field is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EscalationStep(Strict):
    """Whom to ask, and how many minutes to wait then."""

    ask: Ask
    wait: Annotated[int, Field(ge=1, le=1440)] = 10


class Call(Strict):
    """Somebody without an account, whom a human calls."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    phone: Annotated[str, BeforeValidator(_phone)]
    when: Annotated[str, Field(max_length=80)] = ""


class Kind(Strict):
    """Until when one kind must be answered, on which clock, and whom its policy asks, the clinic open or closed."""

    answer: Annotated[int, Field(ge=1, le=20160)]
    clock: Literal["always", "business"] = "always"
    before_leaving: bool = False
    open: Annotated[tuple[EscalationStep, ...], Field(max_length=MOST)] = ()
    closed: Annotated[tuple[EscalationStep, ...], Field(max_length=MOST)] = ()


class Route(Strict):
    """A rule about who gets what: its conditions, and to whom an item goes that meets them.

    See messaging.inbox.routing.clinic_rules.
    """

    name: Annotated[str, BeforeValidator(_trimmed), Field(min_length=1, max_length=60)]
    to: To
    kinds: Annotated[tuple[KindName, ...], Field(max_length=5)] = ()
    panels: Several = ()
    places: Several = ()
    languages: Several = ()
    instrument: Annotated[str, Field(max_length=40)] = ""
    band: Annotated[str, Field(max_length=40)] = ""
    existing: bool | None = None
    below: Annotated[int, Field(ge=1, le=1000)] | None = None
    people: Annotated[tuple[Address, ...], Field(max_length=20)] = ()
    role: Literal["", "care_manager", "clinician"] = ""

    @model_validator(mode="after")
    def _whole(self) -> "Route":
        if (self.to == "people") != bool(self.people):
            raise ValueError("name people where it goes to people by name, and only there")
        if (self.to == "role") != bool(self.role):
            raise ValueError("choose care_manager or clinician where it goes to a role, and only there")
        if self.band and not self.instrument:
            raise ValueError("a band belongs to an instrument: name it too")
        if self.to == "existing" and self.existing is False:
            raise ValueError("it cannot go to who dealt with the patient before, and ask that nobody did")
        return self


class Topic(Strict):
    """Within how many minutes texts about something must be answered, and which role has them."""

    answer: Annotated[int, Field(ge=1, le=20160)]
    to: Literal["care_manager", "front_desk"] = "care_manager"


def _every_topic(written: dict[TopicName, Topic]) -> dict[TopicName, Topic]:
    """The topics as written, the others as shipped. What is clinical is no work of the front desk."""
    for topic, terms in written.items():
        if terms.to == topics.FRONT_DESK and topic not in topics.OF_THE_DESK:
            raise ValueError(f"{topic} cannot go to the front desk: it may be about somebody's health")
    shipped = {topic: Topic.model_validate(vars(terms)) for topic, terms in topics.DEFAULTS.items()}
    return {topic: written.get(topic, shipped[topic]) for topic in get_args(TopicName)}


Topics = Annotated[dict[TopicName, Topic], AfterValidator(_every_topic)]
