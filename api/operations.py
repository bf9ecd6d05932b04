"""What can be asked of this door: one description of each operation, by which it is routed, checked and documented."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.orm import Session

from api.problems import Problem
from config import audit
from messaging.models import Clinic, Staff


@dataclass(frozen=True)
class Call:
    """One request: its transaction, the clinic, which program asks, and in whose name it acts.

    `once` is the same for a request that is sent again under its Idempotency-Key, None for what is only read.
    """

    session: Session
    clinic: Clinic
    program: audit.Actor
    staff: Staff | None
    once: UUID | None = None

    @property
    def actor(self) -> audit.Actor:
        """Who did it: the colleague in whose name the program acts, else the program."""
        return audit.Actor.staff(self.staff.id) if self.staff else self.program

    def person(self) -> Staff:
        """Return the named person behind the request. Raises Problem where there is none."""
        if self.staff is None:
            raise Problem("person_needed")
        return self.staff


@dataclass(frozen=True)
class Answer:
    """What is answered where it is not 200."""

    status: int
    body: BaseModel


@dataclass(frozen=True)
class Operation:
    """One address and method. `handler(call, id, query, body)` gets of the last three what the operation has.

    `kind` is the table that an `{id}` in the path is of; `refuses` names the problems that are this operation's own.
    """

    name: str
    method: str
    path: str
    handler: Callable[..., BaseModel | Answer]
    scope: str
    kind: str
    answers: Mapping[int, type[BaseModel]]
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    refuses: tuple[str, ...] = field(default=())

    @property
    def by_id(self) -> bool:
        """Whether the address names one row."""
        return "{id}" in self.path

    def note(self, call: Call, row_id: UUID | None) -> None:
        """Write into the audit log that it was asked for, by which program and in whose name."""
        about = f"{self.kind}:{row_id}" if row_id else f"clinic:{call.clinic.id}"
        named = str(call.staff.id) if call.staff else None
        audit.record(call.session, call.clinic.id, call.program, f"api.{self.name}", about, staff=named)

    def run(self, call: Call, row_id: UUID | None, given: Mapping[str, Any]) -> Answer:
        """Do it. Raises Problem."""
        answered = self.handler(call, **({"id": row_id} if self.by_id else {}), **given)
        return answered if isinstance(answered, Answer) else Answer(200, answered)
