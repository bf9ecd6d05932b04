"""A row of the registry as a spreadsheet has it: what its page says, and each day as a day."""

from datetime import date

from caseload.standing import Row
from web import words
from web.presenters import care_view


def cells(line: care_view.Line, row: Row) -> list[str]:
    """Return the cells of an episode in the order of [care_columns]."""
    reasons = "; ".join(each.mark.words for each in line.due)
    return [line.name, line.age, line.phase, line.manager, str(line.weeks), line.scale, line.baseline, line.last,
            line.last_day, line.change, line.state.words, line.contact, str(line.contacts), line.review, reasons,
            line.clinician, line.payer or words.say("care_payers", "none"), *_behind(row), str(line.minutes),
            line.to_next]  # fmt: skip


def _behind(row: Row) -> list[str]:
    """What stands on the episode's own page."""
    facts, moved = row.facts, row.progress
    scored = [point.on if point else None for point in (moved.baseline, moved.last)]
    return [
        *(_day(on) for on in (facts.enrolled, *scored)),
        words.say("care", "self_harm_positive") if facts.self_harm else "",
        *(_day(on) for on in (facts.contact, facts.review, facts.recommended, row.plan_on, facts.check_on)),
    ]


def _day(on: date | None) -> str:
    return on.isoformat() if on else ""
