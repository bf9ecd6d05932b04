"""The consent ledger: what each number has agreed to, per programme; the present state is derived from it.

Revocation: 47 CFR 64.1200(a)(10), by any reasonable means. A STOP ends every programme; START brings them back.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.consent import asking
from messaging.models import PROGRAMMES, Clinic, ConsentEntry

A_MOMENT = timedelta(microseconds=1)
Event = Literal["granted", "revoked"]
# Of two lines of one moment the stop is the later one, as it is in the alphabet.
IN_ORDER = (ConsentEntry.at, ConsentEntry.event, ConsentEntry.id)


class Said(NamedTuple):
    """What is known of one number's consent, without the words that said so: by a file, about one patient."""

    number_index: bytes
    patient_id: UUID
    event: Event


def record(
    session: Session,
    clinic: Clinic,
    number: str,
    event: Event,
    *,
    source: str,
    actor: str,
    programmes: Sequence[str] = PROGRAMMES,
    patient_id: UUID | None = None,
    words: str | None = None,
    wording: str | None = None,
) -> None:
    """Add one line per programme to the ledger of `number`; `words` is the verbatim text that said so.

    `wording` is the version (messaging.consent.asking) of what was asked or answered; without one, the version now in
    force for the source and event.
    """
    wording = wording or asking.present(source, event)
    index = db.clinic_index(session, clinic.key_id, "number", number)
    at = _after_the_last(session, clinic.id, [index])[index]
    for programme in programmes:
        session.add(
            ConsentEntry(
                clinic_id=clinic.id,
                key_id=clinic.key_id,
                number_index=index,
                patient_id=patient_id,
                programme=programme,
                event=event,
                source=source,
                wording=wording,
                words=words,
                actor=actor,
                at=at,
            )
        )
    audit.record(session, clinic.id, actor, f"consent.{event}", f"number:{index.hex()}", source=source)


def record_many(
    session: Session, clinic: Clinic, statements: Sequence[Said], *, source: str, actor: str
) -> list[audit.Act]:
    """Add a line per programme for each of these, as `record` does; return the acts, for the caller to write down."""
    at = _after_the_last(session, clinic.id, [statement.number_index for statement in statements])
    alike = {"clinic_id": clinic.id, "key_id": clinic.key_id, "source": source, "actor": actor}
    lines = [
        {"number_index": statement.number_index, "patient_id": statement.patient_id, "programme": programme,
         "event": statement.event, "wording": asking.present(source, statement.event), "words_ct": None,
         "at": at[statement.number_index], **alike}
        for statement in statements
        for programme in PROGRAMMES
    ]  # fmt: skip
    ids = db.new_ids(len(lines))
    db.write_rows(session, ConsentEntry, [{"id": new, **line} for new, line in zip(ids, lines, strict=True)])
    return [
        (f"consent.{statement.event}", f"number:{statement.number_index.hex()}", {"source": source})
        for statement in statements
    ]


def _after_the_last(session: Session, clinic_id: UUID, indexes: Collection[bytes]) -> dict[bytes, datetime]:
    """Return when a line written now about each of these numbers is dated: now, and never before the number's last.

    The last line decides, so a STOP must be the last also where the line before it was dated by a clock that stood
    ahead, or where the clock stands behind at this moment.
    """
    now = clock.now()
    dated = dict.fromkeys(indexes, now)
    for about_them in _about(session, [(clinic_id, index) for index in indexes]):
        lasts = select(ConsentEntry.number_index, func.max(ConsentEntry.at)).where(about_them)
        for index, last in session.execute(lasts.group_by(ConsentEntry.number_index)):
            dated[index] = now if last <= now else last + A_MOMENT
    return dated


def vouch(
    session: Session,
    clinic: Clinic,
    number: str,
    agreed: bool,
    *,
    patient_id: UUID,
    source: str,
    actor: str,
) -> bool:
    """Write down what the clinic's file says of one patient's consent; False if the ledger knows it.

    A file may take consent back, but a STOP outlives every file; and what one patient agreed to at a number is not
    passed on to the next who gives it: the file vouches for each.
    """
    event = vouched(
        agreed,
        set(state(session, clinic, number).values()),
        known=_has_line(session, clinic, number, patient_id),
    )
    if event:
        record(session, clinic, number, event, source=source, actor=actor, patient_id=patient_id)
    return event is not None


def vouched(agreed: bool, present: set[str], *, known: bool) -> Event | None:
    """Return what a file adds for one patient to what a number has said so far.

    `present` holds granted | revoked | unknown; `known` says that the ledger has a line of this patient at this number.
    See `vouch`.
    """
    if present == {"revoked"} or (agreed and "revoked" in present):
        return None
    if agreed and present != {"unknown"} and known:
        return None
    return "granted" if agreed else "revoked"


def lines_of(session: Session, numbers: Collection[tuple[UUID, bytes]]) -> set[tuple[bytes, UUID]]:
    """Return of which patients these numbers (clinic, index) have lines in the ledger."""
    numbers_and_patients: set[tuple[bytes, UUID]] = set()
    for about_them in _about(session, numbers):
        lines = select(ConsentEntry.number_index, ConsentEntry.patient_id).where(
            about_them, ConsentEntry.patient_id.is_not(None)
        )
        numbers_and_patients |= {(index, patient_id) for index, patient_id in session.execute(lines) if patient_id}
    return numbers_and_patients


def _about(session: Session, numbers: Iterable[tuple[UUID, bytes]]) -> Iterator[ColumnElement[bool]]:
    """Conditions for the lines of these numbers, each number in one of them, together all."""
    by_clinic: defaultdict[UUID, set[bytes]] = defaultdict(set)
    for clinic_id, index in numbers:
        by_clinic[clinic_id].add(index)
    for clinic_id, indexes in by_clinic.items():
        all_of_it = list(indexes)
        for start in range(0, len(all_of_it), 1000):
            some = db.among(session, ConsentEntry.number_index, all_of_it[start : start + 1000])
            yield (ConsentEntry.clinic_id == clinic_id) & some


def _has_line(session: Session, clinic: Clinic, number: str, patient_id: UUID) -> bool:
    lines = select(ConsentEntry.id).where(
        ConsentEntry.clinic_id == clinic.id,
        ConsentEntry.number_index == db.clinic_index(session, clinic.key_id, "number", number),
        ConsentEntry.patient_id == patient_id,
    )
    return session.scalar(lines.limit(1)) is not None


def state(session: Session, clinic: Clinic, number: str) -> dict[str, str]:
    """Return granted | revoked | unknown for each programme of `number`."""
    index = db.clinic_index(session, clinic.key_id, "number", number)
    by_programme = states(session, [(clinic.id, index)])
    return {programme: by_programme.get((clinic.id, index, programme), "unknown") for programme in PROGRAMMES}


def ledger(session: Session, clinic: Clinic, number: str) -> list[ConsentEntry]:
    """Return every line written about `number`, the latest first."""
    index = db.clinic_index(session, clinic.key_id, "number", number)
    lines = select(ConsentEntry).where(ConsentEntry.clinic_id == clinic.id, ConsentEntry.number_index == index)
    return list(session.scalars(lines.order_by(*(column.desc() for column in IN_ORDER))))


def stopped_by_text(session: Session, clinic: Clinic, number: str, programmes: Sequence[str]) -> bool:
    """Whether the phone itself said stop: only its START lifts that, at the carrier and for us, whatever we write."""
    last: dict[str, ConsentEntry] = {}
    for line in ledger(session, clinic, number):
        last.setdefault(line.programme, line)
    ends = [last[programme] for programme in programmes if programme in last]
    return any(line.event == "revoked" and line.source in ("text", "carrier") for line in ends)


def states(session: Session, numbers: Iterable[tuple[UUID, bytes]]) -> dict[tuple[UUID, bytes, str], str]:
    """Return the last event for every (clinic, number index, programme) of `numbers`, with few SELECTs."""
    last: dict[tuple[UUID, bytes, str], str] = {}
    for about_them in _about(session, numbers):
        lines = select(
            ConsentEntry.clinic_id, ConsentEntry.number_index, ConsentEntry.programme, ConsentEntry.event
        ).where(about_them)
        for clinic_id, index, programme, event in session.execute(lines.order_by(*IN_ORDER)):
            last[clinic_id, index, programme] = event
    return last
