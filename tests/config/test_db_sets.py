"""Rows written many at once say exactly what they were given, and many values find their rows, on both databases."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from config import db
from config.audit import AuditEntry
from config.db import sets
from config.db.data_keys import DataKey

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
AT = datetime(2026, 3, 3, 16, 0, 0, 3, tzinfo=UTC)
ODD = ['say "no", {now}\\ NULL', "ñ … \n\t\\", "it's %s :x", "", "null", "NULL", "{}", "\\x00"]


def line(act: str, detail: object, **others: object) -> dict[str, object]:
    fresh = {"id": db.new_id(), "clinic_id": UUID(int=7), "at": AT, "actor": "a", "about": "b"}
    return fresh | {"act": act, "detail": detail, "seq": None, "prev": None} | others


@both
def test_texts_and_sentences_come_back_as_they_were_given(house):
    given_rows = [line(text, ODD, seq=2**40 + place) for place, text in enumerate(ODD)]
    with db.unit_of_work(db.EVERY) as session:
        db.write_rows(session, AuditEntry, given_rows)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        stored = {row.id: row for row in session.scalars(select(AuditEntry))}
    for row in given_rows:
        assert {name: getattr(stored[row["id"]], name) for name in row} == row


@both
def test_what_is_not_there_is_null_and_what_a_list_holds_keeps_its_kind(house):
    rows = [line("mixed", [True, None]), line("ones", [1, "1"]), line("deep", {"a": [{"b": None}]})]
    with db.unit_of_work(db.EVERY) as session:
        db.write_rows(session, AuditEntry, [])
        db.write_rows(session, AuditEntry, rows)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        stored = {row.act: row for row in session.scalars(select(AuditEntry).where(AuditEntry.seq.is_(None)))}
    assert stored["mixed"].detail[0] is True
    assert stored["ones"].detail == [1, "1"]
    assert stored["deep"].detail == {"a": [{"b": None}]}


@both
def test_bytes_come_back_and_find_their_rows(house):
    wrapped = [b"", b'\x00\\"{},\xff', b"NULL"]
    clinic, ids = UUID(int=9), db.new_ids(3)
    rows = [
        {
            "id": new,
            "clinic_id": clinic,
            "wrapped_by": None,
            "master_id": None,
            "wrapped": key,
            "created_at": AT,
        }
        for new, key in zip(ids, wrapped, strict=True)
    ]
    with db.unit_of_work(db.EVERY) as session:
        db.write_rows(session, DataKey, rows)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        ours = select(DataKey.wrapped).where(DataKey.clinic_id == clinic)
        some = session.scalars(ours.where(db.among(session, DataKey.wrapped, wrapped[1:])))
        assert set(some) == set(wrapped[1:])
        assert session.scalars(ours.where(db.among(session, DataKey.id, {ids[0], db.new_id()}))).all() == [b""]
        assert session.scalars(ours.where(db.among(session, DataKey.id, []))).all() == []


@both
def test_rows_asked_for_one_value_after_the_other_come_once_each(house):
    rows = [line(act, None) for act in ("a", "b", "b", ODD[0])]
    wanted = [AuditEntry.id, AuditEntry.act]
    with db.unit_of_work(db.EVERY) as session:
        db.write_rows(session, AuditEntry, rows)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        pairs = session.execute(db.of_each(session, wanted, AuditEntry.act, ["b", "b", ODD[0], "c"])).all()
        assert sorted(pairs) == sorted((row["id"], row["act"]) for row in rows[1:])
        assert session.execute(db.of_each(session, wanted, AuditEntry.act, [])).all() == []


@both
def test_keys_made_together_open_like_keys_made_alone(house, clinic):
    with db.unit_of_work(clinic.id) as session:
        made = db.new_data_keys(session, clinic.id, 3, under=clinic.key_id)
        assert db.new_data_keys(session, clinic.id, 0, under=clinic.key_id) == []
        rows = session.scalars(select(DataKey).where(db.among(session, DataKey.id, made))).all()
        assert {row.wrapped_by for row in rows} == {clinic.key_id}
        assert len({row.wrapped for row in rows}) == 3


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=4))
def test_no_sentence_breaks_out_of_its_place_in_an_array(why: list[str]) -> None:
    written = sets.arrays(AuditEntry, {"detail": [why]})["detail"]
    inner = written[2:-2].replace('\\"', "").replace("\\\\", "")
    assert (written[:2], written[-2:]) == ('{"', '"}')
    assert '"' not in inner
