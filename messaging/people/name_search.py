"""Finds patients by what stands in their names, through a blind index: the words themselves stay sealed.

What is indexed of each word of a name is a keyed hash of the word, of its first three and of its first five letters;
beside them stands one of the birth date.
A search narrows down by these, opens at most `CANDIDATES` patients, and compares their names exactly in memory.
See docs/decisions/0008-names-are-searched-by-a-blind-index.md.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.orm import Session

from config import clock, db, logging
from messaging.models import Clinic, Patient, PatientName

STARTS = (3, 5)
# What the index is made of: whoever changes one of these has it written anew.
INDEXED = frozenset({"first_name", "last_name", "birth_date"})
CANDIDATES = 200
LONGEST_QUESTION = 6
BATCH = 200
# Letters that no decomposition takes apart.
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_APOSTROPHES = re.compile("['’ʼ`´]")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Found:
    """Patients whose names fit, best first; `more` says that not everybody who may fit was looked at."""

    patients: list[Patient]
    more: bool


def fold(text: str) -> str:
    """Return `text` without case and accents: "Muñoz" and "MUNOZ" both become "munoz"."""
    spread = unicodedata.normalize("NFKD", text.casefold()).casefold()
    # Taken apart first: a letter of _PLAIN may bear an accent of its own.
    return "".join(character for character in spread if not unicodedata.combining(character)).translate(_PLAIN)


def words(*names: str | None) -> list[str]:
    """Return the words of names as they are indexed: folded, "García-Márquez" in two, "O'Brien" in one."""
    folded = fold(" ".join(name or "" for name in names))
    return _WORD.findall(_APOSTROPHES.sub("", folded))


def fits(asked: Sequence[str], has: Sequence[str]) -> bool:
    """Whether each word asked for begins a word of its own in `has`, in any order."""
    if not asked:
        return True
    first, rest = asked[0], asked[1:]
    return any(
        word.startswith(first) and fits(rest, [*has[:place], *has[place + 1 :]]) for place, word in enumerate(has)
    )


def search(session: Session, clinic: Clinic, typed: str) -> Found:
    """Return the patients whose names have every word of `typed`, whole or begun with three letters or more.

    Shorter words are found whole ("Li"), or beside a longer one. Whole names come first.
    """
    typed_words = words(typed)[:LONGEST_QUESTION]
    telling = [word for word in typed_words if len(word) >= STARTS[0]] or typed_words
    if not telling:
        return Found([], False)
    whole = _candidates(session, clinic, [[_token(session, clinic, 0, word)] for word in telling])
    begun = _candidates(session, clinic, [_tokens_asked(session, clinic, word) for word in telling])
    more = max(len(whole), len(begun)) > CANDIDATES
    ids = list(dict.fromkeys([*whole[:CANDIDATES], *begun[:CANDIDATES]]))[:CANDIDATES]
    patients = list(session.scalars(select(Patient).where(Patient.id.in_(ids)))) if ids else []
    db.load_keys(session, (patient.key_id for patient in patients))
    ranked = [
        (_rank(typed_words, patient), patient)
        for patient in patients
        if fits(typed_words, words(patient.first_name, patient.last_name))
    ]
    return Found([patient for _, patient in sorted(ranked, key=lambda ranking: ranking[0])], more)


def born_on(session: Session, clinic: Clinic, day: date) -> Found:
    """Return the patients who were born on that day, active ones first, then by name."""
    ids = _candidates(session, clinic, [[_birth_token(session, clinic, day.isoformat())]])
    patients = list(session.scalars(select(Patient).where(Patient.id.in_(ids[:CANDIDATES])))) if ids else []
    db.load_keys(session, (patient.key_id for patient in patients))
    born = [patient for patient in patients if (patient.birth_date or "")[:10] == day.isoformat()]
    return Found(sorted(born, key=lambda patient: _rank([], patient)), len(ids) > CANDIDATES)


def _rank(typed_words: Sequence[str], patient: Patient) -> tuple[Any, ...]:
    first, last = words(patient.first_name), words(patient.last_name)
    begun = sum(word not in [*first, *last] for word in typed_words)
    return patient.state != "active", begun, last, first, patient.id


def _candidates(session: Session, clinic: Clinic, tokens: Sequence[Sequence[bytes]]) -> list[UUID]:
    """The patients who have one token of each list, one more than may be looked at."""
    patient_ids: Select[Any] = select(PatientName.patient_id).where(
        PatientName.clinic_id == clinic.id, PatientName.token.in_(tokens[0])
    )
    for alternatives in tokens[1:]:
        others = select(PatientName.patient_id).where(
            PatientName.clinic_id == clinic.id, PatientName.token.in_(alternatives)
        )
        patient_ids = patient_ids.where(PatientName.patient_id.in_(others))
    return list(session.scalars(patient_ids.distinct().limit(CANDIDATES + 1)))


def _tokens_asked(session: Session, clinic: Clinic, word: str) -> list[bytes]:
    long_enough = [length for length in STARTS if length <= len(word)]
    begun = [_token(session, clinic, long_enough[-1], word)] if long_enough else []
    return [_token(session, clinic, 0, word), *begun]


def _token(session: Session, clinic: Clinic, length: int, word: str) -> bytes:
    """The blind index of the whole word (length 0), or of its first letters."""
    return db.clinic_index(session, clinic.key_id, f"name.{length}", word[:length] if length else word)


def _birth_token(session: Session, clinic: Clinic, day: str) -> bytes:
    return db.clinic_index(session, clinic.key_id, "birth_date", day[:10])


def index(session: Session, clinic: Clinic, patient: Patient) -> None:
    """Write the index of a patient's names anew, in the transaction that changed them."""
    session.flush()
    session.execute(delete(PatientName).where(PatientName.patient_id == patient.id))
    if entries := rows(session, clinic, patient):
        session.execute(insert(PatientName), entries)


def rows(session: Session, clinic: Clinic, patient: Patient) -> list[dict[str, Any]]:
    """Return what the index must hold of a patient's names, as rows of PatientName, and note that it does."""
    tokens = {
        _token(session, clinic, length, word)
        for word in words(patient.first_name, patient.last_name)
        for length in (0, *STARTS)
        if length <= len(word)
    }
    if patient.birth_date:
        tokens.add(_birth_token(session, clinic, patient.birth_date))
    patient.names_indexed = True
    return [
        {"id": new, "clinic_id": clinic.id, "patient_id": patient.id, "token": token}
        for new, token in zip(db.new_ids(len(tokens)), sorted(tokens), strict=True)
    ]


def oldest(session: Session, _now: datetime) -> datetime | None:
    """Return since when a patient waits to be findable by name; all who were here before the index came do."""
    return session.scalar(select(func.min(Patient.created_at)).where(~Patient.names_indexed))


def drain(seconds: float = 5.0) -> int:
    """Index the patients who are not indexed yet, in batches; return how many."""
    end, handled = clock.monotonic() + seconds, 0
    while clock.monotonic() < end:
        with db.unit_of_work(db.EVERY) as session:
            waiting = select(Patient).where(~Patient.names_indexed).order_by(Patient.created_at)
            batch = session.scalars(waiting.limit(BATCH).with_for_update(skip_locked=True)).all()
            _index_all(session, batch)
        if not batch:
            break
        handled += len(batch)
    return handled


def _index_all(session: Session, patients: Iterable[Patient]) -> None:
    patients = list(patients)
    ids = {patient.clinic_id for patient in patients}
    clinics = {clinic.id: clinic for clinic in session.scalars(select(Clinic).where(Clinic.id.in_(ids)))} if ids else {}
    db.load_keys(session, [*(clinic.key_id for clinic in clinics.values()), *(patient.key_id for patient in patients)])
    for patient in patients:
        try:
            with session.begin_nested():
                index(session, clinics[patient.clinic_id], patient)
        except Exception as error:  # noqa: BLE001 - a key that was deleted, or worse: the others must be found
            patient.names_indexed = True
            logging.logger().error("name not indexed", error_type=type(error).__name__)
