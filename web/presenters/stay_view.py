"""Stays in a hospital in words: as they hold, as the feed tells them, and what colleagues have put right."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from caseload.codes.intervals import Interval
from caseload.stays import standing
from caseload.stays.models import StayCorrection
from caseload.stays.standing import Stay
from config import clock
from messaging.models import Clinic, Staff
from reminders.stays import EVER
from web import team, times, words

People = Mapping[UUID | None, Staff]
# What a care manager sees of a patient's past, as of emergency visits.
SHOWN = timedelta(days=365)


@dataclass(frozen=True)
class Line:
    """A stay in words. `corrected` says by whom and why, `told` what the feed says beside that; both "" where its word
    holds. `anew`: it has said something else since."""

    id: UUID
    holds: str
    corrected: str
    told: str
    anew: bool


def line(stay: Stay, people: People, zone: str) -> Line:
    """Return a stay as a line of a month, or of a patient's care."""
    said, feed = stay.correction, stay.told.source.removeprefix("ehr.")
    lasts = _lasts(stay.span, zone)
    if said is None:
        return Line(stay.told.id, words.say("care_stays", "by_feed", lasts=lasts, feed=feed), "", "", anew=False)
    told = words.say("care_stays", "told", feed=feed, lasts=_lasts(stay.told_span, zone))
    return Line(stay.told.id, lasts, correction(said, people, zone), told, stay.told_anew)


def correction(said: StayCorrection, people: People, zone: str) -> str:
    """Return what a colleague has said of a stay, and why."""
    facts = {
        "who": team.name_of(people, said.by_id, words.say("history", "somebody")),
        "at": times.moment(said.at, clock.now(), zone),
        "why": said.reason or "",
    }
    ended = times.moment(said.ended_at, clock.now(), zone, running=True) if said.ended_at else ""
    return words.say("care_stays", said.says, ended=ended, **facts)


def of_patient(session: Session, clinic: Clinic, patient_id: UUID, people: People) -> list[Line]:
    """Return a patient's stays of the last year, the latest first."""
    now = clock.now()
    rows = standing.of_patients(session, [patient_id], now - SHOWN, now).get(patient_id, [])
    return [line(stay, people, clinic.zone) for stay in reversed(rows)]


def _lasts(span: Interval | None, zone: str) -> str:
    if span is None:
        return words.say("care_stays", "no_stay")
    begins, ends = (times.moment(at, clock.now(), zone, running=True) if at != EVER else "" for at in span)
    return words.say("care_stays", "lasts" if ends else "open", begins=begins, ends=ends)
