"""Who an item goes to, and until when: facts in, decision out. Knows no clock, no database and no queue.

The clinic's own rules come first, in their order (messaging.inbox.routing.clinic_rules). Then, and for a clinic without
any: the clinician's panel, the language, who is on duty, the smallest load; then who is on call; then the clinic's
fallback; then anybody. Whoever is away is stood in for by who covers for them. An item that nobody can own stays with
everyone and says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from messaging.inbox.routing import fitting, topics
from messaging.inbox.routing.clinic_rules import (
    ACTING,
    LEADS,
    OWNERS,
    TEXTED,
    Member,
    Need,
    Route,
    is_there,
    take,
)
from messaging.inbox.routing.hours import Hours, after
from messaging.inbox.routing.hours import within as on_duty
from messaging.inbox.routing.topics import DEFAULTS, Terms
from messaging.reading.topics import Topic

__all__ = [
    "LEADS",
    "OWNERS",
    "TEXTED",
    "Choice",
    "Member",
    "Need",
    "Route",
    "Rules",
    "answer_by",
    "choose",
    "on_duty",
    "ranked",
    "stand_in",
    "there",
]

KINDS = ("safety", "screen", "handoff", "reply", "delivery")
# Their clock runs in real time, whatever the clinic's hours: a person may be in danger, or stands in the room.
ALWAYS_RUNNING = ("safety", "handoff")
WATCHED = topics.WATCHED
# What the clinic decides about the second reader, in its rules (messaging.second_reading.standing).
SECOND_READING = "second_reading"
WORRY_MINUTES = 15
# What colleagues ask of each other without a time of its own: a working day of the clinic's hours. Policy.
ASKED, ASKED_WITHIN = ("task", "mention", "note"), 8 * 60
# What a patient who is about to leave is asked for by: this long before the visit's end somebody must have come.
BEFORE_THE_END, AT_LEAST = timedelta(minutes=10), timedelta(minutes=5)


@dataclass(frozen=True)
class EscalationStep:
    """One step of a policy: whom it asks, and how many minutes it then waits.

    See messaging.inbox.routing.escalation_policy.ASKED.
    """

    ask: str
    wait: int


@dataclass(frozen=True)
class Call:
    """Somebody without an account, who is called by a human: name, E.164 number, and when they may be called."""

    name: str
    phone: str
    when: str = ""


@dataclass(frozen=True)
class Rules:
    """What the clinic decides, with the defaults of a clinic that has decided nothing yet. Minutes throughout.

    `in_business` names the kinds whose clock stands still while the clinic is closed, `before_leaving` those to be
    answered before the patient leaves the building, `quiet_after` how long after the last word a conversation counts as
    over (0: automatic texts wait for none). `steps` maps (kind, whether the clinic is open) to a policy; `backups` a
    colleague's address to that of who stands in; who is on it holds an escalation for `on_it_minutes`. The defaults are
    policy: no law sets a number of minutes.
    """

    answer_within: Mapping[str, int] = field(
        default_factory=lambda: {"safety": 15, "screen": 60, "handoff": 5, "reply": 240, "delivery": 480}
    )
    rung_minutes: int = 10
    on_it_minutes: int = 20
    fallback: tuple[str, ...] = ()
    hours: Hours = field(default_factory=Hours)
    in_business: frozenset[str] = frozenset()
    before_leaving: frozenset[str] = frozenset()
    steps: Mapping[tuple[str, bool], tuple[EscalationStep, ...]] = field(default_factory=dict)
    backups: Mapping[str, str] = field(default_factory=dict)
    call_list: tuple[Call, ...] = ()
    routes: tuple[Route, ...] = ()
    quiet_after: int = 10
    topics: Mapping[Topic, Terms] = field(default_factory=lambda: DEFAULTS)
    worry_minutes: int = WORRY_MINUTES

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Rules":
        """Read a clinic's `rules`; what they leave out keeps its default."""
        default, kinds = cls(), stored.get("ladder", {}).get("kinds", {})
        return cls(
            answer_within={**default.answer_within, **stored.get("answer_within", {})},
            rung_minutes=max(1, int(stored.get("rung_minutes", default.rung_minutes))),
            on_it_minutes=min(30, max(5, int(stored.get("on_it_minutes", default.on_it_minutes)))),
            fallback=tuple(email.strip().lower() for email in stored.get("fallback", ())),
            hours=_hours(stored.get("hours", {})),
            in_business=frozenset(
                kind for kind, terms in kinds.items() if terms.get("clock") == "business" and kind not in ALWAYS_RUNNING
            ),
            before_leaving=frozenset(kind for kind, terms in kinds.items() if terms.get("before_leaving")),
            steps={
                (kind, when == "open"): tuple(
                    EscalationStep(step["ask"], max(1, int(step["wait"]))) for step in terms[when]
                )
                for kind, terms in kinds.items()
                for when in ("open", "closed")
                if terms.get(when)
            },
            backups=dict(stored.get("ladder", {}).get("backup", {})),
            call_list=tuple(Call(**call) for call in stored.get("ladder", {}).get("call", ())),
            routes=tuple(Route.of(route) for route in stored.get("routes", ())),
            quiet_after=int(stored.get("quiet_after", default.quiet_after)),
            topics=topics.terms_of(stored.get("topics", {})),
            worry_minutes=int(stored.get(SECOND_READING, {}).get("terms", {}).get("minutes", WORRY_MINUTES)),
        )

    def steps_of(self, kind: str, *, is_open: bool) -> tuple[EscalationStep, ...]:
        """Return the steps for this kind now; a clinic that has set none asks one colleague after the other."""
        return self.steps.get((kind, is_open)) or (EscalationStep("colleagues", self.rung_minutes),)


def _hours(stored: Mapping[str, Any]) -> Hours:
    return Hours(stored.get("zone", "UTC"), stored.get("week", {}), tuple(stored.get("holidays", ())))


@dataclass(frozen=True)
class Choice:
    """The owner, if anyone can be, and why: names of reasons with their value, such as "panel:Dr Lindqvist"."""

    owner_id: UUID | None
    why: tuple[str, ...]


def answer_by(
    kind: str, now: datetime, rules: Rules, *, leaves_at: datetime | None = None, reason: Sequence[str] = ()
) -> datetime:
    """Return until when an item of this kind must have been answered.

    `leaves_at` is when the patient leaves the building, where that is known: somebody should have come by then.
    What came of somebody who was at risk lately, as its `reason` says, waits no longer than a positive screen, what
    may be a crisis neither, nor than the clinic's time for it; and no text waits longer than its topics allow.
    """
    due = _answer_by(kind, now, rules, leaves_at, reason)
    worry = topics.is_worry(reason)
    if worry or WATCHED in reason:
        due = min(due, answer_by("screen", now, rules))
    return min(due, now + timedelta(minutes=rules.worry_minutes)) if worry else due


def _answer_by(kind: str, now: datetime, rules: Rules, leaves_at: datetime | None, reason: Sequence[str]) -> datetime:
    if kind in ASKED:
        return after(now, ASKED_WITHIN, rules.hours)
    minutes, sooner = rules.answer_within.get(kind, 240), topics.minutes(reason, rules.topics)
    if topics.IN_BUILDING in reason and sooner is not None:
        return now + timedelta(minutes=min(minutes, sooner))
    minutes = minutes if sooner is None else min(minutes, sooner)
    due = after(now, minutes, rules.hours) if kind in rules.in_business else now + timedelta(minutes=minutes)
    if leaves_at is not None and kind in rules.before_leaving and leaves_at > now:
        due = min(due, max(leaves_at - BEFORE_THE_END, now + AT_LEAST))
    return due


def climbs_as(kind: str, reason: Sequence[str]) -> str:
    """Return the kind by which an overdue item escalates: words of somebody who was at risk lately, and words that may
    be a crisis, as a screen's."""
    return "screen" if kind == "reply" and (WATCHED in reason or topics.is_worry(reason)) else kind


def routed_as(kind: str, reason: Sequence[str]) -> str:
    """Return the kind by which the owner of an item is chosen: what may be a crisis goes to who can assess it."""
    return "screen" if kind == "reply" and topics.is_worry(reason) else kind


def choose(need: Need, team: Sequence[Member], rules: Rules) -> Choice:
    """Choose the owner of an item."""
    ranked, by_rule = _ranked(need, team, rules)
    if not ranked:
        return Choice(None, (*by_rule, "nobody"))
    return Choice(ranked[0].id, (*by_rule, *fitting.why(need, ranked[0], rules.fallback, team)))


def ranked(need: Need, team: Sequence[Member], rules: Rules) -> list[Member]:
    """Return everyone an item may climb to, best first: whom a rule of the clinic names, owners on duty, who is on
    call, the fallback, leads, owners off duty, and last those who are away with nobody covering for them.

    Whoever covers is on call in the hours of whom they stand in for, and fallback in their place.
    """
    by_id = {member.id: member for member in team}
    covering: dict[UUID, list[Member]] = {}
    for seat in _seats(team):
        if seat.email != by_id[seat.id].email:
            covering.setdefault(seat.id, []).append(seat)
    return [_sitting(by_id[seat.id], covering.get(seat.id, ())) for seat in _ranked(need, team, rules)[0]]


def there(need: Need, team: Sequence[Member], rules: Rules) -> list[Choice]:
    """Return everyone who can be asked for this now, one after the other in the order of an item, each with why.

    That is whoever is at work, on call or the fallback, and for what is texted has a mobile. The clinic's leads are
    asked only where a rule, the call list's hours or the fallback names them: being at work is not enough.
    """
    ranked, by_rule = _ranked(need, team, rules)
    named = {email for route in rules.routes for email in route.people} | set(rules.fallback)
    choices: list[Choice] = []
    for seat in ranked:
        may_be_asked = seat.role not in LEADS or seat.on_call or seat.email in named
        if may_be_asked and is_there(need, seat, rules.fallback):
            why = fitting.why(need, seat, rules.fallback, team)
            choices.append(Choice(seat.id, why if choices else (*by_rule, *why)))
    return choices


def _sitting(member: Member, seats: Sequence[Member]) -> Member:
    if not seats:
        return member
    called = member.on_call or any(seat.on_call for seat in seats)
    return replace(member, on_call=called, in_place_of=tuple(sorted(seat.email for seat in seats)))


def stand_in(member: Member, by_id: Mapping[UUID, Member]) -> Member | None:
    """Return who works in this member's place: they themselves, or whoever covers, and covers for who covers."""
    seen: set[UUID] = set()
    while member.away:
        seen.add(member.id)
        cover = by_id.get(member.covered_by) if member.covered_by else None
        if cover is None or cover.id in seen or cover.role not in ACTING:
            return None
        member = cover
    return member


def _ranked(need: Need, team: Sequence[Member], rules: Rules) -> tuple[list[Member], tuple[str, ...]]:
    """Everyone in order, and what the clinic's rules say about the first of them."""
    fit = sorted(_seats(team), key=lambda member: fitting.fitness(need, member))
    here = [member for member in fit if not member.away]
    existing = next((member.email for member in team if member.id == need.existing), None)
    taken = take(need, here, rules.routes, existing=existing, fallback=rules.fallback)
    steps = (
        taken.members,
        [member for member in here if member.role in OWNERS and member.on_duty],
        [member for member in here if member.on_call],
        [member for email in rules.fallback for member in here if member.email == email],
        [member for member in here if member.role in LEADS],
        [member for member in here if member.role in OWNERS],
        [member for member in fit if member.role in OWNERS + LEADS or member.email in rules.fallback],
    )
    first: dict[UUID, Member] = {}
    for step in steps:
        for member in step:
            first.setdefault(member.id, member)
    return list(first.values()), taken.why


def _seats(team: Sequence[Member]) -> list[Member]:
    """The team with a stand-in in the seat of whoever is away: their panels and place on the lists, somebody else's
    languages, hours and load. The hours of the seat are the stand-in's too, as hours on call: they are asked after
    whoever is at work, and before nobody is."""
    by_id = {member.id: member for member in team}
    seats = []
    for member in team:
        cover = stand_in(member, by_id)
        if cover is None or cover is member:
            seats.append(member)
        else:
            called = cover.on_call or member.on_call or (member.role in OWNERS + LEADS and member.on_duty)
            taken = replace(cover, role=member.role, email=member.email, panels=member.panels)
            seats.append(replace(taken, on_call=called))
    return seats
