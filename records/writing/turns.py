"""One turn of writing to one EHR, part by part; what was taken is kept whatever ends it (no database)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from interchange.polling.asking import Asker, Trouble
from records.writing import contents, posts
from records.writing.contents import Part
from records.writing.posts import Place, Refused

# A turn begins nothing new after this long, so that it is over before its lease is.
SECONDS, MOST_REQUESTS = 45.0, 60
# For these reasons an EHR takes nothing of a form, and the next form is tried; for the other no more than this part.
NOT_THIS_FORM, NOT_THIS_PART = ("unsupported", "refused"), "flowsheet"


@dataclass(frozen=True)
class Piece:
    """One row's content: its parts in order, where they go, what the EHR has taken of it, whether more may be there."""

    row_id: UUID
    parts: Sequence[Part]
    place: Place
    taken: dict[str, str]
    look_first: bool
    edition: int = 1


@dataclass
class Result:
    """What became of a piece: what the EHR has of it by part, whom it is about there (another than before where it has
    `moved`), why it, or a form of it, was not taken, and whether it is over: all of it was
    tried, and something taken. `edition` is the row's of which this is."""

    taken: dict[str, str]
    patient: str
    moved: bool = False
    refused: Refused | None = None
    over: bool = False
    not_taken: set[str] = field(default_factory=set)
    edition: int = 1


@dataclass
class Turn:
    """What came of a turn: of each piece that was begun, and what kept the EHR from being asked further."""

    results: dict[UUID, Result] = field(default_factory=dict)
    trouble: Trouble | None = None


def take(pieces: Sequence[Piece], asker: Asker) -> Turn:
    """Write the pieces in order until the EHR is in trouble or the time is over. Raises nothing of the EHR's."""
    turn, ends = Turn(), time.monotonic() + SECONDS
    for piece in pieces:
        if time.monotonic() > ends or asker.asked >= MOST_REQUESTS:
            return turn
        turn.results[piece.row_id] = result = Result(dict(piece.taken), piece.place.patient, edition=piece.edition)
        try:
            _write(piece, asker, result, ends)
        except Trouble as trouble:
            turn.trouble = trouble
            return turn
    return turn


def _write(piece: Piece, asker: Asker, result: Result, ends: float) -> None:
    for part in piece.parts:
        if time.monotonic() > ends:
            return
        if _is_needed(part, result):
            try:
                result.taken[part.name] = _sent(part, piece, asker, result)
            except Refused as refused:
                result.refused = refused
                if refused.why in NOT_THIS_FORM:
                    result.not_taken.add(part.form)
                elif refused.why != NOT_THIS_PART:
                    return
    result.over = any(part.name in result.taken for part in piece.parts)


def _is_needed(part: Part, result: Result) -> bool:
    """Whether a part is still to be sent: not what is there, nothing more of a form that is not taken, a document only
    where nothing else is, and how far a request is only where that is there."""
    if part.name in result.taken or part.form in result.not_taken:
        return False
    if part.form == contents.TASK and contents.REQUEST in result.not_taken:
        return False
    return part.form != contents.DOCUMENT or not result.taken


def _sent(part: Part, piece: Piece, asker: Asker, result: Result) -> str:
    """Send a part; to the record that stays where the patient was merged over there, followed once."""
    try:
        return _sent_to(result.patient, part, piece, asker, result)
    except posts.Merged as merged:
        result.patient, result.moved = merged.reference, True
    try:
        return _sent_to(result.patient, part, piece, asker, result)
    except posts.Merged:
        raise Refused("merged", "4107") from None


def _sent_to(patient: str, part: Part, piece: Piece, asker: Asker, result: Result) -> str:
    theirs = {each.own: result.taken[each.name] for each in piece.parts if each.own and each.name in result.taken}
    addressed = contents.addressed(part, patient, theirs)
    place = replace(piece.place, patient=patient)
    return posts.send(asker, addressed, place, look_first=piece.look_first)
