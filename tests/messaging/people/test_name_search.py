"""Finding patients by name through a blind index."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from config import clock, db
from messaging.models import Clinic, Patient, PatientName
from messaging.people import directory, name_search

A_WORD = st.text(st.characters(categories=("Lu", "Ll"), max_codepoint=0x24F), min_size=1, max_size=12)
A_NAME = st.lists(A_WORD.filter(lambda word: name_search.words(word) != []), min_size=1, max_size=3).map(" ".join)
both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
keep = settings(max_examples=20, deadline=None)


def found(clinic: Clinic, typed: str) -> list[Any]:
    with db.unit_of_work(clinic.id, read_only=True) as session:
        return [patient.id for patient in name_search.search(session, clinic, typed).patients]


def test_case_accents_hyphens_and_apostrophes_make_no_difference():
    assert name_search.words("MUÑOZ", "García-Márquez") == ["munoz", "garcia", "marquez"]
    assert name_search.words("Sean O’Brien") == ["sean", "obrien"]
    assert name_search.words("Łukasz Straße", None) == ["lukasz", "strasse"]


@given(st.lists(A_WORD, max_size=4), st.randoms())
def test_words_fit_in_any_order_and_begun_anywhere(said: list[str], random: Any):
    has = name_search.words(*said)
    beginnings = [word[: random.randint(1, len(word))] for word in has]
    random.shuffle(beginnings)
    assert name_search.fits(beginnings, has)
    assert not name_search.fits([*beginnings, "a"], has)


@keep
@given(first=A_NAME, last=A_NAME, random=st.randoms())
def test_every_start_of_three_letters_or_more_finds(clinic: Clinic, first: str, last: str, random: Any):
    with db.unit_of_work(clinic.id) as session:
        record = directory.PatientRecord("P1", first, last, None, None)
        patient = directory.save_patient(session, clinic, record)[0]
    for word in name_search.words(first, last):
        for length in range(min(3, len(word)), len(word) + 1):
            assert patient.id in found(clinic, word[:length].upper())
    everything = name_search.words(first, last)
    random.shuffle(everything)
    assert patient.id in found(clinic, " ".join(everything[:6]))


@both
def test_both_surnames_first_and_last_name_find_whoever_bears_them(clinic: Clinic, new_patient: Callable[..., Patient]):
    teresa = new_patient("Teresa", last_name="Quintana Muñoz").id
    new_patient("Teresa", last_name="Abara")
    for typed in ("munoz", "quint ter", "Teresa Muñoz", "QUINTANA-MUÑOZ", "  muño  "):
        assert found(clinic, typed) == [teresa]
    assert len(found(clinic, "teresa")) == 2
    assert found(clinic, "teresa teresa") == []
    for nothing in ("", "te", "!!", "quintanas", "qui mun abara"):
        assert found(clinic, nothing) == []


def test_a_short_name_is_found_whole_and_beside_a_longer_word(clinic: Clinic, new_patient: Callable[..., Patient]):
    li = new_patient("Min", last_name="Li").id
    for typed in ("li", "min l", "li min"):
        assert found(clinic, typed) == [li]
    assert found(clinic, "l") == []


def test_whole_names_come_before_begun_ones(clinic: Clinic, new_patient: Callable[..., Patient]):
    marianne, mari = new_patient("Marianne").id, new_patient("Mari", last_name="Zeller").id
    assert found(clinic, "mari") == [mari, marianne]


def test_a_new_name_is_found_and_the_former_one_is_not(clinic: Clinic, new_patient: Callable[..., Patient]):
    patient = new_patient("Maya", record="R1").id
    new_patient("Maya", record="R1", last_name="Sorensen-Bright")
    assert found(clinic, "bright") == [patient]
    assert found(clinic, "quill") == []


def test_names_are_found_in_their_own_clinic_only(house: object, clinic: Clinic, new_patient: Callable[..., Patient]):
    new_patient("Maya")
    with db.unit_of_work(db.EVERY) as session:
        other = directory.add_clinic(session, name="Other", zone="America/Denver", number="+13035550198")
    assert found(other, "maya") == []


def test_too_many_of_one_name_are_said_to_be_too_many(
    clinic: Clinic, new_patient: Callable[..., Patient], monkeypatch: pytest.MonkeyPatch
):
    for _ in range(3):
        new_patient("Maya")
    monkeypatch.setattr(name_search, "CANDIDATES", 2)
    with db.unit_of_work(clinic.id, read_only=True) as session:
        several = name_search.search(session, clinic, "may")
        assert (len(several.patients), several.more) == (2, True)
        assert not name_search.search(session, clinic, "zeller").more


def test_nothing_of_a_name_stands_in_the_index_in_clear(clinic: Clinic, new_patient: Callable[..., Patient]):
    new_patient("Maya", last_name="Quill")
    with db.unit_of_work(clinic.id, read_only=True) as session:
        tokens = session.scalars(select(PatientName.token)).all()
    # maya and quill, their first three letters, and five of quill; and the birth date
    assert sorted(map(len, tokens)) == [16] * 6
    assert not any(part in token.lower() for token in tokens for part in (b"may", b"qui"))


@both
def test_patients_from_before_the_index_become_findable_by_themselves(
    clinic: Clinic, new_patient: Callable[..., Patient]
):
    ids = {new_patient(name).id for name in ("Maya", "Mayra", "Maybel")}
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(PatientName))
        session.execute(update(Patient).values(names_indexed=False))
    assert found(clinic, "may") == []
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert name_search.oldest(session, None) is not None  # type: ignore[arg-type]
    assert name_search.drain() == 3
    assert set(found(clinic, "may")) == ids
    assert name_search.drain() == 0
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert name_search.oldest(session, None) is None  # type: ignore[arg-type]


def test_a_patient_whose_key_is_gone_keeps_nobody_else_from_being_found(
    clinic: Clinic, new_patient: Callable[..., Patient]
):
    gone, maya = new_patient("Ghost"), new_patient("Maya").id
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(PatientName))
        session.execute(update(Patient).values(names_indexed=False))
        session.execute(delete(db.DataKey).where(db.DataKey.id == gone.key_id))
    from config.db import data_keys

    data_keys._cache().forget(lambda _: True)
    assert name_search.drain() == 2
    assert found(clinic, "maya") == [maya]
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.scalar(select(func.count()).where(PatientName.patient_id == gone.id)) == 0


@both
def test_a_patient_whose_key_does_not_open_keeps_nobody_else_from_being_found(
    clinic: Clinic, new_patient: Callable[..., Patient], lost_key
):
    sick, well = new_patient("Ana"), new_patient("Ben")
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Patient).values(names_indexed=False))
        session.execute(update(Patient).where(Patient.id == sick.id).values(key_id=lost_key))
        session.execute(delete(PatientName))
    name_search.drain()
    assert found(clinic, "Ben") == [well.id]
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert name_search.oldest(session, clock.now()) is None
