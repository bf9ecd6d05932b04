"""An episode's own page in words: its facts, what was done in it, what the consultant said, and those before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from caseload import billing, care_log, episodes, listing, reviews
from caseload.codes import evidence
from caseload.models import CareEntry, CaseReview, Episode
from caseload.registry import progress
from caseload.satisfaction import telling
from caseload.standing import Row
from config import clock
from intake_links import scoring
from messaging.inbox import notes_and_calls
from messaging.inbox.models import Contact
from messaging.models import Clinic, Patient, Staff
from reminders import emergency
from web import team, times, words
from web.presenters import care_course, month_view, screen_view
from web.presenters.screen_history import Taken

People = Mapping[UUID | None, Staff]
ADHERENCE = care_course.ADHERENCE


@dataclass(frozen=True)
class Done:
    """A line of what was done: when, by whom, what, how long; `late` where it was written down days after."""

    id: UUID
    when: str
    who: str
    what: str
    minutes: int
    live: bool
    late: bool
    struck: bool
    mine: bool


@dataclass(frozen=True)
class Proposal:
    """A logged call whose minutes can be taken over: what its form holds, and how it reads."""

    id: UUID
    starts_at: str
    minutes: int
    reached: bool
    words: str


@dataclass(frozen=True)
class Reviewed:
    """A review in words, and what became of a recommendation (`stands`, empty where there was none)."""

    when: str
    who: str
    decision: str
    words: str
    to: str
    stands: str
    item_id: UUID | None


@dataclass(frozen=True)
class Past:
    """An episode that has ended, in a line."""

    span: str
    reason: str
    moved: str
    ended_today: bool


@dataclass(frozen=True)
class Asked:
    """When they were asked how the clinic did, and the answers where these are read by name; else why they are not."""

    when: str
    marks: list[tuple[str, int]]
    words: str
    unnamed: bool


def asked(session: Session, clinic: Clinic, patient_id: UUID) -> list[Asked]:
    """Return when a patient was asked how the clinic did, the latest first."""
    return [
        Asked(times.date_of(each.on), list(each.said or ()), each.words or "", each.said is None)
        for each in telling.of_patient(session, clinic, patient_id)
    ]


def facts(episode: Episode, people: People, zone: str) -> list[tuple[str, str]]:
    """Return the facts of an episode as pairs of a heading and words."""

    def name(staff_id: UUID | None) -> str:
        return team.name_of(people, staff_id, words.say("care", "nobody"))

    now = clock.now()
    consent = {
        "how": words.say("care_consents", episode.consent),
        "on": times.moment(episode.consent_at, now, zone),
        "who": name(episode.consent_by),
        "language": words.say("languages", episode.consent_language),
    }
    scale = scoring.instrument(episode.scale)
    aims = {"scale": scale.title, "elevated": progress.ELEVATED, "remission": progress.REMISSION}
    said = {
        "enrolled": times.date_of(episode.enrolled_on, now.date()),
        "scale": words.say("care", "measured", **aims),
        "consent": words.say("care", "consented", **consent),
        "manager": name(episode.manager_id),
        "practitioner": name(episode.practitioner_id),
        "consultant": name(episode.consultant_id),
        "payer": words.say("care_payers", episode.payer),
        "plan": times.date_of(episode.plan_on, now.date()) if episode.plan_on else "",
        "check": times.date_of(episode.check_on, now.date()) if episode.check_on else "",
    }
    return [(words.say("care_facts", key), value) for key, value in said.items() if value]


def uncounted(session: Session, clinic: Clinic, episode: Episode) -> list[str]:
    """Return how many minutes of this month do not count, and why, a reason each."""
    month = billing.of_episode(session, clinic, episode.id, month_view.this_month(clinic))
    return month_view.excluded(month.reckoning.count) if month else []


def done(entry: CareEntry, people: People, reader: Staff, zone: str) -> Done:
    """Return a line of what was done in words."""
    return Done(
        id=entry.id,
        when=times.moment(entry.starts_at, clock.now(), zone),
        who=team.name_of(people, entry.staff_id, words.say("history", "somebody")),
        what=words.say("care_kinds", entry.kind),
        minutes=int((entry.ends_at - entry.starts_at).total_seconds()) // 60,
        live=entry.live,
        late=evidence.is_late(entry.ends_at, entry.made_at),
        struck=entry.struck_at is not None,
        mine=entry.staff_id == reader.id,
    )


def proposal(call: Contact, zone: str) -> Proposal:
    """Return one's logged call as a line of the episode that waits to be taken over."""
    began, outcome = care_log.begun(call), notes_and_calls.outcomes().get(call.outcome or "", "")
    at, minutes = times.moment(began, clock.now(), zone), call.minutes or 0
    return Proposal(
        id=call.id,
        starts_at=times.typed_moment(began, zone),
        minutes=minutes,
        reached=call.outcome == "reached",
        words=words.say("care", "proposed", outcome=outcome.lower(), minutes=minutes, at=at),
    )


def last_answered(
    patient: Patient, series: Sequence[Taken], zone: str, *, drawn: bool
) -> screen_view.ScreenView | None:
    """Return the last form of a series; without its own picture where that of the whole course is `drawn`."""
    if not series:
        return None
    last = screen_view.of_series(patient, series[-1], series[:-1], zone)
    return replace(last, trend=None) if drawn else last


def medicine(answered: Sequence[Taken], zone: str) -> list[tuple[str, times.Mark]]:
    """Return what a patient said of their medicine, the latest first: the day, and a mark with its words."""
    now, bands = clock.now(), {band.name: band for band in scoring.instrument(ADHERENCE).bands()}
    return [
        (
            times.day(taken.at, now, zone),
            times.Mark(*care_course.MEDICINE[taken.score.band], bands[taken.score.band].words["en"]),
        )
        for taken in reversed(answered)
        if taken.score.band is not None
    ]


def reviewed(review: CaseReview, stands: reviews.Standing | None, people: People, zone: str) -> Reviewed:
    """Return a review in words."""
    return Reviewed(
        when=times.moment(review.at, clock.now(), zone),
        who=_said_by(review, people),
        decision=words.say("care_decisions", review.decision),
        words=review.words or "",
        to=team.name_of(people, review.to_id, "") if review.to_id else "",
        stands=words.say("care_standings", stands) if stands else "",
        item_id=review.item_id,
    )


def _said_by(review: CaseReview, people: People) -> str:
    somebody = words.say("history", "somebody")
    consultant = team.name_of(people, review.by_id, somebody)
    if review.written_by == review.by_id:
        return consultant
    return words.say("care", "written_for", who=consultant, by=team.name_of(people, review.written_by, somebody))


def past(session: Session, clinic: Clinic, patient_id: UUID) -> list[Past]:
    """Return the episodes of a patient that have ended, the latest first."""
    ended = listing.read(session, clinic, Episode.patient_id == patient_id, Episode.phase == "discharged")
    today = episodes.today_of(clinic)
    latest_first = sorted(ended, key=lambda row: (row.episode.ended_on or today, row.episode.id), reverse=True)
    return [
        Past(
            span=" – ".join(
                times.date_of(day, today) for day in (row.episode.enrolled_on, row.episode.ended_on) if day
            ),
            reason=words.say("care_ends", row.episode.end_reason or ""),
            moved=from_to(row),
            ended_today=row.episode.ended_on == today,
        )
        for row in latest_first
    ]


def _span(episode: Episode, today: date) -> str:
    return " – ".join(times.date_of(day, today) for day in (episode.enrolled_on, episode.ended_on) if day)


def from_to(row: Row) -> str:
    """Return the first and last score of an episode, "PHQ-9 16 → 8"."""
    first, last, title = row.progress.baseline, row.progress.last, scoring.instrument(row.episode.scale).title
    if first is None or last is None:
        return words.say("care_states", "no_baseline")
    return f"{title} {first.total} → {last.total}"


def emergencies(session: Session, clinic: Clinic, patient_id: UUID) -> list[tuple[str, str]]:
    """Return when a patient was in an emergency department in the last year, and which feed has told it."""
    now = clock.now()
    return [
        (times.moment(visit.at, now, clinic.zone), visit.source.removeprefix("ehr."))
        for visit in emergency.of_patient(session, patient_id)
    ]
