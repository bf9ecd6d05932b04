"""What an act takes away: minutes in which somebody could be reached before it, and nobody after. Pure."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from messaging.inbox.routing import clinic_rules, coverage_gaps
from messaging.inbox.routing.coverage_gaps import Away, Gap, Watch
from messaging.inbox.routing.escalation_policy import Person


def lost(before: Watch, after: Watch, start: datetime) -> list[Gap]:
    """Return the minutes from `start` on in which somebody could be reached before, and nobody after.

    This is what every act is asked that changes who can be reached. What was a gap before is none that the act makes.
    """
    during_absences = while_somebody_is_away(before, after, start)
    if (before.people, before.rules) == (after.people, after.rules):
        return during_absences
    today = start.astimezone(ZoneInfo(after.zone)).date()
    weeks = coverage_gaps.made(
        coverage_gaps.weekly(before.people, before.rules), coverage_gaps.weekly(after.people, after.rules)
    )
    return [*weeks, *_lost_on_holidays(before, after, today), *during_absences]


def _lost_on_holidays(before: Watch, after: Watch, today: date) -> list[Gap]:
    """A day that was a holiday before is compared with how it was then, and a new one with an ordinary day."""
    kept = coverage_gaps.weekdays_of(set(after.rules.hours.holidays) & set(before.rules.hours.holidays), today)
    new = coverage_gaps.weekdays_of(set(after.rules.hours.holidays) - set(before.rules.hours.holidays), today)
    if not kept | new:
        return []
    then, ordinary, now = (
        coverage_gaps.week(watch.people, watch.rules, closed=closed)
        for watch, closed in ((before, True), (before, False), (after, True))
    )
    gaps = {
        gap
        for weekdays, was in ((kept, then), (new, ordinary))
        for gap in coverage_gaps.made(
            coverage_gaps.on_weekdays(weekdays, was), coverage_gaps.on_weekdays(weekdays, now)
        )
    }
    return coverage_gaps.joined(sorted(gaps))


def while_somebody_is_away(before: Watch, after: Watch, start: datetime) -> list[Gap]:
    """Return what is lost during absences, and would not be lost in the same minutes of a week with nobody away."""
    was, becomes = coverage_gaps.Asked(before), coverage_gaps.Asked(after)

    def is_lost(at: datetime) -> bool:
        if becomes(at) or not was(at):
            return False
        return becomes(at, nobody_away=True) or not was(at, nobody_away=True)

    return coverage_gaps.walk([before, after], start, is_lost)


def closing(watch: Watch, away: Away, start: datetime) -> list[Person]:
    """Return who, named as cover for this absence, would leave no minute without anybody, in the people's order."""
    busy = {
        absence.staff_id
        for absence in watch.absences
        if absence.starts_at < away.ends_at and absence.ends_at > away.starts_at
    }
    covers = []
    for person in watch.people:
        if person.id == away.staff_id or person.id in busy or person.role not in clinic_rules.ACTING:
            continue
        covered = [*watch.absences, replace(away, cover_id=person.id)]
        if person.phone and not lost(watch, replace(watch, absences=covered), start):
            covers.append(person)
    return covers
