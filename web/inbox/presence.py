"""Who else is here: which colleague looks at which thread, and who writes, for as long as their pages say so."""

import re
from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from config import clock, db, runtime
from web import team, words

# A page says each second that it is looked at; a missed answer or two must not make its reader come and go.
VIEWING, WRITING = 8.0, 5.0
# Without script a page cannot say it again: then its opening counts for as long as a short case takes to read.
OPENED = 30.0
NAMES_LAST = 300.0
_THREAD = re.compile(r"(?:patient|conversation|inbox_item):[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MARK = re.compile(rf"([0-9a-f-]{{36}})\|({_THREAD.pattern})\|(viewing|writing)")


def marks(staff_id: UUID, thread: str | None, mode: str, seconds: float = VIEWING) -> dict[str, float]:
    """Return what to leave in Redis, by mark the seconds it stays; nothing for what is no thread.

    mode: viewing | writing, away for a page that nobody looks at, gone for one that has just been left.
    """
    if mode == "gone":
        seconds = 0.0
    if mode == "away" or not thread or not _THREAD.fullmatch(thread):
        return {}
    left = {f"{staff_id}|{thread}|viewing": seconds}
    writing = {"writing": WRITING, "gone": 0.0}.get(mode)
    return left if writing is None else left | {f"{staff_id}|{thread}|writing": writing}


def others(marks: Iterable[str], staff_id: UUID) -> list[str]:
    """Return the marks of everybody else, sorted."""
    own = f"{staff_id}|"
    return sorted(mark for mark in marks if not mark.startswith(own))


def said(marks: Iterable[str], clinic_id: UUID) -> dict[str, str]:
    """Return by thread, in words, whose marks these are: "Ana Ruiz is writing · Ben Carter is viewing"."""
    doing: dict[str, dict[UUID, str]] = defaultdict(dict)
    for mark in sorted(marks):  # "viewing" before "writing": who writes is said to write
        read = _MARK.fullmatch(mark)
        if read:
            doing[read[2]][UUID(read[1])] = read[3]
    names = _names(clinic_id, {staff_id for people in doing.values() for staff_id in people}) if doing else {}
    lines = {thread: _in_words(people, names) for thread, people in doing.items()}
    return {thread: line for thread, line in lines.items() if line}


def _in_words(people: dict[UUID, str], names: dict[UUID, str]) -> str:
    lines = []
    for mode in ("writing", "viewing"):
        several = sorted(names[staff_id] for staff_id, does in people.items() if does == mode and names[staff_id])
        if several:
            lines.append(words.say("here", mode if len(several) == 1 else f"{mode}_both", who=_and(several)))
    return " · ".join(lines)


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _names(clinic_id: UUID, wanted: set[UUID]) -> dict[UUID, str]:
    """Return colleagues' names, remembered for some minutes: a poll is not to ask for them each second."""
    cached: dict[UUID, tuple[float, dict[UUID, str]]] = runtime.once("presence.names", dict)
    until, names = cached.get(clinic_id, (0.0, {}))
    if clock.monotonic() > until or wanted - set(names):
        with db.unit_of_work(clinic_id, read_only=True) as session:
            colleagues = team.everyone(session, clinic_id).values()
            names = dict.fromkeys(wanted, "") | {colleague.id: colleague.name for colleague in colleagues}
        cached[clinic_id] = clock.monotonic() + NAMES_LAST, names
    return names
