"""The form of the escalation policy: what stands in its fields, and what was typed, both in the shape of its file."""

import re
from typing import Any

from werkzeug.datastructures import MultiDict

from messaging.inbox.routing import assign, clinic_rules, hours, policy_definition, topics
from messaging.reading.topics import Topic

ROWS = policy_definition.MOST
BEGINNING = policy_definition.EscalationPolicy()
_RUNG = re.compile(r"(?P<kind>[a-z]+)\.(?P<when>open|closed)\[(?P<row>\d)\]\.ask")
_RULE = re.compile(r"route\[(?P<row>\d{1,2})\]\.name")
YES_OR_NO = {"yes": True, "no": False}


def of_policy(written: policy_definition.EscalationPolicy, *, twelve: bool) -> dict[str, Any]:
    """Return a policy as the form holds it: as its file, with hours as people write them."""
    raw = written.model_dump(mode="json")
    raw["hours"] = hours.say(written.hours, twelve=twelve)
    raw["on_call"] = {email: hours.say(week, twelve=twelve) for email, week in written.on_call.items()}
    return raw


def given(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return what was typed; rows left empty are not there."""
    raw: dict[str, Any] = {
        "hours": form.get("hours", ""),
        "holidays": form.get("holidays", "").replace(",", " ").split(),
        "repeat": form.get("repeat", ""),
        # A form that was drawn before there were these fields keeps what every clinic begins with.
        "quiet_after": form.get("quiet_after", BEGINNING.quiet_after),
        "on_it": form.get("on_it", BEGINNING.on_it),
        "fallback": [form[f"fallback[{row}]"] for row in range(ROWS) if form.get(f"fallback[{row}]")],
        "backup": _pairs(form, "backup."),
        "on_call": _pairs(form, "on_call."),
        "call": [
            contact for contact in (_call(form, row) for row in range(ROWS)) if contact["name"] or contact["phone"]
        ],
        "route": _rules(form),
    }
    for kind in assign.KINDS:
        raw[kind] = {
            "answer": form.get(f"{kind}.answer", ""),
            "clock": form.get(f"{kind}.clock") or "always",
            "before_leaving": form.get(f"{kind}.before_leaving") == "on",
            "open": [],
            "closed": [],
        }
    raw["topic"] = {topic: _topic(form, topic) for topic in topics.DEFAULTS}
    for name in sorted(form):
        match = _RUNG.fullmatch(name)
        if match and form[name] and match["kind"] in clinic_rules.TEXTED:
            wait = form.get(name.removesuffix("ask") + "wait") or "10"
            raw[match["kind"]][match["when"]].append({"ask": form[name], "wait": wait})
    return raw


def _topic(form: MultiDict[str, str], topic: Topic) -> dict[str, Any]:
    start, terms = f"topic.{topic}.", topics.DEFAULTS[topic]
    to = form.get(f"{start}to") or (topics.CARE_TEAM if f"{start}answer" in form else terms.to)
    return {"answer": form.get(f"{start}answer", terms.answer), "to": to}


def _pairs(form: MultiDict[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): form[name].strip() for name in form if name.startswith(prefix) and form[name].strip()
    }


def _call(form: MultiDict[str, str], row: int) -> dict[str, str]:
    return {key: form.get(f"call[{row}].{key}", "").strip() for key in ("name", "phone", "when")}


def _rules(form: MultiDict[str, str]) -> list[dict[str, Any]]:
    """The rules in the order that was typed; those to be taken out, and a row nobody has filled in, are not there."""
    rows = sorted(int(match["row"]) for match in map(_RULE.fullmatch, form) if match)
    placed = []
    for row in rows:
        rule, start = _rule(form, row), f"route[{row}]."
        if form.get(f"{start}remove") == "on" or not (rule["name"] or rule["to"]):
            continue
        typed = form.get(f"{start}order", "").strip()
        # Whoever is put at the place of another goes before it.
        placed.append((float(typed) - 0.5 if typed.isdecimal() and int(typed) != row + 1 else row + 1, row, rule))
    return [rule for _place, _row, rule in sorted(placed, key=lambda placement: placement[:2])]


def _rule(form: MultiDict[str, str], row: int) -> dict[str, Any]:
    start = f"route[{row}]."
    to, _, role = form.get(f"{start}to", "").partition(":")
    instrument, _, band = form.get(f"{start}screen", "").partition(":")
    return {
        "name": form.get(f"{start}name", "").strip(),
        "to": to,
        "role": role,
        "kinds": form.getlist(f"{start}kinds"),
        "languages": form.getlist(f"{start}languages"),
        "panels": _listed(form.get(f"{start}panels", "")),
        "places": _listed(form.get(f"{start}places", "")),
        "instrument": instrument,
        "band": band,
        "existing": YES_OR_NO.get(form.get(f"{start}existing", "")),
        "below": form.get(f"{start}below", "").strip() or None,
        "people": form.getlist(f"{start}people") if to == "people" else [],
    }


def _listed(typed: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;\n]", typed) if part.strip()]
