"""How late reminders leave while an EHR's visits are read for the first time, against a quiet service.

The embedded default: SQLite and Valkey, three workers, the ticker and a carrier, each a process of its own. A reminder
falls due each second; what is timed lies between that moment and the carrier's answer. The visits stand in the lane as
if their messages had just been acknowledged.
"""

import os
import statistics
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from bench import imports, planning, stage
from bench.fuzz_feeds import HEAD
from config import clock, db
from interchange import feeds, sources
from interchange.hl7 import er7, reading
from interchange.models import Feed, FeedMessage
from messaging.models import Clinic, Message
from messaging.people import directory
from reminders import appointments
from reminders.models import Reminder
from service import child_settings
from service.embedded import ports
from service.embedded.valkey import ValkeyServer

VISITS = int(os.environ.get("BENCH_VISITS", "100000"))
# After so many seconds what was read by then is told, and no more is waited for.
LONGEST = int(os.environ.get("BENCH_SECONDS", "900"))
# Seconds: how long it is quiet at first, until the first reminder is due, and how late they may be (p95).
QUIET, SOON, GOAL = 60, 45, 60.0
BATCH, EACH = 500, 4
BEFORE = timedelta(hours=2)
# Somewhere it is about noon: quiet hours would hold what is measured.
PLACES = (
    "Pacific/Honolulu", "America/Los_Angeles", "America/New_York", "Atlantic/Azores", "Africa/Lagos", "Africa/Nairobi",
    "Asia/Karachi", "Asia/Bangkok", "Asia/Tokyo", "Pacific/Auckland",
)  # fmt: skip
STEPS = [{"name": "soon", "before": "2 hours", "text": "reminder_hours"}]
SIU = (
    "SCH||{key}^BOOKS||||||Follow-up|30|min|^^^{start}||||||||||||||Booked\r"
    "PID|1||{who}^^^ELM^MR||RIVER{who}^ANA||19800102|F|||||{phone}^^CP||spa\r"
)


def measure() -> str:
    """Return how late reminders left, quiet and meanwhile, and how many messages a second were worked on."""
    network = ports.free_port()
    with ExitStack() as stack:
        folder = stack.enter_context(stage.folder())
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        loaded = stage.begin(folder, network=network, redis=valkey.url)
        clinic = _clinic()
        env, ready = child_settings.environment(loaded, valkey.url), f"http://127.0.0.1:{network}/healthz"
        carrier = env | {"SIMULATOR_PORT": str(network), "SIMULATOR_SMS_URL": "http://127.0.0.1:9/"}
        stack.enter_context(stage.serving(["-m", "simulator", "--quiet"], carrier, ready))
        begins = _reminders(clinic, QUIET + LONGEST + SOON)
        for process in (["worker", "urgent"], ["worker", "default"], ["worker", "bulk"], ["ticker"]):
            stack.enter_context(stage.serving(["-m", "service.cli", *process], env, ready))
        time.sleep(max(0.0, (begins - clock.now()).total_seconds() + QUIET))
        fills = clock.now()
        _say(clinic)
        said = clock.now()
        read, ends = _worked_off()
        time.sleep(2)
        quiet, meanwhile = _late(begins, fills), _late(said, ends)
    took = (ends - said).total_seconds()
    rest = f" (of {VISITS:,}, which would take {VISITS / read * took / 60:.0f} min)" if read < VISITS else ""
    return (
        f"backfill: {read:,} visits{rest} read in {took:.0f} s, {read / took:.0f} a second, beside a reminder each"
        f" second; they left late by {_told(meanwhile)} (goal: p95 {GOAL:.0f} s), quiet {_told(quiet)} (SQLite)"
    )


def _clinic() -> Clinic:
    """A clinic where it is about noon, with one step before its visits and a feed."""
    noon = min(PLACES, key=lambda name: abs(clock.now().astimezone(ZoneInfo(name)).hour - 12))
    with db.unit_of_work(db.EVERY) as session:
        clinic = directory.add_clinic(session, name="Bench Clinic", zone=noon, number=stage.CLINIC)
        planning.publish(session, clinic, STEPS)
        sources.add(session, clinic, "books", {}, "system:bench")
    return clinic


def _reminders(clinic: Clinic, count: int) -> datetime:
    """Book a visit of somebody else for each second; return when the first reminder is due."""
    first = clock.now() + timedelta(seconds=SOON + count / 100)
    for begin in range(0, count, BATCH):
        with db.unit_of_work(clinic.id) as session:
            there = session.merge(clinic)
            booked = []
            for place in range(begin, min(begin + BATCH, count)):
                record = directory.PatientRecord(f"R{place}", "Teresa", "Quill", imports.number(place), None)
                patient, _ = directory.save_patient(session, there, record)
                visit = appointments.VisitRecord(
                    external_id=f"R{place}", record="", starts_at=first + BEFORE + timedelta(seconds=place),
                    zone=clinic.zone, booked_at=clock.now() - timedelta(days=20),
                )  # fmt: skip
                booked.append((patient, visit))
            appointments.save_many(session, there, booked)
    return first


def _say(clinic: Clinic) -> None:
    """Keep the messages of the back-fill, as its door keeps them."""
    with db.unit_of_work(clinic.id) as session:
        feed = session.scalars(select(Feed)).one()
        own, profile = feeds.whose(session, feed, session.get_one(Clinic, clinic.id)), feeds.profile_of({}, clinic.zone)
    for begin in range(0, VISITS, BATCH):
        rows = []
        for place in range(begin, min(begin + BATCH, VISITS)):
            (message,) = er7.read(_message(place)).messages
            heard = reading.read(message, profile)
            rows.append(feeds.row_of(own, feeds.of_message(message, profile, heard.acts), heard.problems))
        with db.bare_transaction(clinic.id) as connection:
            for row in rows:
                feeds.insert(connection, row)


def _message(place: int) -> bytes:
    """A visit in the next ninety days of a patient who has a few."""
    who, at = place // EACH, clock.now() + timedelta(days=3 + place % 90, minutes=30 * (place % 16))
    filled = {
        "at": "20260301120000", "kind": "SIU^S12", "id": f"C{place}", "key": f"V{place}", "who": f"P{who}",
        "start": f"{at:%Y%m%d%H%M}00+0000", "phone": imports.number(20_000 + who),
    }  # fmt: skip
    return (HEAD + SIU).format(**filled).encode()


def _worked_off() -> tuple[int, datetime]:
    """Wait until every message is worked on, or LONGEST is over; return how many are, and when the last one was."""
    ended = select(FeedMessage.state, func.count(), func.max(FeedMessage.processed_at)).group_by(FeedMessage.state)
    end = time.monotonic() + LONGEST
    while True:
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            states = {state: (count, at) for state, count, at in session.execute(ended)}
        waits, _ = states.pop("received", (0, None))
        if waits and time.monotonic() < end:
            time.sleep(0.5)
            continue
        if set(states) != {"done"}:
            raise RuntimeError(f"not all was done: {[(state, count) for state, (count, _) in states.items()]}")
        count, last = states["done"]
        return count, last or clock.now()


def _late(since: datetime, until: datetime) -> list[float]:
    """By how many seconds the texts of the reminders of a span left late; one that has not left counts until now, and
    what the carrier refuses, as the simulator does of a few numbers, is not late."""
    rows = select(Reminder.due_at, Message.sent_at).join(Message, Message.id == Reminder.message_id, isouter=True)
    rows = rows.where(Message.state.is_distinct_from("failed"))
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        due = session.execute(rows.where(Reminder.due_at >= since, Reminder.due_at < until)).all()
    return [((sent or clock.now()) - at).total_seconds() for at, sent in due if at]


def _told(waits: list[float]) -> str:
    if len(waits) < 2:
        return f"(too few: {len(waits)})"
    p95 = statistics.quantiles(waits, n=20)[-1]
    return f"p50 {statistics.median(waits):.1f}, p95 {p95:.1f}, max {max(waits):.1f} s of {len(waits)}"
