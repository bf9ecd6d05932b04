"""Whether the second reader acts at a clinic, from which score on, and by when a worry is read: decided, signed, taken
back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.inbox.routing import assign
from messaging.models import Clinic, Staff
from messaging.reading import likeness
from messaging.versions import publishing
from messaging.versions.problems import Problem

KEY = assign.SECOND_READING
Widening = Literal["shipped", "wider", "widest"]
# By how much the log-odds may be below the reader's own threshold for free text to be a worry too. Never above it:
# nothing a clinic decides narrows what ships.
STEPS: Mapping[str, float] = {"shipped": 0.0, "wider": 0.5, "widest": 1.0}
EXPECTED = {
    "int_type": "a whole number of minutes",
    "int_parsing": "a whole number of minutes",
    "greater_than_equal": "at least one minute",
    "less_than_equal": "at most an hour",
    "literal_error": "expected shipped, wider or widest",
    "missing": "this must be given",
    "extra_forbidden": "unknown; there are minutes and widening",
}


class Terms(pydantic.BaseModel):
    """What a clinic decides about texts that may be a crisis."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    minutes: Annotated[int, Field(ge=1, le=60)] = assign.WORRY_MINUTES
    widening: Widening = "shipped"


@dataclass(frozen=True)
class Standing:
    """What holds at a clinic. `acts` is False in shadow mode: readings are kept and shown to nobody."""

    terms: Terms
    acts: bool
    signed_by: str | None = None
    signed_at: datetime | None = None
    weights: str | None = None

    @property
    def step(self) -> float:
        """How far below the reader's own threshold the clinic calls free text a worry too, in log-odds; 0 for not."""
        return STEPS[self.terms.widening]


def of(clinic: Clinic) -> Standing:
    """Return what holds at the clinic; one that has decided nothing is in shadow mode."""
    stored = clinic.rules.get(KEY, {})
    signed = stored.get("signed") or {}
    return Standing(
        Terms.model_validate(stored.get("terms", {})),
        acts=bool(signed),
        signed_by=signed.get("by"),
        signed_at=datetime.fromisoformat(signed["at"]) if signed else None,
        weights=signed.get("weights"),
    )


def sign_off(session: Session, clinic: Clinic, staff: Staff) -> None:
    """Let the second reader act here from now on, in the name of this colleague. Raises ValueError without weights."""
    fault = likeness.check()
    if fault is not None:
        raise ValueError(fault)
    if of(clinic).acts:
        return
    version = likeness.version()
    _store(clinic, signed={"by": str(staff.id), "at": clock.iso(clock.now()), "weights": version})
    actor = audit.Actor.staff(staff.id)
    audit.record(session, clinic.id, actor, "second_reading.signed_off", f"clinic:{clinic.id}", weights=version)


def back_to_shadow(session: Session, clinic: Clinic, staff: Staff) -> None:
    """Take the signature back: readings are kept again, and shown to nobody. What is in the inbox stays there."""
    if not of(clinic).acts:
        return
    _store(clinic, signed=None)
    audit.record(session, clinic.id, audit.Actor.staff(staff.id), "second_reading.shadow", f"clinic:{clinic.id}")


def _store(clinic: Clinic, **facts: Any) -> None:
    clinic.rules = {**clinic.rules, KEY: {**clinic.rules.get(KEY, {}), **facts}}


def _present(_session: Session, clinic: Clinic) -> publishing.Definition:
    return of(clinic).terms.model_dump(mode="json")


def _check(_session: Session, clinic: Clinic, definition: publishing.Definition) -> list[Problem]:
    """A worry never waits longer than a positive screen does."""
    longest = assign.Rules.of(clinic.rules).answer_within["screen"]
    if definition["minutes"] <= longest:
        return []
    return [Problem("minutes", f"never longer than a positive screen, which is seen within {longest} minutes here")]


def _silences(old: publishing.Definition, new: publishing.Definition) -> list[str]:
    """What in a change could leave a worry unseen for longer, in words."""
    steps = list(STEPS)
    later = new["minutes"] > old["minutes"]
    fewer = steps.index(new["widening"]) < steps.index(old["widening"])
    longer = f"worries are read within {new['minutes']} minutes instead of {old['minutes']}"
    return [*([longer] if later else []), *(["fewer texts are read as worries"] if fewer else [])]


def _take_effect(_session: Session, clinic: Clinic, definition: publishing.Definition, _actor: str) -> None:
    _store(clinic, terms=definition)


SECOND_READING = publishing.Kind(
    KEY,
    read=publishing.reading(Terms, EXPECTED),
    present=_present,
    check=_check,
    silences=_silences,
    take_effect=_take_effect,
    model=Terms,
)
