"""What was stored as sentences until now is carried over as data: reasons, codes, wishes, why a follow-up ended."""

import importlib.util
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import JSON, String, Uuid, column, insert, inspect, select, table
from sqlalchemy.orm import Session

from config import audit, clock, db
from intake_links import links
from intake_links.models import IntakeLink
from messaging import outbox
from messaging.inbox import items
from messaging.inbox.models import InboxItem, Timer
from messaging.models import Clinic, Message, Patient
from messaging.people import directory
from messaging.reasons import read
from reminders import reasons
from reminders.models import Appointment, FollowUp, Reminder
from service import migrations
from tests.reminders.test_reasons import SAID

AT = datetime(2026, 3, 3, 16, 0, tzinfo=UTC)
QUIET = "quiet: the patient wants no texts about this visit"
ASKED, UNWRITTEN, OTHER = (UUID(int=number) for number in range(1, 4))
ENDED = [("too late for a text", "too_late"), ("quiet", "quiet"), ("not asked: opted out", "refused")]
KINDS = {
    "why": JSON(),
    "ended": String(),
    "id": Uuid(),
    "clinic_id": Uuid(),
    "link_id": Uuid(),
    "first_message_id": Uuid(),
}
KINDS |= {name: db.Moment() for name in ("starts_at", "booked_at", "created_at", "updated_at", "try_after")}


def revision() -> ModuleType:
    [file] = Path("service/migrations/versions").glob("0021_*.py")
    spec = importlib.util.spec_from_file_location("revision_0021", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("reason", "sentence"), SAID, ids=[reason.key for reason, _ in SAID])
def test_a_sentence_becomes_the_reason_it_was_written_from(reason: Any, sentence: str) -> None:
    assert read(revision().read(sentence)) == reason


# Which kind of visit a step was for is not said any more since 0069: reasons stand in clear.
@pytest.mark.parametrize("key", sorted(revision().SENTENCES.keys() - {"other_kind"}))
def test_every_sentence_of_before_says_the_same_as_data(key: str) -> None:
    filled = {
        "at": "09:00", "until": "08:00 in America/Denver", "back": "19:45", "zone": "America/New_York",
        "length": "72 hours", "real": "71 hours", "notice": "60 minutes", "gap": "3 hours", "side": "before",
        "weekday": "Friday", "objection": "has passed", "late": "has passed", "early": "is before the visit was booked",
        "past": "visit was booked after this step", "nth": "third", "most": "2", "wanted": "es", "state": "no show",
        "because": "cap: the 12th reminder that day; the clinic sends a patient at most 11",
        "theirs": "none that we know", "refusal": "opted out", "instrument": "phq9", "verdict": "open link",
        "ask": "annual", "error": "OperationalError",
    }  # fmt: skip
    sentence = revision().SENTENCES[key].format(**filled)
    reason = read(revision().read(sentence))
    assert reason.key == key
    assert "as_written" not in reason.keys
    assert reasons.words(reason) == sentence


@pytest.mark.parametrize(
    "sentence", ["", "a note of somebody", "dropped: moon", "moved: {at}", "not asked: , , ()", "code 1: x"]
)
def test_what_nobody_wrote_stays_as_it_was(sentence: str) -> None:
    assert reasons.words(read(revision().read(sentence))) == sentence


def fill(session: Session, name: str, *rows: dict[str, Any]) -> None:
    """Insert rows as they were before: the models of today have other columns."""
    for row in rows:
        columns = [
            column(key, KINDS.get(key) or (Uuid() if isinstance(value, UUID) else None)) for key, value in row.items()
        ]
        session.execute(insert(table(name, *columns)), row)


def visit(visit_id: UUID, patient: Patient, name: str) -> dict[str, Any]:
    return {
        "id": visit_id, "clinic_id": patient.clinic_id, "patient_id": patient.id, "source": "s", "external_id": name,
        "starts_at": AT, "zone": "America/Denver", "booked_at": AT, "state": "booked", "revision": 1,
        "created_at": AT, "updated_at": AT,
    }  # fmt: skip


def reminder(clinic_id: UUID, number: int, of: UUID, why: list[str]) -> dict[str, Any]:
    return {
        "id": UUID(int=number), "clinic_id": clinic_id, "appointment_id": of, "step": f"s{number}", "revision": 1,
        "state": "dropped", "why": why, "try_after": AT, "attempts": 0, "fence": 0,
    }  # fmt: skip


def people_of_before() -> tuple[Clinic, Patient, list[IntakeLink], Message]:
    with db.unit_of_work(db.EVERY) as session:
        clinic = directory.add_clinic(
            session, name="Larkspur", zone="America/Denver", number="+13035550100", phone="+13035550101"
        )
        record = directory.PatientRecord(
            record="P1",
            first_name="Rosa",
            last_name="Vance",
            number="+13035550102",
            birth_date=date(1980, 2, 29),
        )
        patient = directory.save_patient(session, clinic, record)[0]
        issued = [links.issue(session, clinic, patient, ["phq9"])[0] for _ in ENDED]
        items.open_item(
            session, clinic, kind="safety", about="test:1", dedupe="1", summary="words", patient_id=patient.id
        )
        text = {"kind": "reminder", "programme": "reminders", "body": "a link", "dedupe": "d"}
        return clinic, patient, issued, outbox.text_patient(session, clinic, patient, **text)


def drop_file() -> None:
    """Begin with no file: SQLite drops no table to which rows of others point."""
    path = Path(db.engine().url.database or "")
    db.engine().dispose()
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


# What stood in clear until 0069, where it may not be null.
UNSEALED: dict[str, dict[str, Any]] = {"message": {"reading": []}, "patient": {"wishes": {}}}


def go_back_to(revision_id: str) -> None:
    """Bring the database back to an older schema, with every row that it has as far as that schema had columns."""
    tables = db.Base.metadata.sorted_tables
    with db.engine().begin() as connection:
        kept = {each.name: connection.execute(each.select()).mappings().all() for each in tables}
    if db.engine().dialect.name == "sqlite":
        drop_file()
    else:
        with db.engine().begin() as connection:
            db.Base.metadata.drop_all(connection)
    command.upgrade(migrations._config(), revision_id)
    with db.engine().begin() as connection:
        there = inspect(connection)
        for each in tables:
            names = {found["name"] for found in there.get_columns(each.name)} if there.has_table(each.name) else set()
            both = names & set(each.c.keys())
            unsealed = {name: value for name, value in UNSEALED.get(each.name, {}).items() if name in names}
            columns = [column(name, each.c[name].type) for name in both]
            older = table(each.name, *columns, *(column(name, JSON()) for name in unsealed))
            for row in kept[each.name] if names else ():
                connection.execute(insert(older), {name: row[name] for name in both} | unsealed)


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_stored_rows_say_the_same_after_it_and_wishes_stand_with_their_visits(house: object) -> None:
    clinic, patient, issued, message = people_of_before()
    go_back_to("0020")
    sentences = [sentence for _, sentence in SAID]
    coded = ["planned: 72 hours before the visit", f"code 1: {ASKED}", f"code 2: {OTHER}"]
    whys = [
        (ASKED, sentences),
        (UNWRITTEN, [sentences[0], QUIET]),
        (OTHER, coded),
        (OTHER, []),
        (OTHER, ["a note of somebody"]),
    ]
    with db.unit_of_work(db.EVERY) as session:
        visits = {"a": ASKED, "b": UNWRITTEN, "c": OTHER}
        fill(session, "appointment", *(visit(visit_id, patient, name) for name, visit_id in visits.items()))
        fill(session, "reminder", *(reminder(clinic.id, 11 + at, of, why) for at, (of, why) in enumerate(whys)))
        audit.record(session, clinic.id, "patient:p", "appointment.quiet", f"appointment:{ASKED}")
        asked_at = clock.now()
        for (why, _), link in zip(ENDED, issued, strict=True):
            row = {
                "id": db.new_id(),
                "clinic_id": clinic.id,
                "link_id": link.id,
                "first_message_id": message.id,
            }
            row |= {"state": "over", "ended": why, "try_after": AT, "attempts": 0, "fence": 0}
            names = [column("why" if key == "ended" else key, KINDS.get(key)) for key in row]
            values = {"why" if key == "ended" else key: value for key, value in row.items()}
            session.execute(insert(table("follow_up", *names)), values)
    migrations.upgrade()
    look_after(patient, sentences, asked_at, coded, issued)


def look_after(
    patient: Patient, sentences: list[str], asked_at: datetime, coded: list[str], issued: list[IntakeLink]
) -> None:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = {row.id.int - 11: row for row in session.scalars(select(Reminder))}
        assert reasons.kept(rows[0].why) == sentences
        assert reasons.kept(rows[1].why) == [sentences[0], QUIET]
        assert (reasons.kept(rows[2].why), rows[2].codes) == (coded[:1], {"1": str(ASKED), "2": str(OTHER)})
        assert (rows[3].why, rows[3].codes) == ([], None)
        assert reasons.kept(rows[4].why) == ["a note of somebody"]
        item = session.scalars(select(InboxItem)).one()
        assert (item.summary, item.rank, item.thread_id) == ("words", 0, patient.id)
        assert session.query(Timer).filter_by(item_id=item.id).count() == 2
        wishes = {row.external_id: (row.quiet_at, row.quiet_by) for row in session.scalars(select(Appointment))}
        assert wishes["a"][0] is not None
        assert abs(wishes["a"][0] - asked_at) < timedelta(minutes=1)
        assert wishes["a"][1] == "patient:p"
        assert (wishes["b"], wishes["c"]) == ((AT, f"patient:{patient.id}"), (None, None))
        ended = {row.link_id: row.why for row in session.scalars(select(FollowUp))}
        assert [(ended[link.id] or {})["key"] for link in issued] == [key for _, key in ENDED]
