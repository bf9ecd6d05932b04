"""A cadence as a form: its steps as cards, what was typed in the shape of its file, a card more, fewer or moved.

Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reminders.cadence import cadence_definition

UNITS = ("minutes", "hours", "days", "weeks")
SIDES = ("before", "after")
# Conditions that are ticked; those with a name behind them ("language:es") are typed.
CONDITIONS = ("not_confirmed", "intake_open", "first_visit", "no_show", "arrived")
LENGTHS = ("min_notice", "min_gap", "catch_up")
CAPS = ("cap_per_day", "cap_per_week")
HAS = frozenset(cadence_definition.Step.model_fields)
CADENCE_HAS = frozenset(cadence_definition.Cadence.model_fields)
MOST_STEPS = 10
NEW = {"before": "7 days", "text": "reminder_far"}
# A posted form: every value of each name.
Form = Mapping[str, Sequence[str]]
_STEP = re.compile(r"(?P<group>steps|kinds\.[^\[\].]{1,40})\[(?P<place>\d{1,2})\]\.(?P<field>[a-z_.]+)")
_LENGTH = re.compile(r"\s*(.*?)\s*(minute|hour|day|week)s?\s*", re.IGNORECASE)
# What a card of the form itself carries; other fields of a step stay as they were.
_OURS = {
    "name", "before", "after", "weekday", "at", "text", "text_without_intake", "intake", "if_past",
    "unless_confirmed", "deliver_by", "when", "window",
}  # fmt: skip


@dataclass(frozen=True)
class Group:
    """The steps of every visit (`kind` empty) or of one kind; `prefix` is its name in the file and in the form."""

    prefix: str
    kind: str
    steps: list[dict[str, Any]] = field(default_factory=list)


def groups(definition: Mapping[str, Any]) -> list[Group]:
    """Return the steps of a definition, those of every visit first."""
    every_visit = [Group("steps", "", list(definition.get("steps") or []))]
    kinds = definition.get("kinds") or {}
    return every_visit + [Group(f"kinds.{name}", name, list(steps)) for name, steps in kinds.items()]


def length(written: object) -> tuple[str, str]:
    """Return a length as it stands in two fields: "72 hours" is ("72", "hours"), also when it is no number."""
    match = _LENGTH.fullmatch(str(written or ""))
    return (match[1], f"{match[2].lower()}s") if match else (str(written or ""), "hours")


def typed(form: Form, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed, in the shape of the file; what the form does not show stays as in `base`."""
    form_fields = {"name", "steps", "kinds", "quiet_hours", "combine_day", *LENGTHS, *CAPS}
    raw: dict[str, Any] = {name: value for name, value in base.items() if name not in form_fields}
    raw["name"] = _said(form, "name") or base.get("name", "unnamed")
    raw["quiet_hours"] = {edge: _said(form, f"quiet_hours.{edge}") for edge in ("start", "end")}
    for name in LENGTHS:
        raw[name] = _length_of(form, name)
    for name in CADENCE_HAS.intersection(CAPS):
        raw[name] = _number(_said(form, name))
    if "combine_day" in CADENCE_HAS:
        raw["combine_day"] = _said(form, "combine_day") == "on"
    before = {(group.prefix, step.get("name")): step for group in groups(base) for step in group.steps}
    raw["steps"] = _steps(form, "steps", before)
    if "kinds" in CADENCE_HAS:
        names = [name for name in form.get("group", ()) if name.startswith("kinds.")]
        raw["kinds"] = {name.removeprefix("kinds."): _steps(form, name, before) for name in names}
    return raw


def _steps(form: Form, group: str, before: Mapping[tuple[str, Any], Mapping[str, Any]]) -> list[dict[str, Any]]:
    places = {
        int(match["place"])
        for match in map(_STEP.fullmatch, form)
        if match and match["group"] == group and match["field"] == "name"
    }
    steps = []
    for place in sorted(places)[: MOST_STEPS + 1]:
        at = f"{group}[{place}]"
        was = before.get((group, _said(form, f"{at}.was")), {})
        kept = {name: value for name, value in was.items() if name not in _OURS}
        steps.append(kept | _step(form, at))
    return steps


def _step(form: Form, at: str) -> dict[str, Any]:
    def value(name: str) -> str:
        return _said(form, f"{at}.{name}")

    step: dict[str, Any] = {"name": value("name"), "text": value("text")}
    weekday = value("weekday") if "weekday" in HAS else ""
    if weekday:
        step["weekday"] = weekday
    else:
        side = "after" if "after" in HAS and value("side") == "after" else "before"
        step[side] = _length_of(form, f"{at}.before")
    for name in ("at", "text_without_intake", "deliver_by"):
        if value(name):
            step[name] = value(name)
    step["intake"] = list(form.get(f"{at}.intake", ()))
    step["if_past"] = "send" if value("if_past") == "send" else "drop"
    if "when" in HAS:
        ticked = [condition for condition in form.get(f"{at}.when", ()) if condition in CONDITIONS]
        # Whoever has confirmed hears nothing unless the step says so: a switch of its own in the file, a tick here.
        step["unless_confirmed"] = "not_confirmed" in ticked
        step["when"] = [condition for condition in ticked if condition != "not_confirmed"]
        step["when"] += [condition.strip() for condition in value("when_else").split(",") if condition.strip()]
    elif "unless_confirmed" in HAS:
        step["unless_confirmed"] = value("unless_confirmed") == "on"
    if "window" in HAS and (value("window.start") or value("window.end")):
        step["window"] = {"start": value("window.start"), "end": value("window.end")}
    return step


def _length_of(form: Form, name: str) -> str:
    return f"{_said(form, name)} {_said(form, f'{name}.unit') or 'hours'}".strip()


def _said(form: Form, name: str) -> str:
    return (form.get(name) or [""])[0].strip()


def _number(typed: str) -> int | str | None:
    plain = typed.strip()
    return int(plain) if plain.isascii() and plain.isdigit() else plain or None


def change(raw: dict[str, Any], act: str, named: str = "") -> str:
    """Add, remove or move a card, or a kind of visit called `named`; return the field to look at then.

    `act` is "add:steps", "up:steps:1", "down:steps:1", "remove:steps:1", "group" or "ungroup:kinds.NAME"; anything else
    changes nothing.
    """
    verb, _, rest = act.partition(":")
    group, _, digits = rest.partition(":")
    if verb == "group":
        return _add_kind(raw, named.strip())
    if verb == "ungroup":
        (raw.get("kinds") or {}).pop(group.removeprefix("kinds."), None)
    steps = _list_of(raw, group)
    if steps is None:
        return "steps"
    if verb == "add":
        steps.append({"name": _free_name(steps), **NEW})
        return f"{group}[{len(steps) - 1}]"
    return _moved(steps, group, verb, int(digits) if digits.isdigit() else -1)


def _moved(steps: list[dict[str, Any]], group: str, verb: str, place: int) -> str:
    if not 0 <= place < len(steps):
        return group
    if verb == "remove":
        del steps[place]
        return group
    other = place + {"up": -1, "down": 1}.get(verb, 0)
    if not 0 <= other < len(steps):
        other = place
    steps[place], steps[other] = steps[other], steps[place]
    return f"{group}[{other}]"


def _list_of(raw: Mapping[str, Any], group: str) -> list[dict[str, Any]] | None:
    if group == "steps":
        return raw["steps"]  # type: ignore[no-any-return]
    return (raw.get("kinds") or {}).get(group.removeprefix("kinds."))


def _add_kind(raw: dict[str, Any], named: str) -> str:
    if "kinds" not in CADENCE_HAS or not named or set(named) & set("[].:"):
        return "steps"
    raw.setdefault("kinds", {}).setdefault(named[:40], [dict(step) for step in raw["steps"]])
    return f"kinds.{named[:40]}"


def _free_name(steps: Sequence[Mapping[str, Any]]) -> str:
    names = {step.get("name") for step in steps}
    return next(name for number in range(1, 99) if (name := f"step-{len(steps) + number}") not in names)
