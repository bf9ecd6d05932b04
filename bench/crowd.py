"""A large clinic in PostgreSQL within minutes: what is shown and listed is really sealed, the crowd behind is filler.

The filler is made by the server itself, the sealed rows go in by COPY; indexes are dropped before and built after.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from bench import postgresql
from config import clock, db, keys
from messaging.inbox.models import URGENCY
from messaging.models import Clinic, Staff
from messaging.people import directory

# As many as one row in so many: of the items nobody owns, sleeping, acknowledged; of the senders nobody knows.
UNOWNED, SNOOZED, ACKNOWLEDGED, UNKNOWN, DONE_TODAY = 12, 5, 5, 20, 40
# Of a hundred items one is about safety: (kind, how many of a hundred).
KINDS = (("safety", 1), ("screen", 9), ("handoff", 10), ("reply", 70), ("delivery", 10))
# The ids of the filler: a UUIDv7 that grows by a millisecond with each row, and three digits that name the table.
FIRST, TABLES = (
    1_700_000_000_000,
    {
        "patient": "001", "conversation": "002", "inbox_item": "003", "message": "004", "appointment": "005",
        "talk_key": "006",
    },
)  # fmt: skip
# So many patients, their numbers and their first texts are really sealed at least: what the first pages of lists hold.
OPENED = 2_500
FILLED = ("data_key", "patient", "patient_number", "conversation", "message", "inbox_item", "item_event", "appointment")
# Visits of each day of the week that begins today; every patient has one long past besides.
VISITS_A_DAY, DAYS = 120, 7


@dataclass(frozen=True)
class Size:
    """How many there are of each, and how many of the items are not done."""

    patients: int
    messages: int
    items: int
    open: int


@dataclass(frozen=True)
class Crowd:
    """The clinic, and who works in it."""

    clinic: Clinic
    team: list[Staff]


def fill(engine: Engine, size: Size) -> Crowd:
    """Fill the migrated database of this process; `engine` is the superuser's."""
    with db.unit_of_work(db.EVERY) as session:
        clinic = directory.add_clinic(session, name="Bench Clinic", zone="America/Denver", number="+12015550100")
        team = [
            directory.add_staff(
                session, clinic, name=name, email=f"{name[:4].lower()}@bench.example", panels=["Dr. Lindqvist"]
            )
            for name in ("Rosa Delgado", "Ben Ito", "Ana Ruiz")
        ]
        wrapping = session.get_one(db.DataKey, clinic.key_id)
        bound = ("data_key", str(wrapping.id), str(clinic.id))
        key = keys.ring().unwrap(wrapping.master_id or "", wrapping.wrapped, *bound)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))  # what refers to what is known to be right
        rebuild = postgresql.drop_indexes(connection, FILLED)
        _sealed(connection, clinic, key, team, size)
        for statement in _filler(size):
            connection.execute(text(statement), {"clinic": clinic.id, "key": clinic.key_id})
        for statement in rebuild:
            connection.execute(text(statement))
        connection.execute(text("SET session_replication_role = origin"))
    postgresql.settle(engine)
    return Crowd(clinic, team)


def reopen_everything(engine: Engine) -> None:
    """Make every item one that waits, as after the longest week there ever was."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE inbox_item SET state = 'open', done_at = NULL, done_by = NULL"))
    postgresql.settle(engine)


def patient_id(number: int) -> UUID:
    """Return the id of a patient of the crowd."""
    return _id("patient", number)


def _id(table: str, number: int) -> UUID:
    return UUID(f"{FIRST + number:012x}7{TABLES[table]}8{0:015x}")


def _id_of(table: str, number: str) -> str:
    """Return the same as SQL; `number` is an expression."""
    return f"(lpad(to_hex({FIRST} + {number}), 12, '0') || '7{TABLES[table]}8{0:015x}')::uuid"


def _sealed(connection: Connection, clinic: Clinic, key: bytes, team: Sequence[Staff], size: Size) -> None:
    """Copy the items, and the patients and unknown numbers they are about, sealed as the service seals them."""
    with _copying(connection, "inbox_item", _item(clinic, key, team, size, 0)) as write:
        for number in range(size.items):
            write(_item(clinic, key, team, size, number))
    made = [os.urandom(32) for _ in range(_opened(size))]
    for table, row in (("patient", _patient), ("patient_number", _number)):
        with _copying(connection, table, row(clinic, 0, made[0])) as write:
            for number, own in enumerate(made):
                write(row(clinic, number, own))
    with _copying(connection, "data_key", _key(clinic, key, 0, made[0])) as write:
        for number, own in enumerate(made):
            write(_key(clinic, key, number, own))
        for number, own in enumerate(made):
            write(_talk_key(clinic, number, own))
    with _copying(connection, "message", _message(clinic, size, 0, made[0])) as write:
        for number, own in enumerate(made):
            write(_message(clinic, size, number, own))
    with _copying(connection, "conversation", _conversation(clinic, key, 0)) as write:
        for number in range(0, size.items, UNKNOWN):
            write(_conversation(clinic, key, number))


def _opened(size: Size) -> int:
    """How many patients are more than filler."""
    return min(size.patients, max(size.items, OPENED))


@contextmanager
def _copying(connection: Connection, table: str, example: dict[str, Any]) -> Iterator[Any]:
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f"COPY {table} ({', '.join(example)}) FROM STDIN") as copy:
        yield lambda row: copy.write_row(tuple(row.values()))


def _item(clinic: Clinic, key: bytes, team: Sequence[Staff], size: Size, number: int) -> dict[str, Any]:
    # A number of no pattern, so that one trait of an item says nothing of another.
    chance, now = number * 2654435761 % 2**32, clock.now()
    kind = next(name for name, upto in _upto() if chance % 100 < upto)
    waits = number < size.open
    owner = None if waits and number % UNOWNED == 1 else team[number % len(team)].id
    state = ("snoozed" if number % SNOOZED == 2 else "open") if waits else "done"
    seen = waits and owner is not None and number % ACKNOWLEDGED == 3
    item_id = _id("inbox_item", number)
    done_at = now - timedelta(minutes=number % DONE_TODAY and number, seconds=number % 97)
    summary = f"Asks whether the visit can be moved, and says so in some {number} words."
    return {
        "id": item_id, "clinic_id": clinic.id, "key_id": clinic.key_id, "kind": kind, "urgency": URGENCY[kind],
        "state": state, "owner_id": owner, "patient_id": _id("patient", number) if number % UNKNOWN else None,
        "conversation_id": _id("conversation", number), "about": f"message:{_id('message', number)}",
        "dedupe": f"crowd:{number}", "summary_ct": keys.seal(
            key, summary.encode(), "inbox_item", "summary_ct", str(item_id), str(clinic.id)),
        "reason": '["on_duty"]', "level": 0, "answer_by": now + timedelta(seconds=chance % 90_000 - 9_000),
        "created_at": now - timedelta(seconds=chance % 90_000), "acknowledged_at": now if seen else None,
        "disposition": ("replied" if seen else None) if waits else "handled", "done_at": None if waits else done_at,
        "done_by": None if waits else owner,
    }  # fmt: skip


def _upto() -> Iterator[tuple[str, int]]:
    so_far = 0
    for kind, share in KINDS:
        so_far += share
        yield kind, so_far


def _key(clinic: Clinic, key: bytes, number: int, own: bytes) -> dict[str, Any]:
    key_id = _id("patient", number)
    wrapped = keys.seal(key, own, "data_key", str(key_id), str(clinic.id))
    return {"id": key_id, "clinic_id": clinic.id, "wrapped_by": clinic.key_id, "wrapped": wrapped,
            "created_at": clock.now()}  # fmt: skip


def _patient(clinic: Clinic, number: int, own: bytes) -> dict[str, Any]:
    patient_id = _id("patient", number)
    words = {"record_ct": str(number), "first_name_ct": f"Given{number}", "last_name_ct": "Quill"}
    sealed = {
        name: keys.seal(own, word.encode(), "patient", name, str(patient_id), str(clinic.id))
        for name, word in words.items()
    }
    return {"id": patient_id, "clinic_id": clinic.id, "key_id": patient_id, **sealed,
            "record_index": number.to_bytes(16, "big"), "language": "en" if number % 3 else "es",
            "panel": "Dr. Lindqvist", "privacy": "place", "state": "active", "names_indexed": False,
            "created_at": clock.now()}  # fmt: skip


def _number(clinic: Clinic, number: int, own: bytes) -> dict[str, Any]:
    row_id = _id("patient", number)
    phone = f"+1303555{100 + number % 100:04}".encode()
    return {"id": row_id, "clinic_id": clinic.id, "key_id": row_id, "patient_id": row_id,
            "number_index": number.to_bytes(16, "big"), "line": "mobile",
            "number_ct": keys.seal(own, phone, "patient_number", "number_ct", str(row_id), str(clinic.id))}  # fmt: skip


def _talk_key(clinic: Clinic, number: int, own: bytes) -> dict[str, Any]:
    """The key of a conversation, which the patient's wraps."""
    key_id = _id("talk_key", number)
    wrapped = keys.seal(own, _talks_own(own), "data_key", str(key_id), str(clinic.id))
    return {"id": key_id, "clinic_id": clinic.id, "wrapped_by": _id("patient", number), "wrapped": wrapped,
            "created_at": clock.now()}  # fmt: skip


def _talks_own(own: bytes) -> bytes:
    return keys.index_key(own, "talk")


def _message(clinic: Clinic, size: Size, number: int, own: bytes) -> dict[str, Any]:
    row_id, incoming, now = _id("message", number), number % 2 == 0, clock.now()
    words = f"Thank you, {number} is fine. See you on Tuesday then."
    body = keys.seal(_talks_own(own), words.encode(), "message", "body_ct", str(row_id), str(clinic.id))
    return {"id": row_id, "clinic_id": clinic.id, "key_id": _id("talk_key", number),
            "conversation_id": _id("conversation", number), "patient_id": _id("patient", number),
            "direction": "in" if incoming else "out", "kind": "reply", "lane": "bulk",
            "state": "received" if incoming else "delivered", "body_ct": body, "media": "[]",
            "dedupe": f"crowd:{number}", "created_at": now - timedelta(seconds=size.messages - number),
            "try_after": now, "attempts": 1, "fence": 1}  # fmt: skip


def _conversation(clinic: Clinic, key: bytes, number: int) -> dict[str, Any]:
    own = _id("conversation", number)
    phone = f"+1303555{100 + number % 100:04}".encode()
    return {"id": own, "clinic_id": clinic.id, "key_id": clinic.key_id, "number_index": number.to_bytes(16, "big"),
            "number_ct": keys.seal(key, phone, "conversation", "number_ct", str(own), str(clinic.id)),
            "patient_id": None, "last_at": clock.now(), "auto_replies": 0}  # fmt: skip


def _filler(size: Size) -> Iterator[str]:
    """Yield the statements that make all the rows no page opens: as many and as large as real ones."""
    of_patients = f"FROM generate_series(0, {size.patients} - 1) AS g"
    dummy = "decode(repeat('01', 40), 'hex')"
    patient, conversation = _id_of("patient", "g"), _id_of("conversation", "g")
    sealed = f"(g < {_opened(size)})"
    index = "decode(lpad(to_hex(g), 32, '0'), 'hex')"
    yield (
        "INSERT INTO data_key (id, clinic_id, wrapped_by, wrapped, created_at)"
        f" SELECT {patient}, :clinic, :key, decode(repeat('01', 61), 'hex'), now() {of_patients} WHERE NOT {sealed}"
    )
    yield (
        "INSERT INTO patient (id, clinic_id, key_id, record_index, record_ct, first_name_ct, last_name_ct, language,"
        " panel, privacy, state, names_indexed, created_at)"
        f" SELECT {patient}, :clinic, {patient}, {index}, {dummy}, {dummy}, {dummy}, 'en',"
        f" 'Dr. Lindqvist', 'place', 'active', false, now() {of_patients} WHERE NOT {sealed}"
    )
    yield (
        "INSERT INTO patient_number (id, clinic_id, key_id, patient_id, number_index, number_ct, line)"
        f" SELECT {patient}, :clinic, {patient}, {patient}, {index}, {dummy}, 'mobile' {of_patients} WHERE NOT {sealed}"
    )
    yield (
        "INSERT INTO conversation (id, clinic_id, key_id, number_index, number_ct, patient_id, last_at, auto_replies)"
        f" SELECT {conversation}, :clinic, :key, {index}, {dummy}, {patient}, now(), 0 {of_patients}"
        f" WHERE g >= {size.items} OR g % {UNKNOWN} <> 0"
    )
    yield _messages(size, dummy)
    yield from _visits(size)
    yield (
        "INSERT INTO item_event (id, clinic_id, item_id, at, actor, event, detail)"
        " SELECT id, clinic_id, id, created_at, 'system:inbox', 'opened', '{}' FROM inbox_item"
    )


def _visits(size: Size) -> Iterator[str]:
    columns = (
        "INSERT INTO appointment (id, clinic_id, patient_id, source, external_id, starts_at, zone, booked_at,"
        " clinician, state, revision, created_at, updated_at)"
    )
    rest = "'America/Denver', now() - interval '90 days', 'Dr. Lindqvist'"
    coming = f"(g % {VISITS_A_DAY})"
    known = _id_of("patient", f"({UNKNOWN} * ({coming} / {UNKNOWN - 1}) + {coming} % {UNKNOWN - 1} + 1)")
    yield (
        f"{columns} SELECT {_id_of('appointment', 'g')}, :clinic, {known}, 'crowd', 'coming-' || g,"
        f" date_trunc('day', now()) + make_interval(days => g / {VISITS_A_DAY}, hours => 15, mins => 4 * {coming}),"
        f" {rest}, 'booked', 1, now(), now() FROM generate_series(0, {VISITS_A_DAY * DAYS} - 1) AS g"
    )
    yield (
        f"{columns} SELECT {_id_of('appointment', f'g + {VISITS_A_DAY * DAYS}')}, :clinic, {_id_of('patient', 'g')},"
        f" 'crowd', 'past-' || g, now() - make_interval(days => 2 + g % 700, mins => g % 500), {rest}, 'arrived', 1,"
        f" now(), now() FROM generate_series(0, {size.patients} - 1) AS g"
    )


def _messages(size: Size, dummy: str) -> str:
    of_message = f"(g % {size.patients})"
    return (
        "INSERT INTO message (id, clinic_id, key_id, conversation_id, patient_id, direction, kind, lane, state,"
        " body_ct, media, dedupe, created_at, try_after, attempts, fence)"
        f" SELECT {_id_of('message', 'g')}, :clinic, :key, {_id_of('conversation', of_message)},"
        f" {_id_of('patient', of_message)}, CASE g % 2 WHEN 0 THEN 'in' ELSE 'out' END, 'reply', 'bulk',"
        f" CASE g % 2 WHEN 0 THEN 'received' ELSE 'delivered' END, {dummy}, '[]', 'crowd:' || g,"
        f" now() - make_interval(secs => {size.messages} - g), now(), 1, 1"
        f" FROM generate_series({_opened(size)}, {size.messages} - 1) AS g"
    )
