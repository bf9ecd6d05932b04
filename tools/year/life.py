"""What people do in a year, from a seed. Pure: the same seed is the same life."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

PATIENTS, COLLEAGUES = 40, 4
CLINIC_ZONE = ZoneInfo("America/Denver")
# Some live elsewhere: in a state without summer time, on a coast, on an island.
ZONES = ("America/Denver",) * 6 + ("America/Phoenix", "America/New_York", "America/Los_Angeles", "Pacific/Honolulu")
HOLIDAYS = ("01-01", "07-04", "11-11", "12-25")
CRISES = ("I want to die", "quiero morirme", "I am going to kill myself tonight")
STOPS = ("STOP", "please stop texting me", "alto")
QUESTIONS = ("What time does the front desk open?", "Thank you!", "Do I need to bring my card?", "gracias")
FIRST = ("Ana", "Ben", "Carla", "Dov", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas")


@dataclass(frozen=True)
class Person:
    """A patient by their place in the clinic. `temper` is how they answer: quick | slow | silent | odd; `shares` whose
    phone they use, None for their own."""

    place: int
    first_name: str
    zone: str
    language: str
    temper: str
    shares: int | None


@dataclass(frozen=True, order=True)
class Act:
    """Something that happens at a moment (UTC): at which clinic, what, by whom, and a number or word more."""

    at: datetime
    clinic: int
    order: int
    kind: str
    who: int = 0
    said: str = ""
    value: int = 0


def people(seed: int, clinic: int) -> list[Person]:
    """Return the patients of a clinic; every tenth uses the phone of whoever stands before them."""
    chance = Random(f"{seed}:{clinic}:people")
    return [
        Person(
            place=place,
            first_name=FIRST[place % len(FIRST)],
            zone=chance.choice(ZONES),
            language=chance.choice(("en", "en", "es")),
            temper=chance.choices(("quick", "slow", "silent", "odd"), (5, 3, 3, 1))[0],
            shares=place - 1 if place % 10 == 9 else None,
        )
        for place in range(PATIENTS)
    ]


def day(seed: int, clinic: int, on: date) -> list[Act]:
    """Return what happens at a clinic on a day of its own zone, beside what people answer, in order."""
    chance = Random(f"{seed}:{clinic}:{on}")
    acts = [*_books(chance, clinic, on), *_words(chance, clinic, on), *_changes(chance, clinic, on)]
    return sorted(acts)


def is_open(on: date) -> bool:
    """Whether the clinic works on this day."""
    return on.weekday() < 5 and f"{on:%m-%d}" not in HOLIDAYS


def _books(chance: Random, clinic: int, on: date) -> Iterator[Act]:
    if not is_open(on):
        return
    for order in range(chance.randint(2, 6)):
        ahead = on + timedelta(days=chance.randint(1, 25))
        while not is_open(ahead):
            ahead += timedelta(days=1)
        starts = at(ahead, 8 + chance.random() * 9)
        who = chance.randrange(PATIENTS)
        yield Act(at(on, 8 + chance.random() * 9), clinic, order, "book", who, value=int(starts.timestamp()))
    for kind, often in (("move", 0.5), ("cancel", 0.25)):
        if chance.random() < often:
            yield Act(at(on, 8 + chance.random() * 9), clinic, 20, kind, value=chance.randrange(10**6))


def _words(chance: Random, clinic: int, on: date) -> Iterator[Act]:
    """At any hour: nobody in need looks at the clock."""
    for often, words in ((0.6, QUESTIONS), (0.08, CRISES), (0.06, STOPS), (0.03, ("START",))):
        if chance.random() < often:
            who = chance.randrange(PATIENTS)
            yield Act(at(on, chance.random() * 24), clinic, 30, "type", who, said=chance.choice(words))
    if chance.random() < 0.6:
        ninth = int(chance.random() < 0.25) * chance.randint(1, 3)
        who = chance.randrange(PATIENTS)
        yield Act(at(on, chance.random() * 24), clinic, 31, "submit", who, value=ninth)


def _changes(chance: Random, clinic: int, on: date) -> Iterator[Act]:
    if chance.random() < 0.05:
        yield Act(at(on, 10), clinic, 40, "new_number", chance.randrange(PATIENTS))
    if on.day == 15 and is_open(on):
        yield Act(at(on, 9), clinic, 41, "leave", chance.randrange(COLLEAGUES))
    if chance.random() < 0.04:
        yield Act(at(on, 7), clinic, 42, "away", chance.randrange(COLLEAGUES), value=chance.randint(1, 5))


def at(on: date, hour: float) -> datetime:
    """Return a moment of the clinic's day by its own clock, to the minute; an hour that does not exist is moved on."""
    minutes = int(hour * 60)
    local = datetime.combine(on, time(minutes // 60 % 24, minutes % 60), CLINIC_ZONE)
    return datetime.fromtimestamp(local.timestamp(), ZoneInfo("UTC"))


def answer(person: Person, chance: Random) -> tuple[str, int] | None:
    """Return what somebody writes back to a reminder and after how many minutes; None for silence."""
    if person.temper == "silent" or chance.random() < 0.15:
        return None
    minutes = chance.randint(1, 20) if person.temper == "quick" else chance.randint(30, 900)
    if person.temper == "odd":
        return chance.choice(("2", "who is this", "STOP", *QUESTIONS)), minutes
    return chance.choices(("Y", "1", "2", "si", "ok thanks"), (8, 3, 1, 2, 2))[0], minutes
