"""Why an escalation policy could leave a positive answer unseen: too slow, nobody named, a coverage gap. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date

from messaging.inbox.routing import clinic_rules, coverage_gaps
from messaging.inbox.routing.assign import Rules
from messaging.inbox.routing.escalation_policy import Person
from messaging.versions.problems import Problem

# How slow a policy for patient safety may be. Policy, not a standard; a clinic may only be faster.
SAFETY_ANSWER, SAFETY_WAIT, SAFETY_TOTAL = 30, 30, 120
MOST_SAID = 12


def check(rules: Rules, people: Sequence[Person], today: date | None = None) -> list[Problem]:
    """Return every reason why this policy could leave a positive answer unseen; none if it holds all week.

    `today` leaves out the holidays that are over.
    """
    return [*_slow(rules), *_nobody(rules, people), *_routes(rules, people), *_gaps(rules, people, today)]


def _slow(rules: Rules) -> Iterable[Problem]:
    if rules.answer_within["safety"] > SAFETY_ANSWER:
        yield Problem("safety.answer", f"at most {SAFETY_ANSWER} minutes for patient safety")
    if rules.rung_minutes > SAFETY_WAIT:
        yield Problem("repeat", f"at most {SAFETY_WAIT} minutes: patient safety rings again at this pace")
    for is_open in (True, False):
        field = f"safety.{'open' if is_open else 'closed'}"
        steps = rules.steps_of("safety", is_open=is_open)
        if any(step.wait > SAFETY_WAIT for step in steps):
            yield Problem(field, f"no step for patient safety waits longer than {SAFETY_WAIT} minutes")
        if sum(step.wait for step in steps) > SAFETY_TOTAL:
            yield Problem(field, f"its waits add up to more than {SAFETY_TOTAL} minutes")


def _nobody(rules: Rules, people: Sequence[Person]) -> Iterable[Problem]:
    by_email = {person.email: person for person in people}
    for email in rules.fallback:
        if email not in by_email:
            yield Problem("fallback", f"nobody active here has the address {email}")
    if not any(email in by_email and by_email[email].phone for email in rules.fallback):
        yield Problem("fallback", "name at least one colleague with a mobile number, for when nobody else is there")
    for owner, backup in rules.backups.items():
        for email in (owner, backup):
            if email not in by_email:
                yield Problem("backup", f"nobody active here has the address {email}")
        if owner == backup:
            yield Problem("backup", f"{owner} cannot stand in for themselves")
    if not rules.call_list:
        yield Problem("call", "name at least one person to call when everyone has been told and nobody answers")


def _routes(rules: Rules, people: Sequence[Person]) -> Iterable[Problem]:
    by_email = {person.email: person for person in people}
    for place, route in enumerate(rules.routes):
        for email in route.people:
            field, colleague = f"route[{place}].people", by_email.get(email)
            if colleague is None:
                yield Problem(field, f"nobody active here has the address {email}")
            elif colleague.role not in (*clinic_rules.WORKERS, *clinic_rules.LEADS) and email not in rules.fallback:
                yield Problem(field, f"{email} does not work the inbox, so that nothing can be given to them")


def _gaps(rules: Rules, people: Sequence[Person], today: date | None) -> Iterable[Problem]:
    weekly = coverage_gaps.weekly(people, rules)
    if weekly:
        yield Problem("on_call", f"nobody with a mobile number is on duty or on call: {listed(weekly)}")
        return
    closed = coverage_gaps.on_holidays(people, rules, today)
    if closed:
        yield Problem("on_call", f"on a holiday nobody is on call in these minutes: {listed(closed)}")


def listed(gaps: Sequence[coverage_gaps.Gap], zone: str = "UTC") -> str:
    """Return gaps in words, the first dozen of them."""
    if [(gap.start, gap.end) for gap in gaps] == [(0, coverage_gaps.WEEK)]:
        return "at no hour of the week"
    words = ", ".join(coverage_gaps.say(gap, zone) for gap in gaps[:MOST_SAID])
    return f"{words} and {len(gaps) - MOST_SAID} more" if len(gaps) > MOST_SAID else words
