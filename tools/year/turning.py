"""The clock that is set on from moment to moment; at each, what happens is done and the lanes are worked off."""

import gc
import heapq
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from config import clock, db, queue, runtime, settings
from messaging.delivery import deliver
from messaging.reading import read_reply
from service import migrations, start
from tools.faults.oracles import Finding
from tools.year import life, oracles
from tools.year.life import Act
from tools.year.phones import Phones, Sent, Typed
from tools.year.town import Town
from webhooks import inbound_text, receipts

# How far the clock is set on; whatever happens meanwhile is done then, and the lanes that ring are worked off.
STEP = timedelta(minutes=10)
# How often all lanes are swept, as a ticker does: what becomes due by itself is worked off so late at most.
SWEEP = timedelta(minutes=30)
# How often each clinic's list at the carrier is read, for what was lost on its way.
LISTED = timedelta(hours=1)
# Nothing here needs these: no picture, no mail, no program, no episode of care, nobody who reads the figures, and no
# sink outside for heads of the chain, which is verified itself.
LEFT_OUT = frozenset({"media", "mail", "webhooks", "webhook_ages", "figures", "due_items", "audit_heads"})
LISTS = "missed"
ROUNDS = 8
# How many alerts make a colleague look into the inbox.
ANSWERED = 0.8
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder in memory where there is one


class Bells:
    """In Redis' place: it remembers which lanes have rung, and is silent to everything else."""

    def __init__(self) -> None:
        self._rung: set[str] = set()

    def taken(self) -> set[str]:
        """Return what has rung since the last time."""
        rung, self._rung = self._rung, set()
        return rung

    def set(self, name: str, *_value: object, **_how: object) -> None:
        """Take a ring: it is answered in this process, so nothing is enqueued."""
        self._rung.add(name.rpartition(":")[2])

    def __getattr__(self, name: str) -> None:
        raise OSError(name)


@dataclass
class Year:
    """A run: its town, what is still to happen, what of the network has been looked at, and what did not hold."""

    seed: int
    town: Town
    bells: Bells = field(default_factory=Bells)
    coming: list[Act] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    told: int = 0
    days: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0
    judge: oracles.Judge = field(init=False)

    def __post_init__(self) -> None:
        self.judge = oracles.Judge(self.town)


def run(seed: int, days: int, clinics: int, first: date) -> Year:
    """Live `days` days from `first` on in `clinics` clinics, and return what came of it."""
    with _house():
        year = Year(seed, Town(Phones()))
        runtime.once("gateways.twilio", lambda: year.town.phones)
        runtime.once("queue.redis", lambda: year.bells)
        read_reply.read("")  # compiles the rules
        _set(life.at(first, 0))
        for number in range(clinics):
            year.town.found(seed, number)
        began, worked = time.perf_counter(), time.process_time()
        for ahead in range(days):
            _live(year, first + timedelta(days=ahead))
        year.findings += year.judge.end()
        year.days, year.seconds = days * clinics, time.perf_counter() - began
        year.processor_seconds = time.process_time() - worked
    return year


def _live(year: Year, on: date) -> None:
    for place in year.town.places:
        for act in life.day(year.seed, place.number, on):
            heapq.heappush(year.coming, act)
        if life.is_open(on):
            for hour in (9, 13, 16.5):
                heapq.heappush(year.coming, Act(life.at(on, hour), place.number, 90, "work"))
    now, ends = life.at(on, 0), life.at(on + timedelta(days=1), 0)
    while now < ends:
        _set(now)
        while year.coming and year.coming[0].at <= now:
            _do(year, heapq.heappop(year.coming))
        _answer_bells(year)
        if now.minute % (SWEEP.seconds // 60) == 0:
            _sweep(year)
        if now.minute % (LISTED.seconds // 60) == 0:
            _read_lists(year)
        if now.minute == 0:
            year.findings += year.judge.hourly()
        now += STEP
    _read_lists(year)
    _sweep(year)
    _set(now - STEP)  # what has become due only while this day was worked on is tomorrow's
    year.findings += year.judge.daily()


def _do(year: Year, act: Act) -> None:
    if act.kind != "type":
        year.town.do(act)
        return
    place = year.town.places[act.clinic]
    typed = year.town.phones.type(place.phones[act.who], place.clinic.number, act.said)
    year.judge.heard(typed)
    if not typed.lost:
        _receive(year, typed)


def _receive(year: Year, typed: Typed) -> None:
    """What the door does with a signed webhook."""
    form = {
        "MessageSid": typed.sid, "From": typed.sender, "To": typed.to, "Body": typed.body, "NumMedia": "0",
        "AccountSid": runtime.settings().twilio_account_sid,
    }  # fmt: skip
    clinic = receipts.clinic_texted(form)
    priority = inbound_text.priority_of(form)
    receipts.receive("twilio.sms", typed.sid, form, priority=priority, clinic=clinic)
    year.bells.set(receipts.LANES[priority])


def _answer_bells(year: Year) -> None:
    """Work the lanes off that have rung, until none rings; then phones answer what has reached them."""
    for _ in range(ROUNDS):
        names = year.bells.taken() - LEFT_OUT
        rung = [lane for name, lane in queue.lanes().items() if name in names]
        if not rung:
            return
        for lane in rung:
            lane.drain()
        _tell_statuses(year)


def _sweep(year: Year) -> None:
    """Work every lane off that has something due."""
    now = clock.now()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        lanes = [lane for name, lane in queue.lanes().items() if name not in LEFT_OUT and name != LISTS]
        due = [lane for lane in lanes if lane.oldest(session, now) is not None]
    for lane in due:
        lane.drain()
    _tell_statuses(year)
    _answer_bells(year)


def _read_lists(year: Year) -> None:
    """Read every clinic's list whose turn it is: a look takes a few of them at a time."""
    lane = queue.lanes()[LISTS]
    while queue.due_by(lane, clock.now()) is not None:
        lane.drain()
    _answer_bells(year)


def _tell_statuses(year: Year) -> None:
    """The carrier says how each text fared, and whoever holds the phone may answer."""
    for sent in year.town.phones.sent[year.told :]:
        _tell_status(year, sent)
        _let_answer(year, sent)
    year.told = len(year.town.phones.sent)


def _tell_status(year: Year, sent: Sent) -> None:
    status, code = year.town.phones.fared(sent)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        attempt = deliver.attempt_by_token(session, sent.token)
    if attempt is None:
        return  # the oracle says so
    form = {"MessageSid": sent.sid, "MessageStatus": status, "ErrorCode": str(code)}
    clinic = receipts.clinic_of_id(attempt.clinic_id)
    receipts.receive("twilio.status", f"{sent.sid}:{status}", form, clinic=clinic, attempt_id=attempt.id)
    year.bells.set(receipts.LANES["default"])


def _let_answer(year: Year, sent: Sent) -> None:
    """Patients answer as they are; most colleagues look into their inbox soon after an alert."""
    chance = Random(f"{year.seed}:{sent.sid}")
    if sent.to in year.town.colleagues:
        if chance.random() < ANSWERED:
            looks = sent.at + timedelta(minutes=chance.randint(3, 25))
            heapq.heappush(year.coming, Act(looks, year.town.colleagues[sent.to], 91, "work"))
        return
    if sent.to not in year.town.owners:
        return
    number, who = year.town.owners[sent.to]
    place = year.town.places[number]
    answer = life.answer(place.people[who], chance)
    if answer is not None and place.phones[who] == sent.to and sent.sender == place.clinic.number:
        words, minutes = answer
        heapq.heappush(year.coming, Act(sent.at + timedelta(minutes=minutes), number, 50, "type", who, said=words))


def _set(moment: datetime) -> None:
    clock.shift(moment - datetime.now(UTC))


@contextmanager
def _house() -> Iterator[None]:
    """A configured process on a fresh database that lies in memory, and the process as it was afterwards."""
    before = runtime._settings, dict(runtime._made)
    folder = Path(tempfile.mkdtemp(prefix="wt-year-", dir=MEMORY if MEMORY.is_dir() else None))
    loaded = settings.load(
        {},
        REDIS_URL="unix:///nowhere/redis.sock",
        TWILIO_ACCOUNT_SID="AC" + "0" * 32,
        TWILIO_AUTH_TOKEN=secrets.token_hex(16),
        WARMTHREAD_PUBLIC_URL="https://year.example",
        WARMTHREAD_DATA_DIR=str(folder),
        WARMTHREAD_LOG_LEVEL="error",
    )
    start.use(loaded, "year")
    try:
        migrations.upgrade()
        gc.freeze()
        yield
    finally:
        db.engine().dispose()
        runtime._settings, runtime._made = before[0], before[1]
        clock.shift(timedelta(0))
        gc.unfreeze()
        shutil.rmtree(folder, ignore_errors=True)
