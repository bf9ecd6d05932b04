"""An episode of care in words: how scores move, what is due, when somebody last spoke with them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from caseload import months
from caseload.registry import due, progress
from caseload.registry.totals import Scored
from caseload.standing import Standing
from intake_links import scoring
from messaging.models import Staff
from web import times, words
from web.presenters import month_view, patient_view

NEVER = 10_000  # days, for sorting
WIDTH, HEIGHT, EDGE, LEAST = 96, 28, 3, 12
# Which tone and shape a state and a reason have; all others are plain.
STATES = {
    "worse": ("soon", "▲"),
    "not_improving": ("soon", "◆"),
    "improving": ("plain", "▽"),
    "improved": ("calm", "▼"),
    "remission": ("calm", "✓"),
}
# Where the act that each reason asks for is one press away: an endpoint about the patient, and a part of its page.
ACTS = {
    "self_harm": ("patients.show", "items-title"),
    **dict.fromkeys(("contact", "emergency", "unanswered"), ("firstwords.messages", "jot")),
    "score": ("firstwords.messages", "forms-title"),
    "recommendation": ("care.show", "reviews-title"),
    **dict.fromkeys(("two_open", "relapse_check", "inactive"), ("care.show", "facts-title")),
}
REASONS = {
    "self_harm": ("safety", "▲"),
    **dict.fromkeys(("emergency", "worse", "high", "not_better", "two_open"), ("soon", "◆")),
}
# What each column is sorted by.
COLUMNS: Mapping[str, Callable[[Standing], tuple[float, ...]]] = {
    "due": lambda each: (due.gravest(each.due), -len(each.due), -each.silent),
    "weeks": lambda each: (-each.weeks,),
    "last": lambda each: (-(each.progress.last.total if each.progress.last else -1),),
    "change": lambda each: (-(each.progress.percent or 0),),
    "contact": lambda each: (-each.silent,),
    "review": lambda each: (-(NEVER if each.reviewed is None else each.reviewed),),
    "minutes": lambda each: (-each.month.minutes,),
}


@dataclass(frozen=True)
class Due:
    """Something that is due: its key, its mark, and where its act is; `endpoint` None for the consultant's page."""

    key: str
    mark: times.Mark
    endpoint: str | None
    anchor: str


@dataclass(frozen=True)
class Spark:
    """A small line of totals: its path, where ten points lie, and the totals as words."""

    path: str
    last: tuple[float, float]
    elevated: float
    words: str


@dataclass(frozen=True)
class Line:
    """A row of the registry in words."""

    id: UUID
    patient_id: UUID
    name: str
    age: str
    payer: str
    phase: str
    manager: str
    clinician: str
    enrolled: str
    plan: str
    check: str
    weeks: int
    scale: str
    spark: Spark | None
    baseline: str
    baseline_day: str
    last: str
    last_day: str
    from_file: str
    change: str
    state: times.Mark
    due: list[Due]
    contact: str
    contacts: int
    next_contact: str
    review: str
    question: bool
    minutes: int
    to_next: str


def line(standing: Standing, people: Mapping[UUID | None, Staff]) -> Line:
    """Return a row of the registry in words; the key of its patient is loaded."""
    facts, moved, scores = standing.facts, standing.progress, standing.scores
    return Line(
        id=standing.id,
        patient_id=standing.patient_id,
        name=patient_view.full_name(standing.named),
        age=patient_view.age(standing.named),
        payer="" if standing.payer == "none" else words.say("care_payers", standing.payer),
        phase=words.say("care_phases", facts.phase),
        manager=_name(standing.manager_id, people),
        clinician=_name(standing.practitioner_id, people),
        enrolled=times.date_of(facts.enrolled, facts.today),
        plan=_day(standing.plan_on, facts),
        check=_day(facts.check_on, facts),
        weeks=standing.weeks,
        scale=scoring.instrument(standing.scale).title,
        spark=spark(scores),
        baseline="" if moved.baseline is None else str(moved.baseline.total),
        baseline_day=_day(moved.baseline.on if moved.baseline else None, facts),
        last="" if moved.last is None else str(moved.last.total),
        last_day="" if moved.last is None else days_ago((facts.today - moved.last.on).days),
        from_file=_from_file(moved, scores),
        change=change(moved),
        state=state(moved),
        due=[reason(each) for each in standing.due],
        contact=words.say("care", "never") if facts.contact is None else days_ago((facts.today - facts.contact).days),
        contacts=standing.month.contacts,
        next_contact=_day(standing.next_contact, facts) if _in_time(standing) else "",
        review=_review(standing),
        question=facts.flagged,
        minutes=standing.month.minutes,
        to_next=month_view.to_next(standing.month.to_next, months.of(facts.today), facts.today),
    )


def _name(staff_id: UUID, people: Mapping[UUID | None, Staff]) -> str:
    return people[staff_id].name if staff_id in people else ""


def _day(on: date | None, facts: due.Facts) -> str:
    return times.date_of(on, facts.today) if on else ""


def _in_time(standing: Standing) -> bool:
    """Whether the next contact is still ahead: a late one stands among what is due."""
    return standing.next_contact is not None and standing.next_contact >= standing.facts.today


def sorted_by(by: str, of: Sequence[Standing], *, turned: bool = False) -> list[Standing]:
    """Return episodes by a column, what needs somebody soonest first (`turned`: last), and of equals who is longest in
    care."""
    column = COLUMNS[by]
    if turned:
        return sorted(sorted_by(by, of), key=column, reverse=True)
    return sorted(of, key=lambda each: (*column(each), each.facts.enrolled, each.id.int))


def _from_file(moved: progress.Progress, scores: Sequence[Scored]) -> str:
    """Which of the two totals came with a registry's file and has no answers behind it, in words."""
    told = {scored.point for scored in scores if scored.imported}
    first, last = moved.baseline in told, moved.last in told
    which = "both" if first and last else "first" if first else "last" if last else ""
    return words.say("care_from_file", which) if which else ""


def _review(standing: Standing) -> str:
    if standing.reviewed is None:
        return words.say("care", "never")
    said = days_ago(standing.reviewed)
    return words.say("care", "review_open", said=said) if standing.recommended else said


def change(moved: progress.Progress) -> str:
    """Return a change in points and per cent, "−8 (−50 %)"; empty while there is nothing to compare."""
    if moved.change is None:
        return ""
    points = _signed(moved.change)
    return points if moved.percent is None else f"{points} ({_signed(moved.percent)} %)"


def _signed(number: int) -> str:
    return f"+{number}" if number > 0 else f"−{-number}" if number < 0 else "0"


def state(moved: progress.Progress) -> times.Mark:
    """Return the state of an episode as a mark."""
    return times.Mark(*STATES.get(moved.state, ("plain", "")), words.say("care_states", moved.state))


def reason(each: due.Due) -> Due:
    """Return something that is due as a mark with its days, points or weeks, and where to act on it."""
    mark = times.Mark(*REASONS.get(each.key, ("plain", "")), words.say("care_due", each.key, number=each.number))
    return Due(each.key, mark, *ACTS.get(each.key, (None, "")))


def days_ago(days: int) -> str:
    """Return "today", "yesterday" or how many days ago."""
    return words.say("care", {0: "today", 1: "yesterday"}.get(days, "days_ago"), days=days)


def spark(scores: Sequence[Scored]) -> Spark | None:
    """Draw totals, oldest first, as a small line; None for none."""
    if not scores:
        return None
    first, whole = scores[0].point.on, (scores[-1].point.on - scores[0].point.on).days or 1
    top = max(LEAST, *(scored.point.total for scored in scores), 0)

    def y(total: int) -> float:
        return round(HEIGHT - EDGE - total / top * (HEIGHT - 2 * EDGE), 1)

    def place(scored: Scored) -> tuple[float, float]:
        share = (scored.point.on - first).days / whole if len(scores) > 1 else 1.0
        return round(EDGE + share * (WIDTH - 2 * EDGE), 1), y(scored.point.total)

    dots = [place(scored) for scored in scores]
    path = "M" + " L".join(f"{x} {height}" for x, height in dots)
    return Spark(path, dots[-1], y(progress.ELEVATED), ", ".join(str(scored.point.total) for scored in scores))
