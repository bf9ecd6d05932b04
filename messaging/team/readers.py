"""Who may be asked about a patient, and which colleagues a note names: facts in, decision out."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from messaging.models import Staff

# Who reads a patient's thread; web.permissions says the same as "team.read", and a test holds the two together.
OF_THREADS = ("care_manager", "clinician", "psychiatric_consultant")
# Who may be given a task about a patient: they open the patient's page.
OF_PATIENTS = (*OF_THREADS, "front_desk")
# Who may be given a task or a note about no patient.
AT_WORK = (*OF_PATIENTS, "clinic_admin")
_NAMED = re.compile(r"(?<![\w@.])@(?=\w)")
_WORD = re.compile(r"[\w'’-]+")


class MayNotSee(ValueError):
    """Somebody was asked who may not see this: their name and role, and the names of who could be asked (`could`)."""

    def __init__(self, who: Staff, could: Sequence[Staff]) -> None:
        super().__init__(who.role)
        # Plain words: they are said after the transaction that is refused.
        self.name, self.role, self.could = who.name, who.role, [each.name for each in could]


@dataclass(frozen=True)
class Named:
    """Whom a note names with "@", and the words behind an "@" that are nobody's name here."""

    people: list[Staff]
    unknown: list[str]


def may_be_asked(staff: Staff, *, patient: bool) -> bool:
    """Whether this colleague may be given a task, about a patient or about none."""
    return staff.active and staff.role in (OF_PATIENTS if patient else AT_WORK)


def may_read_threads(staff: Staff) -> bool:
    """Whether this colleague may read what was written about patients, and so be mentioned there."""
    return staff.active and staff.role in OF_THREADS


def refuse_strangers(people: Iterable[Staff], colleagues: Sequence[Staff], author: Staff) -> None:
    """Raise MayNotSee for the first who may not read a patient's thread."""
    could = [each for each in colleagues if may_read_threads(each) and each.id != author.id]
    for each in people:
        if not may_read_threads(each):
            raise MayNotSee(each, could)


def named(words: str, colleagues: Sequence[Staff]) -> Named:
    """Return whom `words` names: "@Ana Ruiz", or "@Ana" where only one is called so. Upper and lower case are alike."""
    people: dict[object, Staff] = {}
    unknown: list[str] = []
    for at in _NAMED.finditer(words):
        rest = words[at.end() :]
        person = _whole(rest, colleagues) or _first_name(rest, colleagues)
        if person is not None:
            people.setdefault(person.id, person)
        else:
            unknown.append(_first_word(rest))
    return Named(list(people.values()), unknown)


def _whole(rest: str, colleagues: Sequence[Staff]) -> Staff | None:
    said = rest.casefold()
    fitting = [each for each in colleagues if said.startswith(each.name.casefold())]
    return max(fitting, key=lambda each: len(each.name), default=None)


def _first_name(rest: str, colleagues: Sequence[Staff]) -> Staff | None:
    said = _first_word(rest).casefold()
    fitting = [each for each in colleagues if said in each.name.casefold().split()]
    return fitting[0] if len(fitting) == 1 else None


def _first_word(rest: str) -> str:
    match = _WORD.match(rest)
    return match.group() if match else ""
