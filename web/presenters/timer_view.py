"""A colleague's timer of work in words: the one that runs, on every page, and those that wait to be confirmed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload import timers, timing
from caseload.codes.intervals import Interval
from caseload.models import CareTimer, Episode
from config import clock, db
from messaging.models import Clinic, Patient, Staff
from reminders import care_model
from web import times, words
from web.presenters import short_names

A_SECOND = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True)
class Running:
    """The timer that runs or is paused: for whom, for how many whole seconds, and why it is paused ("" while it runs).

    `pause` is how many whole minutes of a pause could still be counted, 0 for none.
    """

    patient_id: UUID
    name: str
    state: str
    why: str
    seconds: int
    pause: int

    # After how many seconds the page pauses by itself, and how often it is heard from.
    idle: int = int(timing.IDLE.total_seconds())
    beat: int = int(timing.BEAT.total_seconds())

    @property
    def pauses(self) -> list[tuple[str, str]]:
        """Why it can be paused other than by hand, in words."""
        return list(words.table_of("timer_pauses").items())

    @property
    def clock(self) -> str:
        """The time it has run, "1:02:03" or "2:03"."""
        minutes, seconds = divmod(self.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@dataclass(frozen=True)
class Field:
    """A stretch as two fields hold it, by the clinic's clock, and how many whole minutes it is."""

    begins: str
    ends: str


@dataclass(frozen=True)
class Timed:
    """A proposal: its stretches to be corrected, its whole minutes, and how many of them count already elsewhere."""

    id: UUID
    words: str
    fields: list[Field]
    minutes: int
    written: int


@dataclass(frozen=True)
class Waiting:
    """Whose page has proposals of the reader that wait, and how many."""

    patient_id: UUID
    name: str
    count: int


def running(session: Session, clinic: Clinic, staff: Staff, *, works: bool) -> Running | None:
    """Return the timer of who is signed in; None where none runs, or the reader does no such work."""
    timer = timers.live_of(session, staff) if works and care_model.of_clinic(clinic).registry else None
    if timer is None:
        return None
    episode = session.get_one(Episode, timer.episode_id)
    patient = session.get_one(Patient, episode.patient_id)
    db.load_keys(session, [patient.key_id])
    now, run = clock.now(), timers.run_of(timer)
    back = timing.countable(run, now)
    return Running(
        patient.id,
        short_names.short_name(patient, None),
        "paused" if run.since is None else "running",
        run.why or "",
        int(run.worked(now).total_seconds()),
        int(((run.since or now) - back.end).total_seconds()) // 60 if back is not None else 0,
    )


def proposals(session: Session, clinic: Clinic, staff: Staff, episodes: Sequence[Episode]) -> list[Timed]:
    """Return what the reader has timed in these episodes and not confirmed, the oldest first."""
    ids = {episode.id for episode in episodes}
    mine = timers.proposed(session, staff) if ids else ()
    return [_timed(session, clinic, timer) for timer in mine if timer.episode_id in ids]


def _timed(session: Session, clinic: Clinic, timer: CareTimer) -> Timed:
    stretches = of_timer(timer)
    whole, left = timing.whole(stretches), timing.whole(timers.left(session, timer))
    minutes = int(whole.total_seconds()) // 60
    begun = times.moment(stretches[0][0], clock.now(), clinic.zone)
    said = words.say("care", "timed", minutes=minutes, seconds=int(whole.total_seconds()) % 60, at=begun)
    fields = [Field(typed(start, clinic.zone), typed(end, clinic.zone)) for start, end in stretches]
    return Timed(timer.id, said, fields, minutes, int((whole - left).total_seconds()) // 60)


def of_timer(timer: CareTimer) -> list[Interval]:
    """Return the stretches of a timer that is over."""
    return [(each.start, each.end) for each in timers.run_of(timer).stretches]


def typed(at: datetime, zone: str) -> str:
    """Return a moment as a field for a day and a time holds it, to the second."""
    return at.astimezone(ZoneInfo(zone)).strftime(A_SECOND)


def waiting(session: Session, staff: Staff) -> list[Waiting]:
    """Return for whom the reader has timed work that waits to be confirmed."""
    counts: dict[UUID, int] = {}
    for timer in timers.proposed(session, staff):
        counts[timer.episode_id] = counts.get(timer.episode_id, 0) + 1
    rows = session.execute(select(Episode.id, Patient).join(Patient).where(Episode.id.in_(counts))).all()
    db.load_keys(session, (patient.key_id for _, patient in rows))
    return [_waiting(counts, episode_id, patient) for episode_id, patient in rows]


def _waiting(counts: Mapping[UUID, int], episode_id: UUID, patient: Patient) -> Waiting:
    return Waiting(patient.id, short_names.short_name(patient, None), counts[episode_id])


def read(form: Mapping[str, str], timer: CareTimer, zone: str) -> Sequence[Interval] | None:
    """Return the stretches as a form has them, those left empty left out; None where one is half empty or no time.

    What was not touched is exactly what was timed, to the second and below.
    """
    found: list[Interval] = []
    for place, exact in enumerate(of_timer(timer)):
        said = [form.get(f"{edge}.{place}", "").strip() for edge in ("begins", "ends")]
        if not any(said):
            continue
        moments = [_moment(text, moment, zone) for text, moment in zip(said, exact, strict=True)]
        if moments[0] is None or moments[1] is None:
            return None
        found.append((moments[0], moments[1]))
    return found


def _moment(text: str, exact: datetime, zone: str) -> datetime | None:
    if text in (typed(exact, zone), typed(exact, zone).removesuffix(":00")):
        return exact
    return times.moment_of(text, zone)
