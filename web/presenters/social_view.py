"""Social needs as staff read them: what was found, where somebody was referred, what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from caseload.social import scoring, screening
from caseload.social.models import SocialNeed, SocialScreen
from config import clock
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from web import team, times, words

People = Mapping[UUID | None, Staff]


@dataclass(frozen=True)
class Need:
    """A need in words; `open` while its task is. `referred` and `stands` are empty where nothing was said."""

    id: UUID
    item_id: UUID
    domain: str
    found: str
    open: bool
    referred: str
    referred_when: str
    stands: str


@dataclass(frozen=True)
class Asked:
    """What was answered on a day: by domain in words, and which way; never the answers themselves."""

    when: str
    who: str
    domains: list[tuple[str, str, str]]
    total: int | None


@dataclass(frozen=True)
class Social:
    """A patient's social needs: those found, the latest first, and each time they were asked."""

    needs: list[Need]
    asked: list[Asked]


def read(session: Session, clinic: Clinic, patient: Patient) -> Social:
    """Return what is known of a patient's social needs."""
    people = team.everyone(session, clinic.id)
    return Social(
        [_need(need, item, people, clinic) for need, item in screening.needs(session, patient)],
        [_asked(screen, people, clinic) for screen in screening.screens(session, patient)],
    )


def _need(need: SocialNeed, item: InboxItem, people: People, clinic: Clinic) -> Need:
    now, zone = clock.now(), clinic.zone
    who = team.name_of(people, need.referred_by, words.say("history", "somebody"))
    told = f"{who}, {times.day(need.referred_at, now, zone)}" if need.referred_at else ""
    return Need(
        id=need.id,
        item_id=item.id,
        domain=words.say("social_domains", need.domain),
        found=times.day(item.created_at, now, zone),
        open=item.state != "done",
        referred=need.referred or "",
        referred_when=told,
        stands=_stands(item, clinic),
    )


def _stands(item: InboxItem, clinic: Clinic) -> str:
    now, zone = clock.now(), clinic.zone
    if item.state != "done":
        due = times.moment(item.answer_by, now, zone, running=True) if item.answer_by else ""
        late = item.answer_by is not None and item.answer_by < now
        return words.say("social", "overdue" if late else "waits", at=due)
    outcome = items.dispositions().get(item.disposition or "", "")
    return f"{outcome}, {times.day(item.done_at, now, zone)}" if item.done_at else outcome


def _asked(screen: SocialScreen, people: People, clinic: Clinic) -> Asked:
    found = screening.result_of(screen)
    day = times.date_of(screen.asked_on, clock.now().astimezone(ZoneInfo(clinic.zone)).date())
    who = team.name_of(people, screen.asked_by, words.say("history", "somebody"))
    return Asked(
        day,
        who,
        [
            (words.say("social_domains", domain), words.say("social_verdicts", verdict), verdict)
            for domain, verdict in found.domains.items()
        ],
        found.total,
    )


def questions(said: Mapping[str, str]) -> list[tuple[str, list[tuple[scoring.Item, str, list[tuple[str, str]]]]]]:
    """Return the questions in the words of a wording, by domain: each with its answers as key and words."""
    return [
        (
            domain,
            [
                (item, said[item.loinc], [(answer.key, said[answer.key]) for answer in item.answers])
                for item in scoring.core().items
                if item.domain == domain
            ],
        )
        for domain in scoring.DOMAINS
    ]
