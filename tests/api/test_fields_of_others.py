"""What an operation does not ask for it does not take, and an id of another clinic's names nobody in any field."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from api import catalogue
from config import db
from records import kinds
from tests.api.test_isolation import BODIES, filled

POSTS = [operation for operation in catalogue.ALL if operation.method == "POST"]
# What stands in a row of ours and is nobody's to say.
ADDED = {
    "id": str(uuid4()), "clinic_id": str(uuid4()), "key_id": str(uuid4()), "staff_id": str(uuid4()),
    "role": "clinic_admin", "scopes": ["patients.read"], "active": True, "acknowledged_by": str(uuid4()),
    "acknowledged_at": "1999-12-31T23:59:00Z", "created_at": "1999-12-31T23:59:00Z", "merged_into": str(uuid4()),
    "version": 99, "token": "x", "secret": "whsec_x", "__proto__": {}, "clinic": {"id": str(uuid4())},
}  # fmt: skip
WHOLE: dict[str, Any] = {
    "patients.save": {"record": "R1", "first_name": "Maya", "last_name": "Quill"},
    "event-webhooks.create": {"name": "another", "url": "https://hooks.clinic.example/more", "kinds": None},
    "appointments.save": {"external_id": "V9", "record": "R1", "starts_at": "2030-01-01T09:00"},
    "patients.search": {"record": "R1"},
}
COUNTED = ("audit_entry", "audit_head", "api_key")


def rows_of(clinic_id: UUID) -> dict[str, set[str]]:
    """Every row of a clinic as text, by table, but those that say who asked what."""
    tables = [table for table in db.Base.metadata.sorted_tables if "clinic_id" in table.c and table.name not in COUNTED]
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return {
            table.name: {repr(row) for row in session.execute(select(table).where(table.c.clinic_id == clinic_id))}
            for table in tables
        }


def body_of(operation: Any, rows: Any) -> dict[str, Any]:
    """A body that the operation takes."""
    return dict(WHOLE.get(operation.name) or BODIES.get(operation.name, lambda _: {})(rows.patient))


def fields_of(model: Any) -> list[str]:
    """The fields of a body or a query by which a row is named; a program's own id of a visit names none of ours."""
    named = [name for name in (model.model_fields if model else ()) if name.endswith("_id") or name == "after"]
    return [name for name in named if name != "external_id"]


def test_a_field_that_is_not_described_is_refused_and_nothing_is_done(ours: Any) -> None:
    rows, program = filled(ours), ours.program(staff=ours.staff())
    before, taken = rows_of(ours.clinic.id), []
    for operation in POSTS:
        path = operation.path.replace("{id}", str(rows.of(operation)))
        for name in ADDED.keys() - operation.body.model_fields.keys():
            answer = program.post(path, body_of(operation, rows) | {name: ADDED[name]})
            taken += [f"{operation.name} {name}: {answer.status_code}"] if answer.status_code != 422 else []
    assert taken == []
    assert len(POSTS) > 15
    assert rows_of(ours.clinic.id) == before


def test_an_id_of_theirs_in_any_field_or_query_names_nobody(ours: Any, theirs: Any) -> None:
    own, foreign = filled(ours), filled(theirs)
    program, stranger = ours.program(staff=ours.staff()), theirs.staff()
    ids = [*foreign.by_kind.values(), stranger.id, theirs.clinic.id]
    before, asked, wrong = rows_of(theirs.clinic.id), 0, []
    for operation in catalogue.ALL:
        path = operation.path.replace("{id}", str(own.of(operation)))
        for field in fields_of(operation.query) + fields_of(operation.body):
            for row_id in ids:
                asked += 1
                if operation.method == "GET":
                    answer = program.get(path, **{field: str(row_id)})
                else:
                    answer = program.post(path, body_of(operation, own) | {field: str(row_id)})
                told = any(str(each) in answer.text for each in ids)
                nothing = answer.status_code in (404, 409, 422) or answer.json == {"count": 0}
                taken = operation.method == "POST" and not nothing
                wrong += [f"{operation.name} {field}: {answer.status_code}"] if told or taken else []
    assert wrong == []
    assert asked > 200
    assert rows_of(theirs.clinic.id) == before


def test_an_id_of_theirs_finds_and_reads_nothing_in_fhir(ours: Any, theirs: Any) -> None:
    filled(ours)
    foreign = filled(theirs)
    program, wrong = ours.program(staff=ours.staff()), []
    for kind in kinds.ALL:
        for row_id in foreign.by_kind.values():
            queries = [{"_id": str(row_id)}, {"patient": str(row_id)}, {"patient": f"Patient/{row_id}"}]
            queries += [{"patient": str(foreign.patient), "_id": str(row_id)}]
            for query in queries:
                answer = program.get(f"/fhir/{kind.type}", **query)
                if answer.status_code != 200 or answer.json.get("entry"):
                    wrong += [f"{kind.type} {sorted(query)}: {answer.status_code}"] if answer.status_code != 400 else []
            read = program.get(f"/fhir/{kind.type}/{row_id}")
            wrong += [f"{kind.type}/: {read.status_code}"] if read.status_code != 404 else []
    assert wrong == []
