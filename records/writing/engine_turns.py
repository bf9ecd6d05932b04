"""One turn of telling one EHR by its interface engine: message after message, each acknowledged (no database).

What gets no acknowledgement may have been taken: it is sent again under the same MSH-10, by which the EHR knows it.
"""

import time
from collections.abc import Sequence

from interchange import engine_line, engines
from interchange.engine_line import Line
from interchange.engines import Engine
from interchange.hl7 import telling
from interchange.hl7.telling import Answer
from interchange.polling.asking import Trouble
from messaging.event_webhooks.posting import Way
from records.writing import turns
from records.writing.posts import Refused
from records.writing.turns import Piece, Result, Turn

# Table 0357, as far as it says what a person can do about it.
MEANINGS = {
    "100": "segments", "101": "field_missing", "102": "data_type", "103": "not_in_table", "200": "not_taken_here",
    "201": "not_taken_here", "202": "processing_id", "203": "version", "204": "key_unknown", "205": "duplicate",
}  # fmt: skip
# It is locked or the engine has trouble of its own: the same is sent again.
PASSING = ("206", "207")
BY_ACK = {"AR": "ack_rejected", "CR": "ack_rejected"}


def take(pieces: Sequence[Piece], engine: Engine, way: Way) -> Turn:
    """Say the pieces in order until the engine is in trouble or the time is over. Raises nothing of the engine's."""
    turn, ends = Turn(), time.monotonic() + turns.SECONDS
    try:
        trust = engines.trust(engine.certificate, engine.authorities)
        with engine_line.opened(engine.url, trust, way, turns.SECONDS + engine_line.ACK_SECONDS) as line:
            for piece in pieces:
                if time.monotonic() > ends:
                    break
                turn.results[piece.row_id] = result = Result(dict(piece.taken), "", edition=piece.edition)
                _say(piece, line, result)
    except Trouble as trouble:
        turn.trouble = trouble
    return turn


def _say(piece: Piece, line: Line, result: Result) -> None:
    for part in piece.parts:
        said = telling.encoded(part.body["segments"], part.body["charset"])
        answer = line.say(said, part.mark)
        if answer.ack in telling.GOOD:
            result.taken[part.name], result.over = part.mark, True
        elif answer.code not in PASSING:
            result.refused = _refused(answer)


def _refused(answer: Answer) -> Refused:
    """Why, in a word; and in the engine's own, its answer with the error's code and place. Its free text is not kept:
    it may name the patient."""
    why = MEANINGS.get(answer.code) or BY_ACK.get(answer.ack, "ack_error")
    code = answer.code if answer.code.isalnum() and len(answer.code) <= 6 else ""
    return Refused(why, " ".join(filter(None, (answer.ack, code, answer.where))))
