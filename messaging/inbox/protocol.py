"""The clinic's own protocol for patient safety: its lines as one of its decisions, and what was done of it."""

from collections.abc import Mapping
from typing import Annotated, Any

import pydantic
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, ProtocolTick, Staff
from messaging.versions import publishing
from messaging.versions.problems import Problem

MOST, LONGEST = 20, 200
EXPECTED = {
    "too_long": f"at most {MOST} lines",
    "string_too_long": f"a line is at most {LONGEST} characters long",
    "string_too_short": "a line needs words",
    "missing": "this must be given",
    "tuple_type": "expected a list of lines",
    "string_type": "expected a text",
}


class Protocol(pydantic.BaseModel):
    """What a clinic does when somebody may be in danger, line by line in its own words."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    lines: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=LONGEST)], ...], Field(max_length=MOST)] = ()

    @pydantic.field_validator("lines")
    @classmethod
    def _apart(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(lines)) != len(lines):
            raise ValueError("two lines are the same")
        return lines


def of_clinic(session: Session, clinic: Clinic) -> tuple[str, ...]:
    """Return the lines of the protocol that is live; none where the clinic has written none."""
    live = publishing.live(session, clinic.id, "protocol")
    return Protocol.model_validate(live.definition).lines if live else ()


def ticks(session: Session, item: InboxItem) -> dict[str, ProtocolTick]:
    """Return what was done for this item, by the line as it stood then."""
    rows = select(ProtocolTick).where(ProtocolTick.item_id == item.id).order_by(ProtocolTick.id)
    return {tick.line: tick for tick in session.scalars(rows)}


def tick(session: Session, clinic: Clinic, item: InboxItem, staff: Staff, line: str, *, done: bool) -> None:
    """Note that a line was done, or take one's note back. Nothing else follows: no alert ends by it.

    Raises ValueError for a line that the protocol does not have and nobody has ticked.
    """
    session.refresh(item, with_for_update=True)
    present = ticks(session, item).get(line)
    if present is None and line not in of_clinic(session, clinic):
        raise ValueError("no such line")
    if (present is not None) == done:
        return
    if present is None:
        now = clock.now()
        session.add(ProtocolTick(clinic_id=clinic.id, item_id=item.id, line=line, staff_id=staff.id, at=now))
    else:
        session.delete(present)
    actor = audit.Actor.staff(staff.id)
    event = "protocol_done" if done else "protocol_undone"
    items.note_event(session, item, actor, event, line=line)
    audit.record(session, clinic.id, actor, f"item.{event}", f"inbox_item:{item.id}")


def _read(definition: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return Protocol.model_validate(definition).model_dump(mode="json")
    except pydantic.ValidationError as wrong:
        raise publishing.Refused(_problems(wrong)) from None


def _problems(wrong: pydantic.ValidationError) -> list[Problem]:
    problems = []
    for error in wrong.errors():
        field = "".join(f"[{part}]" if isinstance(part, int) else str(part) for part in error["loc"])
        said = str(error["msg"]).removeprefix("Value error, ")
        problems.append(Problem(field or "lines", EXPECTED.get(error["type"], said)))
    return problems


def _present(session: Session, clinic: Clinic) -> dict[str, Any]:
    return {"lines": list(of_clinic(session, clinic))}


PROTOCOL = publishing.Kind("protocol", read=_read, present=_present, model=Protocol)
