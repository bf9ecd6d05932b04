"""What a clinic says of itself: its name, phones and sites, its languages, its nights; one of the things it decides."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from config import clock
from messaging import phone
from messaging.inbox.routing import lost_coverage, policy_checks
from messaging.inbox.staff import roster
from messaging.models import Clinic
from messaging.retention import daily_sweep
from messaging.retention import rules as keeping
from messaging.versions import publishing
from messaging.wording import clinic_names
from reminders import clinic_definition
from reminders.cadence import cadence_definition

# Of which roles a second factor is asked: of none where the clinic is older than the question (decision 15).
FACTOR = "second_factor"
# What is kept among the clinic's rules; the rest has columns of its own.
KEPT = {
    "text_name", "languages", "quiet_hours", "keep_years", "countries", "clock", "dates", "sites", "most_missing",
    "acknowledges", FACTOR,
}  # fmt: skip


def about(clinic: Clinic) -> clinic_definition.About:
    """Return what holds of a clinic now."""
    rules = clinic.rules
    # What was written before there were these rules is shown as it is, and judged when it is changed.
    return clinic_definition.About.model_construct(
        name=clinic.name,
        text_name=rules.get(clinic_names.RULE, ""),
        zone=clinic.zone,
        phone=clinic.phone,
        messaging_service_sid=clinic.messaging_service_sid,
        languages=tuple(rules.get("languages", clinic_definition.LANGUAGES)),
        quiet_hours=cadence_definition.QuietHours.model_validate(rules.get("quiet_hours", {})),
        keep_years=daily_sweep.years_of(clinic),
        countries=abroad(clinic),
        clock=rules.get("clock", "12"),
        dates=rules.get("dates", "month_day"),
        acknowledges=bool(rules.get("acknowledges", False)),
        second_factor=tuple(rules.get(FACTOR, ())),
        sites=tuple(clinic_definition.Site.model_construct(**site) for site in rules.get("sites", ())),
        most_missing=int(rules.get("most_missing", clinic_definition.MOST_MISSING)),
    )


def abroad(clinic: Clinic) -> tuple[str, ...]:
    """Return the countries beyond ours (ISO codes) whose mobiles the clinic texts."""
    return tuple(clinic.rules.get("countries", ()))


def zone_of(clinic: Clinic, place: str | None) -> str:
    """Return the zone of a visit at `place`: of the site that has this name, else the clinic's."""
    site = _site(clinic, place)
    return str(site["zone"]) if site else clinic.zone


def spoken_place(clinic: Clinic, place: str) -> str:
    """Return a visit's place as a text says it: with its address where the clinic has given one."""
    site = _site(clinic, place)
    return f"{place}, {site['address']}" if site and site.get("address") else place


def _site(clinic: Clinic, place: str | None) -> Mapping[str, Any] | None:
    wanted = (place or "").strip().casefold()
    sites: Sequence[Mapping[str, Any]] = clinic.rules.get("sites", ())
    return next((site for site in sites if wanted and site["name"].casefold() == wanted), None)


def narrowed(cadence: cadence_definition.Cadence, clinic: Clinic) -> cadence_definition.Cadence:
    """Return the cadence as it may be followed at a clinic: nothing leaves in the quiet hours of either.

    Where nothing would be left of the day, the clinic's hours hold.
    """
    quiet_hours = clinic.rules.get("quiet_hours")
    if quiet_hours is None:
        return cadence
    whole = cadence_definition.QuietHours.model_validate(quiet_hours)
    both = cadence_definition.within(cadence, [f"{whole.end:%H:%M}", f"{whole.start:%H:%M}"])
    return both or cadence_definition.keeping(cadence, whole)


def _present(_session: Session, clinic: Clinic) -> dict[str, Any]:
    return about(clinic).model_dump(mode="json")


def _check(session: Session, clinic: Clinic, definition: Mapping[str, Any]) -> list[publishing.Problem]:
    """A name that no text may say needs another for texts; and everyone's hours hang on the clinic's clock."""
    objection = "" if definition.get(clinic_names.RULE) else clinic_names.objection(definition["name"])
    why = f"the clinic's name would stand in every text, and {objection}: give a name for texts"
    unsayable = [publishing.Problem(clinic_names.RULE, why)] if objection else []
    return unsayable + _unreachable(session, clinic, definition)


def _unreachable(session: Session, clinic: Clinic, definition: Mapping[str, Any]) -> list[publishing.Problem]:
    """On another clock the hours may leave an absence without anybody."""
    before = roster.watch(session, clinic)
    opening = replace(before.rules.hours, zone=definition["zone"])
    after = replace(before, zone=definition["zone"], rules=replace(before.rules, hours=opening))
    made = lost_coverage.lost(before, after, clock.now())
    if not made:
        return []
    absences = policy_checks.listed(made, definition["zone"])
    return [publishing.Problem("zone", f"{absences}: nobody could be reached about a patient in danger")]


def silences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return in words what in a change could keep an alert from somebody, lose what was said or let somebody else in:
    every text leaves by the sender, the hours in which people work hang on the clinic's clock, and what is emptied does
    not come back."""
    losses = []
    if old.get("messaging_service_sid") != new.get("messaging_service_sid"):
        losses.append("every text, alerts to staff too, would leave by another sender")
    if old.get("zone") != new.get("zone"):
        losses.append("everyone's hours on duty and on call would be read on another clock")
    years = new.get(daily_sweep.YEARS, 0)
    if keeping.shortens(old.get(daily_sweep.YEARS, 0), years):
        losses.append(f"texts older than {years} years would be emptied for good")
    if set(old.get(FACTOR, ())) - set(new.get(FACTOR, ())):
        losses.append("roles that need a second step to sign in would come in by a password alone")
    return losses


def _texts_patients(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether what stands in every text, or when it may leave, would change."""
    return any(old.get(field) != new.get(field) for field in ("name", "text_name", "phone", "languages", "quiet_hours"))


def _take_effect(session: Session, clinic: Clinic, definition: Mapping[str, Any], _actor: str) -> None:
    profile = clinic_definition.About.model_validate(clinic_definition.without_age(definition))
    clinic.name, clinic.zone, clinic.phone = profile.name, profile.zone, profile.phone
    clinic.messaging_service_sid = profile.messaging_service_sid
    rules = dict(clinic.rules)
    if "hours" in rules:
        rules["hours"] = {**rules["hours"], "zone": profile.zone}
    kept = profile.model_dump(mode="json", include=KEPT)
    was = daily_sweep.years_of(clinic)
    clinic.rules = {**clinic_definition.without_age(rules), **kept}
    daily_sweep.decide(session, clinic, was)


CLINIC = publishing.Kind(
    "clinic",
    read=clinic_definition.read,
    present=_present,
    check=_check,
    silences=silences,
    take_effect=_take_effect,
    model=clinic_definition.About,
    names=lambda _session, _clinic, names: names.also(forms={"phone": phone.display}),
    texts_patients=_texts_patients,
)
