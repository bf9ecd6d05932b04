"""The page on which a clinic says who it is: name, phones, sites, languages, nights.

A change goes through its draft.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from config import clock
from messaging import phone
from messaging.models import Clinic
from messaging.retention import daily_sweep, rules
from messaging.wording import clinic_names, clinic_words, text_templates
from reminders.clinic_definition import MOST_MISSING, MOST_SITES
from reminders.clinic_profile import CLINIC
from web import layout, permissions, times, words
from web.settings import decision_form, decision_pages, zone_list

clinics = layout.room("clinics", __name__)
decision_pages.EDITORS["clinic"] = "clinics.show"
# Two empty rows wait below the sites that there are.
SPARE = 2
# Both leave as one text when a patient's reads as a crisis.
CRISIS = ("crisis", "crisis_line")
# The row of the form in which a field stands, where it is not that of its own name.
ROWS = {
    **dict.fromkeys(("name", "text_name", "phone"), "read"),
    **dict.fromkeys(("messaging_service_sid", "countries"), "sender"),
    **dict.fromkeys(("zone", "languages", "clock", "dates"), "clock"),
    "quiet_hours": "quiet",
    "keep_years": "keep",
    "most_missing": "files",
    "acknowledges": "received",
    "second_factor": "entering",
}


@dataclass(frozen=True)
class Read:
    """A language that patients read: the reminder of the day before, and the answer to a crisis."""

    language: str
    spoken: str
    reminder: str
    crisis: str


@clinics.get("/settings/clinic")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show what the clinic says of itself, and the draft of a change."""
    return decision_form.show(CLINIC, _page)


@clinics.post("/settings/clinic")
@permissions.signed_in("clinic.settings", fresh=True)
def save() -> Response | tuple[str, int]:
    """Keep what was typed as a draft; nothing is in force by that."""
    return decision_form.save(CLINIC, _page, given(request.form))


def given(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return what was typed in the shape of the definition; rows of sites left empty are not there."""
    rows = [_site(form, row) for row in range(MOST_SITES)]
    return {
        "name": form.get("name", ""),
        "text_name": form.get("text_name", ""),
        "zone": form.get("zone", ""),
        "phone": form.get("phone", ""),
        "messaging_service_sid": form.get("messaging_service_sid", ""),
        "languages": [language for language in text_templates.LANGUAGES if language in form.getlist("languages")],
        "quiet_hours": {
            "start": form.get("quiet_hours.start", ""),
            "end": form.get("quiet_hours.end", ""),
        },
        "clock": form.get("clock", "12"),
        "dates": form.get("dates", "month_day"),
        "countries": re.findall(r"[^\s,;]+", form.get("countries", "")),
        "acknowledges": form.get("acknowledges") == "on",
        "second_factor": [role for role in permissions.MAY if role in form.getlist("second_factor")],
        "keep_years": form.get("keep_years", "").strip() or "0",
        "most_missing": form.get("most_missing", "").strip() or str(MOST_MISSING),
        "sites": [site for site in rows if site["name"] or site["address"] or site["state"]],
    }


def _site(form: Mapping[str, str], row: int) -> dict[str, str]:
    typed = {key: form.get(f"sites[{row}].{key}", "").strip() for key in ("name", "address", "zone", "state")}
    return typed | {"zone": typed["zone"] or form.get("zone", "")}


def _page(session: Session, clinic: Clinic, sheet: decision_form.Sheet) -> str:
    problems = dict(sheet.problems)
    if "quiet_hours" in problems:
        problems.setdefault("quiet_hours.start", problems.pop("quiet_hours"))
    fields = [re.split(r"[.\[]", field)[0] for field in problems]
    wrong_rows = [ROWS.get(field, field) for field in fields]
    return layout.page(
        session,
        "staff/clinic.html",
        here="clinic",
        sheet=sheet,
        raw=sheet.raw,
        problems=problems,
        desk=decision_pages.desk(session, clinic, CLINIC),
        rows=range(min(len(sheet.raw["sites"]) + SPARE, MOST_SITES)),
        wrong_rows=wrong_rows,
        opened=wrong_rows[0] if wrong_rows else request.args.get("open"),
        zones=zone_list.every(),
        number=phone.display(clinic.number),
        shown_phone=phone.display(str(sheet.raw["phone"])),
        kept=_kept(session, clinic, sheet.raw),
        read=_as_read(session, clinic, sheet.raw),
        languages=[(language, words.say("languages", language)) for language in text_templates.LANGUAGES],
        roles=[(role, words.say("roles", role)) for role in permissions.MAY],
        edits=layout.may("clinic.settings"),
    )


def _as_read(session: Session, clinic: Clinic, raw: Mapping[str, Any]) -> list[Read]:
    """What is typed as a made-up patient reads it in the clinic's own words, in each language that is offered."""
    own = clinic_words.of(session, clinic.id)
    offered = [
        language for language in text_templates.LANGUAGES if language in raw["languages"]
    ] or text_templates.LANGUAGES[:1]
    readings = []
    for language in offered:
        name = clinic_names.choose(str(raw.get("text_name", "")), str(raw["name"]), language) or "…"
        typed = {"clinic": name, "clinic_phone": phone.display(str(raw["phone"])) or "…"}
        values = clinic_words.sample(clinic, language) | typed
        crisis = [own.say(key, language, values) for key in CRISIS]
        day = own.say("reminder_day", language, values)
        readings.append(Read(language, words.say("languages", language), day, " ".join(filter(None, crisis))))
    return readings


def _kept(session: Session, clinic: Clinic, raw: Mapping[str, Any]) -> list[str]:
    """How long words are kept now, and how many texts what is typed would empty, if any."""
    now, sentences = clock.now(), []
    years, row = daily_sweep.years_of(clinic), daily_sweep.of_clinic(session, clinic.id)
    if row is not None:
        when = times.moment(max(row.try_after, now), now, clinic.zone, running=True)
        count = f"{daily_sweep.how_many(session, clinic.id, years):,}"
        key = "goes_on" if row.pointers else "begins"
        sentences.append(words.say("keeping", key, years=years, when=when, count=count))
        if row.last_error:
            sentences.append(words.say("keeping", "error"))
    typed = str(raw.get(daily_sweep.YEARS, 0))
    wanted = int(typed) if typed.isascii() and typed.isdigit() else 0
    if rules.may_keep(wanted) and rules.shortens(years, wanted):
        number = daily_sweep.how_many(session, clinic.id, wanted)
        when = times.moment(now + rules.REVERSIBLE, now, clinic.zone, running=True)
        key = "would_empty_none" if number == 0 else "would_empty_one" if number == 1 else "would_empty"
        sentences.append(words.say("keeping", key, years=wanted, count=f"{number:,}", when=when))
    return sentences
