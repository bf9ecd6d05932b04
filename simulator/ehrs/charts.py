"""What an EHR holds: patients and visits that one can change, who may ask for them, and what goes wrong on purpose."""

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from simulator import clock

KEPT = 2_000
Status = Literal[
    "proposed", "pending", "booked", "arrived", "fulfilled", "cancelled", "noshow", "entered-in-error",
    "checked-in", "waitlist",
]  # fmt: skip


class Person(BaseModel):
    """A patient. `restricted` is a code of break-the-glass (4130, 4131, 4134) or none; `merged_into` who stays."""

    model_config = ConfigDict(extra="forbid")

    first: str = Field(min_length=1, max_length=60)
    last: str = Field(min_length=1, max_length=60)
    born: date | None = None
    sex: Literal["female", "male", "other", "unknown"] = "unknown"
    phone: str = Field(default="", max_length=40)
    language: str = Field(default="en", max_length=20)
    record: str = Field(default="", max_length=40)
    restricted: Literal["", "4130", "4131", "4134"] = ""
    merged_into: str = Field(default="", max_length=40)


class Visit(BaseModel):
    """A visit of a patient. `created` is since when it is booked; `says_when_changed`: whether it says when it was last
    changed: not every EHR does."""

    model_config = ConfigDict(extra="forbid")

    patient: str = Field(min_length=1, max_length=40)
    start: AwareDatetime
    minutes: int = Field(default=30, ge=1, le=1440)
    status: Status = "booked"
    clinician: str = Field(default="", max_length=80)
    place: str = Field(default="", max_length=80)
    created: AwareDatetime | None = None
    says_when_changed: bool = True


class Encounter(BaseModel):
    """A stay or another encounter of a patient, by its class (v3-ActCode); without an end it goes on."""

    model_config = ConfigDict(extra="forbid")

    patient: str = Field(min_length=1, max_length=40)
    kind: Literal["AMB", "EMER", "IMP", "ACUTE", "NONAC", "OBSENC"] = "IMP"
    status: Literal["planned", "arrived", "in-progress", "finished", "cancelled", "entered-in-error"] = "in-progress"
    start: AwareDatetime
    end: AwareDatetime | None = None


class Client(BaseModel):
    """The program that may ask: its id, where its keys are (or the keys themselves), what it may, how it is told.
    `takes_tasks`: whether it may make a Task, which Epic has nobody do. `whole_scopes`: whether it gets no token at all
    where it asks for a scope that it may not have; otherwise it gets one for the rest."""

    model_config = ConfigDict(extra="forbid")

    client_id: str = Field(default="warmthread", max_length=200)
    jwks_url: str = Field(default="", max_length=500)
    jwks: dict[str, object] | None = None
    scopes: str = (
        "system/Appointment.rs system/Patient.rs system/Encounter.rs "
        "system/QuestionnaireResponse.crs system/Observation.crs "
        "system/DocumentReference.crs system/ServiceRequest.crus system/Task.crus "
        "system/Communication.crs"
    )
    takes_tasks: bool = False
    whole_scopes: bool = False
    token_seconds: int = Field(default=300, ge=1, le=3600)
    events_url: str = Field(default="", max_length=500)
    events_secret: str = Field(default="", max_length=200)
    zone: str = "America/Denver"
    practice: str = "195900"


class Fault(BaseModel):
    """What goes wrong: for requests whose path holds `path`, of a `method` where one is said, `times` times (for ever
    where it is not said).

    `status` is answered, with `retry_after` seconds where it is said; `code` is an OperationOutcome; `warning` one
    that comes beside a good answer; after `hang_s` seconds; `expires` makes every token given out worth nothing.
    `accepts`: what was asked is done all the same, and the answer goes wrong after it.

    A message of HL7 is asked by the method MLLP under the path mllp/SIU^S14; `code` is what is answered ("AE 204"),
    `drops` closes the connection in place of an answer, `splits` sends that byte by byte, `unframed` without its frame.
    """

    model_config = ConfigDict(extra="forbid")

    path: str = ""
    method: Literal["", "GET", "POST", "PUT", "MLLP"] = ""
    accepts: bool = False
    status: int | None = Field(default=None, ge=400, le=599)
    retry_after: int | None = Field(default=None, ge=0)
    code: str = ""
    warning: str = ""
    hang_s: float = Field(default=0, ge=0, le=600)
    expires: bool = False
    drops: bool = False
    splits: bool = False
    unframed: bool = False
    times: int | None = Field(default=None, ge=0)


@dataclass(frozen=True)
class Asked:
    """One request as it came and what it was answered."""

    at: str
    method: str
    path: str
    status: int


@dataclass(frozen=True)
class Change:
    """A change of a visit, for the queue of changes: which, its state then, since when, when it was last handed out."""

    number: str
    visit: Visit
    at: datetime
    handed_at: datetime | None = None


@dataclass(frozen=True)
class Written:
    """What the clinic has written: a resource, or the note of a visit, about which patient."""

    kind: str
    number: str
    patient: str
    at: datetime
    body: dict[str, Any]


@dataclass
class Chart:
    """One EHR. Whoever reads or changes it holds `lock`."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    people: dict[str, Person] = field(default_factory=dict)
    visits: dict[str, Visit] = field(default_factory=dict)
    encounters: dict[str, Encounter] = field(default_factory=dict)
    changed_at: dict[str, datetime] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    client: Client = field(default_factory=Client)
    faults: list[Fault] = field(default_factory=list)
    tokens: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    used_ids: set[str] = field(default_factory=set)
    searches: dict[str, list[str]] = field(default_factory=dict)
    asked: deque[Asked] = field(default_factory=lambda: deque(maxlen=KEPT))
    written: list[Written] = field(default_factory=list)
    events_told: int = 0
    revision: int = 0

    def write(self, written: Written) -> None:
        """Keep what the clinic has written."""
        with self.lock:
            self.written.append(written)
            self.revision += 1

    def put_person(self, number: str, person: Person) -> None:
        """Add a patient or change one."""
        with self.lock:
            self.people[number] = person
            self.changed_at[f"Patient/{number}"] = clock.now()
            self.revision += 1

    def put_visit(self, number: str, visit: Visit) -> None:
        """Book a visit or change one; the queue of changes has it too."""
        with self.lock:
            now = clock.now()
            self.visits[number] = visit
            self.changed_at[f"Appointment/{number}"] = now
            self.changes.append(Change(number, visit, now))
            self.revision += 1

    def put_encounter(self, number: str, encounter: Encounter) -> None:
        """Add an encounter or change one."""
        with self.lock:
            self.encounters[number] = encounter
            self.changed_at[f"Encounter/{number}"] = clock.now()
            self.revision += 1

    def drop_visit(self, number: str) -> None:
        """Forget a visit, as if it had never been there."""
        with self.lock:
            self.visits.pop(number, None)
            self.revision += 1

    def note(self, asked: Asked) -> None:
        """Keep what was asked."""
        with self.lock:
            self.asked.append(asked)
            self.revision += 1

    def fault(self, path: str, method: str) -> Fault | None:
        """Return what goes wrong with this request, counted, after it has hung for as long as it should before."""
        with self.lock:
            able = (each for each in self.faults if each.path in path and each.method in ("", method))
            meant = next((each for each in able if each.times != 0), None)
            if meant is None:
                return None
            if meant.times is not None:
                meant.times -= 1
            if meant.expires:
                self.tokens.clear()
        time.sleep(0 if meant.accepts else meant.hang_s)
        return meant


class Charts:
    """Every EHR by its name."""

    NAMES = ("epic", "athena")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._known = {name: Chart() for name in self.NAMES}

    def of(self, name: str) -> Chart | None:
        """Return the EHR of this name."""
        return self._known.get(name)
