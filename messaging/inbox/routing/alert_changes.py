"""What in a changed escalation policy could make an alert about patient safety later, or unseen: in words. Pure.

Patient safety and positive screens are looked at, nothing else: a reply that waits longer silences nobody.
"""

from collections.abc import Iterable, Mapping

from messaging.inbox.routing import coverage_gaps, hours
from messaging.inbox.routing.policy_definition import EscalationPolicy, EscalationStep, Kind

GRAVE = {"safety": "patient safety", "screen": "positive screens"}
WHEN = {"open": "while the clinic is open", "closed": "while it is closed"}
ASKS = {
    "backup": "the backup",
    "on_call": "whoever is on call",
    "colleagues": "the colleagues one by one",
    "fallback": "the fallback",
    "lead": "the clinic's leads",
    "everyone": "everyone at once",
}


def silences(old: EscalationPolicy, new: EscalationPolicy) -> list[str]:
    """Return in words each change that could silence an alert; empty where nothing does."""
    return [
        *_people(old, new),
        *(change for kind in GRAVE for change in _kind(kind, old, new)),
        *_on_call(old.on_call, new.on_call),
        *_routes(old, new),
    ]


def _people(old: EscalationPolicy, new: EscalationPolicy) -> Iterable[str]:
    for email in old.fallback:
        if email not in new.fallback:
            yield f"{email} is no longer the fallback"
    called = {call.phone for call in new.call}
    for call in old.call:
        if call.phone not in called:
            yield f"{call.name} is no longer on the call list"
    for owner, backup in old.backup.items():
        if new.backup.get(owner) != backup:
            yield f"{backup} no longer stands in for {owner}"
    if new.repeat > old.repeat:
        yield f"everyone is told again every {new.repeat} minutes instead of every {old.repeat}"
    if new.on_it > old.on_it:
        yield f"whoever is on it holds the escalation for {new.on_it} minutes instead of {old.on_it}"


def _kind(name: str, old: EscalationPolicy, new: EscalationPolicy) -> Iterable[str]:
    was, becomes, about = old.kind(name), new.kind(name), GRAVE[name]
    if becomes.answer > was.answer:
        yield f"{about} may wait {becomes.answer} minutes instead of {was.answer}"
    if was.before_leaving and not becomes.before_leaving:
        yield f"{about} no longer come sooner while the patient is in the building"
    if becomes.clock == "business":
        if was.clock != "business":
            yield f"the clock of {about} stands still while the clinic is closed"
        elif _shorter(old, new):
            yield f"the clinic is open for less, and the clock of {about} stands still meanwhile"
    for when in WHEN:
        yield from _steps(f"{about} {WHEN[when]}", _of(was, when, old), _of(becomes, when, new))


def _of(kind: Kind, when: str, policy: EscalationPolicy) -> tuple[EscalationStep, ...]:
    steps: tuple[EscalationStep, ...] = getattr(kind, when)
    return steps or (EscalationStep(ask="colleagues", wait=policy.repeat),)


def _steps(about: str, was: tuple[EscalationStep, ...], becomes: tuple[EscalationStep, ...]) -> Iterable[str]:
    """Each of the steps that were is asked as soon as before, or it is named."""
    soonest = _when_asked(becomes)
    for ask, after in _when_asked(was).items():
        if ask not in soonest:
            yield f"{about}: the escalation policy no longer asks {ASKS[ask]}"
        elif soonest[ask] > after:
            yield f"{about}: {ASKS[ask]} asked {soonest[ask] - after} minutes later"
    if sum(step.wait for step in becomes) > sum(step.wait for step in was):
        yield f"{about}: the last step comes later"


def _when_asked(steps: tuple[EscalationStep, ...]) -> dict[str, int]:
    """How many minutes after the deadline each step is asked at the soonest, everyone before it having one."""
    soonest: dict[str, int] = {}
    after = 0
    for step in steps:
        soonest.setdefault(step.ask, after)
        after += step.wait
    return soonest


def _shorter(old: EscalationPolicy, new: EscalationPolicy) -> bool:
    fewer = set(new.holidays) - set(old.holidays)
    return bool(fewer) or bool(taken_away(old.hours, new.hours, empty_is_always=True))


def _on_call(old: Mapping[str, Mapping[str, list[str]]], new: Mapping[str, Mapping[str, list[str]]]) -> Iterable[str]:
    for email, week in old.items():
        gone = taken_away(week, new.get(email, {}))
        if gone:
            lost = ", ".join(coverage_gaps.say(gap, "UTC") for gap in gone[:7])
            yield f"{email} is no longer on call {lost}{' and more' if len(gone) > 7 else ''}"


def taken_away(
    old: Mapping[str, list[str]], new: Mapping[str, list[str]], *, empty_is_always: bool = False
) -> list[coverage_gaps.Gap]:
    """Return the minutes of a week that lie in `old` and not in `new`; no hours are none, or with the flag all."""
    return coverage_gaps.made(_spans(new, empty_is_always), _spans(old, empty_is_always))


def _spans(week: Mapping[str, list[str]], empty_is_always: bool) -> list[coverage_gaps.Gap]:
    spans = hours.spans(week) if week or not empty_is_always else [(0, coverage_gaps.WEEK)]
    return [coverage_gaps.Gap("week", begin, end) for begin, end in spans]


def _routes(old: EscalationPolicy, new: EscalationPolicy) -> Iterable[str]:
    """Every rule about patient safety or screens that is new, changed, or asked earlier than before."""
    for kind, about in GRAVE.items():
        was = [route for route in old.route if not route.kinds or kind in route.kinds]
        becomes = [route for route in new.route if not route.kinds or kind in route.kinds]
        for route in becomes:
            if route not in was:
                yield f"the rule “{route.name}” decides who gets {about}"
        kept = [route for route in was if route in becomes]
        if [route for route in becomes if route in was] != kept:
            yield f"the rules about {about} are asked in another order"
