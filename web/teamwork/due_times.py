"""Until when a task is to be done: a moment by name, by its template, or a date and time that was typed."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from config import clock
from messaging.inbox import snooze_times
from messaging.models import Clinic
from messaging.team.models import TaskTemplate
from web import sessions, times, words

FIELDS = ("title", "words", "owner", "watcher", "due", "due_at")


def offered(clinic: Clinic, template: TaskTemplate | None) -> list[tuple[str, str]]:
    """Return the moments that a form offers, each with its words."""
    now = clock.now()
    moments = snooze_times.presets(now, clinic.zone)
    if template is not None:
        moments = {"template": now + timedelta(hours=template.hours)} | moments
    return [(name, _said(name, at, now, clinic.zone)) for name, at in moments.items()]


def _said(name: str, at: datetime, now: datetime, zone: str) -> str:
    if name == "template":
        return f"{words.say('team', 'by_template')}, {times.moment(at, now, zone, running=True)}"
    return times.named(words.say("later", name), at, now, zone)


def read(form: Mapping[str, str], template: TaskTemplate | None) -> datetime | None:
    """Return the moment that a form names; what was typed as a date counts where it is filled in."""
    zone, now = sessions.clinic().zone, clock.now()
    typed, wanted = form.get("due_at", "").strip(), form.get("due", "")
    if typed:
        return snooze_times.typed(typed, zone)
    if wanted == "template" and template is not None:
        return now + timedelta(hours=template.hours)
    return snooze_times.presets(now, zone).get(wanted)
