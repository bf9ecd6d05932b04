"""Why an item came to its owner: the rules in the order they were asked, and what has happened to it since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from intake_links import scoring
from messaging.inbox import items
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.inbox.routing import policy_definition, topics
from messaging.models import Clinic, Patient, Staff
from web import times, words

SHAPES = {"yes": "✓", "no": "–", "then": "→"}
# What moves an item to somebody; the rest of its history stands in the history.
MOVES = ("claimed", "handed_over", "given_to_role", "given_back", "escalated", "offered", "nobody_accepted", "reopened")
# The rules of messaging.inbox.routing.assign, each with the reasons it can give.
DUTY = ("on_duty", "off_duty", "fallback", "nobody")


@dataclass(frozen=True)
class Step:
    """One rule or move: `turn` is yes (it matched), no (it did not apply) or then (what happened next)."""

    turn: str
    words: str

    @property
    def shape(self) -> str:
        """The sign before the words."""
        return SHAPES[self.turn]


def path(reasons: Sequence[str], panel: str | None, language: str | None) -> list[Step]:
    """Return the rules in order with what each said; `reasons` are an item's, `panel` and `language` the patient's."""
    by_name = {reason.partition(":")[0]: reason for reason in reasons}
    if not by_name:
        return [Step("no", words.say("route", "unrouted"))]
    rule_names = ("panel", "language", *DUTY)
    steps = [_asked(reason) for reason in reasons if reason.partition(":")[0] not in rule_names]
    if steps and not any(name in by_name for name in rule_names):
        return steps
    steps.append(_rule(by_name.get("panel"), "panel", panel, {"panel": panel}))
    language = topics.language(reasons) or language
    spoken = words.say("languages", language) if language else None
    steps.append(_rule(by_name.get("language"), "language", language, {"language": spoken}))
    if "on_duty" not in by_name:
        steps.append(Step("no", words.say("route", "duty_no")))
    steps += [_yes(by_name[name]) for name in DUTY if name in by_name]
    if "on_duty" in by_name:
        steps.append(Step("no", words.say("route", "fallback_no")))
    return steps


def _rule(matched: str | None, rule: str, value: str | None, filled: dict[str, str | None]) -> Step:
    if matched:
        return _yes(matched)
    if not value:
        return Step("no", words.say("route", f"{rule}_none"))
    return Step("no", words.say("route", f"{rule}_no", **filled))


def _asked(reason: str) -> Step:
    """A rule of the clinic's own, or what else has decided; a rule that fitted and found nobody there is a no."""
    found_nobody = reason.partition(":")[0] in ("passed", "no_reader", "panel_cannot_read", "desk_off")
    return Step("no", reason_words(reason)) if found_nobody else _yes(reason)


def _yes(reason: str) -> Step:
    return Step("yes", reason_words(reason))


def reason_words(reason: str) -> str:
    """Return one reason in words, such as "panel:Dr Lindqvist"."""
    name, _, value = reason.partition(":")
    value_words = _value(name, value)
    sentence = items.words()["reasons"].get(name, name.replace("_", " ")).replace("{value}", value_words)
    return sentence[0].upper() + sentence[1:]


def _value(name: str, value: str) -> str:
    if name == "topic":
        return items.words()["topics"].get(value, value)
    return words.say("languages", value) if name in ("language", "no_reader", "said_in") else value


def rule_words(rule: policy_definition.Route, names: Mapping[str, str]) -> str:
    """Return a rule of the clinic in words; `names` are those of its people by address."""
    conditions = [
        ", ".join(words.say("kinds", kind) for kind in rule.kinds),
        *(
            words.say("rules", key, value=" / ".join(values))
            for key, values in (
                ("panels", rule.panels),
                ("places", rule.places),
                ("languages", [words.say("languages", language) for language in rule.languages]),
            )
            if values
        ),
        _screened(rule),
        words.say("rules", f"existing_{rule.existing}") if rule.existing is not None else "",
    ]
    joined = ", ".join(condition for condition in conditions if condition) or words.say("rules", "anything")
    to = words.say("receivers", f"role:{rule.role}" if rule.role else rule.to)
    if rule.people:
        to = ", ".join(names.get(email, email) for email in rule.people)
    if rule.below is not None:
        to += words.say("rules", "below", count=rule.below)
    return words.say("rules", "sentence", asked=joined, to=to)


def _screened(rule: policy_definition.Route) -> str:
    if rule.instrument not in scoring.instruments():
        return rule.instrument
    form = scoring.instrument(rule.instrument)
    band = next((candidate.words["en"] for candidate in form.bands() if candidate.name == rule.band), "")
    return words.say("rules", "at_least", title=form.title, band=band) if band else form.title


def explain(
    session: Session,
    clinic: Clinic,
    item: InboxItem,
    patient: Patient | None,
    owner: Staff | None,
    moves: Sequence[tuple[ItemEvent, str]],
    now: datetime,
) -> list[Step]:
    """Return the whole way of an item to its owner; `moves` are its events, each with its words."""
    steps = path(item.reason, patient.panel if patient else None, patient.language if patient else None)
    steps += [Step("then", sentence) for event, sentence in moves if event.event in MOVES]
    if owner is not None:
        steps.append(
            Step("then", words.say("route", "now", who=owner.name, how=_standing(session, clinic, owner, now)))
        )
    return steps


def _standing(session: Session, clinic: Clinic, owner: Staff, now: datetime) -> str:
    until = times.on_duty(owner.hours, now, clinic.zone)
    duty = "off duty" if until is None else f"on duty until {until}" if until else "on duty"
    spoken = " and ".join(words.say("languages", language) for language in owner.languages)
    held = open_items(session, clinic, owner.id)
    return ", ".join(part for part in (duty, f"speaks {spoken}" if spoken else "", f"{held} open") if part)


def open_items(session: Session, clinic: Clinic, staff_id: UUID) -> int:
    """Return how many unfinished items somebody holds, as routing counts them."""
    held = select(func.count()).where(
        InboxItem.clinic_id == clinic.id,
        InboxItem.owner_id == staff_id,
        InboxItem.state.in_(("open", "claimed")),
    )
    return session.scalar(held) or 0
