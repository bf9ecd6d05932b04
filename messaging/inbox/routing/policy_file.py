"""The escalation policy's file: TOML in, with the line of each mistake, and TOML out, losing nothing. Pure."""

import re
from typing import Any

from messaging.inbox.routing import assign, hours, topics
from messaging.inbox.routing.policy_definition import BadPolicy, EscalationPolicy, read
from messaging.versions import toml_positions
from messaging.versions.toml_values import fields

# Tables that may stand several times, one after the other.
LISTED = ("call", "route")
TOPICS = tuple(f"topic.{topic}" for topic in topics.DEFAULTS)


def parse(text: str) -> EscalationPolicy:
    """Return the policy of a TOML file's text. Raises BadPolicy with every problem and, where it is found, its line."""
    try:
        mapping = toml_positions.read(text)
    except toml_positions.NotToml as broken:
        raise BadPolicy([broken.problem]) from None
    return read(mapping, lambda location: line_of(location, text))


def line_of_field(field: str, text: str) -> int | None:
    """Return the line of a field as problems name it, such as "route[1].band"; None if the file says nothing of it."""
    parts = re.findall(r"[^.\[\]]+", field)
    return line_of(tuple(int(part) if part.isdigit() else part for part in parts), text)


def line_of(location: tuple[Any, ...], text: str) -> int | None:
    """Return the line in which a field, or at least its table, stands; None if the file writes it in another way."""
    lines = text.splitlines()
    inside = 0
    if location[0] == "topic" and len(location) > 1:  # each topic is a table of its own
        location = (f"topic.{location[1]}", *location[2:])
    if location[0] in (*TOPICS, *assign.KINDS, *LISTED, "backup", "on_call"):
        heads = [n for n, line in enumerate(lines, 1) if re.match(rf"\s*\[\[?\s*{location[0]}\s*\]", line)]
        place = location[1] if len(location) > 1 and isinstance(location[1], int) else 0
        if place >= len(heads):
            return None
        inside, location = heads[place], location[2:] if location[0] in LISTED else location[1:]
    for number, line in enumerate(lines[inside:], inside + 1):
        if line.lstrip().startswith("["):
            break
        if location and re.match(rf'\s*"?{re.escape(str(location[0]))}"?\s*=', line):
            return number
    return inside or None


def write(written: EscalationPolicy) -> str:
    """Return the policy as the text of a file that `parse` reads."""
    on_call = {key: hours.say(week) for key, week in written.on_call.items()}
    head = {"hours": hours.say(written.hours), "holidays": written.holidays, "fallback": written.fallback}
    times = {"repeat": written.repeat, "quiet_after": written.quiet_after, "on_it": written.on_it}
    lines = [*fields({**head, **times})]
    lines += ["", "[backup]", *fields(written.backup), "", "[on_call]", *fields(on_call)]
    for turn in written.call:
        lines += ["", "[[call]]", *fields(turn.model_dump())]
    for route in written.route:
        decided = {key: said for key, said in route.model_dump(mode="json").items() if said not in ("", None, [])}
        lines += ["", "[[route]]", *fields(decided)]
    for name in assign.KINDS:
        lines += ["", f"[{name}]", *fields(written.kind(name).model_dump())]
    for topic, terms in written.topic.items():
        lines += ["", f"[topic.{topic}]", *fields(terms.model_dump())]
    return "\n".join(lines) + "\n"
