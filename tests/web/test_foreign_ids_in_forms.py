"""Two clinics in one database: an id of another clinic's in any field of a form or address names nobody there."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from config import db
from tests.web import test_access_matrix as matrix
from tests.web.caseload import seeding

# The fields by which a form or an address of staff names a row, by what they name. What a page makes up itself
# ("once", "compose") or says back of what it showed ("seen", "version") names none.
NAMING = {
    "patient_id": ("patient", "other", "stays", "number"),
    "staff_id": ("by", "consultant", "cover", "leave", "edit", "manager", "mention", "owner", "practitioner", "staff"),
    "ames_id": ("asked_by", "to", "watcher", "who"),
    "item_id": ("after", "before", "case", "event", "insert", "item", "reply", "retired", "shown", "template"),
    "note_id": ("answers", "call"),
    "conversation_id": ("channel", "onward"),
    "message_id": ("message",),
    "visit_id": ("visit",),
}
# Fields that most forms want beside them, so that they come as far as looking the row up.
BESIDE = {
    "words": "a note of ours", "body": "a text of ours", "title": "a task of ours", "why": "because", "reason": "moved",
    "disposition": "handled", "outcome": "reached", "sure": "yes", "line": "right", "until": "1h", "due": "tomorrow",
    "name": "our name", "kind": "call", "minutes": "10", "text_en": "hello", "scale": "phq9", "consent": "verbal",
    "payer": "medicare", "cost_told": "on", "starts": "2030-01-01T09:00", "ends": "2030-01-02T09:00", "place": "Room 2",
    "at": "2030-01-01T09:00", "instrument": "phq9", "decision": "continue",
}  # fmt: skip
NAME = "Zzyzx"
# They end what the walk walks by.
ENDING = ("signin.leave", "account.end", "account.end_others")


def renamed(house: Any) -> Any:
    """A clinic whose patients and people all have a name that nobody here has."""
    patient, staff = house.patient, house.staff
    house.patient = lambda **facts: patient(**{"first_name": NAME, "last_name": NAME} | facts)
    house.staff = lambda name="Rosa", **facts: staff(f"{NAME} {name}", **facts)
    return house


def rows_of(clinic_id: UUID) -> dict[str, set[str]]:
    """Every row of a clinic as text, by table."""
    tables = [table for table in db.Base.metadata.sorted_tables if "clinic_id" in table.c]
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return {
            table.name: {repr(row) for row in session.execute(select(table).where(table.c.clinic_id == clinic_id))}
            for table in tables
        }


def asked(house: Any, own: dict[str, UUID], values: dict[str, str], methods: set[str]) -> dict[str, Any]:
    """Every page and form of staff, of a row of our own, with `values` beside it: the answers by route and method."""
    browsers = {role: house.signed_in(house.staff("Kim Ost", role=role)) for role in matrix.ROLES}
    answers = {}
    for name, rule in matrix.routes(house.app).items():
        demands = matrix.ACT_OF[name]
        if demands == "public" or name in ENDING:
            continue
        role = "care_manager" if demands == "self" else matrix.MATRIX["acts"][demands][0]
        where, fields = matrix.address(house.app, rule, own), values | {"act": "assign", "once": str(uuid4())}
        for method in rule.methods & methods:
            how: dict[str, Any] = {"data": fields} if method == "POST" else {"query_string": fields}
            answers[f"{method} {name}"] = browsers[role].client.open(where, method=method, **how)
    return answers


def named(rows: dict[str, UUID], kinds: Any) -> dict[str, str]:
    """Each field of these kinds with the row it names."""
    return {field: str(rows[kind]) for kind in kinds for field in NAMING[kind]}


def test_an_id_of_another_clinics_in_any_field_reads_and_changes_nothing(
    house: Any, another_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(house.app.config, "WTF_CSRF_ENABLED", False)
    own, foreign = matrix.filled(seeding.with_registry(house)), renamed(another_house())
    theirs = matrix.filled(seeding.with_registry(foreign))
    own["ames_id"], theirs["ames_id"] = own["staff_id"], theirs["staff_id"]
    before, wrong, taken = rows_of(foreign.clinic.id), [], 0
    for kinds in [[kind] for kind in NAMING] + [list(NAMING)]:
        values = BESIDE | named(own, NAMING) | named(theirs, kinds)
        answers = asked(house, own, values, {"POST"} if len(kinds) == 1 else {"GET"})
        taken += sum(answer.status_code < 400 for answer in answers.values())
        shown = [name for name, answer in answers.items() if NAME.encode() in answer.data or answer.status_code >= 500]
        wrong += [f"{kinds} {name}" for name in shown]
    assert wrong == []
    assert taken > 400  # most come far enough to look a row up
    assert rows_of(foreign.clinic.id) == before
    ours = {line for table, lines in rows_of(house.clinic.id).items() for line in lines if table != "audit_entry"}
    assert [line for line in ours if any(repr(row) in line for row in theirs.values())] == []
