"""The audit chain, on both databases: whatever is changed, taken out or cut off is named."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from config import audit, clock, db
from config.audit import Actor, AuditEntry, AuditHead
from messaging.models import Clinic

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def act(clinic: Clinic, times: int = 1) -> None:
    for _ in range(times):
        with db.unit_of_work(db.EVERY) as session:
            audit.record(session, clinic.id, "staff:1", "item.claimed", "inbox_item:2", level=3, why="panel")


def faults(clinic: Clinic) -> list[str]:
    with db.unit_of_work(db.EVERY) as session:
        return list(audit.verify(session, clinic.id))


def tamper(statement: object) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.execute(statement)  # type: ignore[call-overload]


@pytest.fixture
def chain(clinic: Clinic) -> Clinic:
    """A clinic with nine sealed lines: its creation, and eight more."""
    act(clinic, 8)
    assert audit.seal() == 9
    return clinic


@both
def test_a_chain_nobody_touched_holds(house, chain: Clinic):
    assert faults(chain) == []
    act(chain)
    assert audit.seal() == 1
    assert faults(chain) == []


@both
def test_a_line_says_who_did_what_when_and_to_whom(house, clinic: Clinic):
    before = clock.now()
    act(clinic)
    with db.unit_of_work(db.EVERY) as session:
        line = session.scalars(select(AuditEntry).where(AuditEntry.act == "item.claimed")).one()
        said = (line.clinic_id, line.actor, line.act, line.about, line.detail)
        assert said == (clinic.id, "staff:1", "item.claimed", "inbox_item:2", {"level": 3, "why": "panel"})
        assert before <= line.at <= clock.now()


@both
def test_an_empty_chain_holds(house, clinic: Clinic):
    assert faults(clinic) == []


@both
def test_an_act_that_was_rolled_back_leaves_no_line(house, chain: Clinic):
    def failing() -> None:
        with db.unit_of_work(db.EVERY) as session:
            audit.record(session, chain.id, "staff:1", "item.claimed", "inbox_item:2")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        failing()
    assert audit.seal() == 0


CHANGES = {
    "actor": "staff:9",
    "act": "item.resolved",
    "about": "inbox_item:9",
    "detail": {"level": 4, "why": "panel"},
    "at": clock.now(),
    "hash": "f" * 64,
    "prev": "f" * 64,
}


@both
@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_line_is_named(house, chain: Clinic, column: str):
    tamper(update(AuditEntry).where(AuditEntry.seq == 4).values({column: CHANGES[column]}))
    assert faults(chain)[0].startswith("line 4 was changed")


@both
def test_a_deleted_line_is_named(house, chain: Clinic):
    tamper(delete(AuditEntry).where(AuditEntry.seq == 4))
    assert faults(chain)[0] == "line 4 is missing: the next one is 5"


@both
def test_lines_cut_off_at_the_end_are_named(house, chain: Clinic):
    tamper(delete(AuditEntry).where(AuditEntry.seq > 7))
    assert faults(chain) == ["the chain ends at line 7, but 9 were sealed"]


@both
def test_a_chain_that_is_gone_altogether_is_named(house, chain: Clinic):
    tamper(delete(AuditEntry))
    assert faults(chain) == ["the chain ends at line 0, but 9 were sealed"]


@both
def test_a_head_that_is_gone_is_named(house, chain: Clinic):
    tamper(delete(AuditHead))
    assert faults(chain) == ["the chain ends at line 9, but 0 were sealed"]


@both
def test_two_lines_that_changed_places_are_named(house, chain: Clinic):
    for old, new in ((3, 99), (4, 3), (99, 4)):
        tamper(update(AuditEntry).where(AuditEntry.seq == old).values(seq=new))
    assert any(fault.startswith("line 3 ") for fault in faults(chain))


@both
def test_each_clinic_has_a_chain_of_its_own(house, chain: Clinic):
    with db.unit_of_work(db.EVERY) as session:
        other = db.new_id()
        audit.record(session, other, "operator", "clinic.created", f"clinic:{other}")
    audit.seal()
    with db.unit_of_work(db.EVERY) as session:
        assert list(audit.verify(session, other)) == []
        assert session.scalar(select(AuditEntry.seq).where(AuditEntry.clinic_id == other)) == 1
    assert faults(chain) == []


@both
def test_several_sealers_at_once_make_one_chain(house, clinic: Clinic):
    act(clinic, 40)
    with ThreadPoolExecutor(4) as sealers:
        assert sum(sealers.map(lambda _: audit.seal(), range(4))) == 41
    assert faults(clinic) == []
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalar(select(func.max(AuditEntry.seq))) == 41


LINE = {
    "actor": st.text(min_size=1, max_size=20),
    "act": st.text(min_size=1, max_size=20),
    "about": st.text(min_size=1, max_size=20),
}


@given(first=st.fixed_dictionaries(LINE), second=st.fixed_dictionaries(LINE))
@profile(suppress_health_check=[HealthCheck.too_slow], max_examples=100)
def test_different_lines_have_different_digests(first: dict[str, str], second: dict[str, str]):
    place = {"id": db.new_id(), "clinic_id": db.new_id(), "at": clock.now(), "seq": 1, "prev": audit.GENESIS}
    digests = {audit.digest(AuditEntry(**place, detail={}, **line)) for line in (first, second)}
    assert len(digests) == (1 if first == second else 2)


ACTORS = {
    "staff": Actor.staff(UUID(int=7)),
    "patient": Actor.patient(UUID(int=7)),
    "conversation": Actor.conversation(UUID(int=7)),
    "absence": Actor.absence(UUID(int=7)),
    "system": Actor.system("intake"),
    "operator": Actor.operator("root"),
}


@pytest.mark.parametrize("kind", ACTORS)
def test_an_actor_is_read_as_it_was_made(kind: str):
    read = Actor(str(ACTORS[kind]))
    assert (read, read.kind) == (ACTORS[kind], kind)
    assert read.staff_id == (UUID(int=7) if kind == "staff" else None)


@pytest.mark.parametrize("text", ["", "staff", "staff:", "staff:rosa", "staff:1:2", "STAFF:" + str(UUID(int=7)), "x"])
def test_text_that_names_no_colleague_names_none(text: str):
    assert Actor(text).staff_id is None


@both
def test_an_actor_is_kept_as_its_text_however_long_its_name(clinic: Clinic):
    long = Actor.operator("o" * 80)
    for actor in (*ACTORS.values(), long, audit.OPERATOR):
        with db.unit_of_work(db.EVERY) as session:
            audit.record(session, clinic.id, actor, "item.claimed", "inbox_item:2")
    audit.seal()
    with db.unit_of_work(db.EVERY) as session:
        kept = set(session.scalars(select(AuditEntry.actor)))
    assert {str(actor) for actor in ACTORS.values()} | {"operator:" + "o" * 51, "operator"} <= kept
    assert faults(clinic) == []
