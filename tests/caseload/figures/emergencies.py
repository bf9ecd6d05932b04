"""The part of a made-up half-year in which hospitals tell of emergency visits, and what they come to once more."""

from datetime import date
from typing import Any

from caseload.models import Episode
from config import db
from reminders.models import EmergencyCover, EmergencyVisit

# Two hospitals: one is connected from the beginning, one begins to tell later; not everybody is known to one.
SOURCES = ("ehr.general", "ehr.mercy")


def covers(past: Any) -> None:
    """Which hospital knows whom, and since when."""
    for place, patient in enumerate(past.patients):
        for source in SOURCES[: place % 3]:
            past.add(
                EmergencyCover(
                    clinic_id=past.clinic.id, patient_id=patient.id, source=source,
                    since=past.moment() if past.chance.random() < 0.5 else past.begins,
                )
            )  # fmt: skip


def visit(past: Any, number: int) -> None:
    """Somebody was in an emergency department; now and then two feeds say so, or it is taken back."""
    chance, patient = past.chance, past.patient()
    at = past.moment()
    for source in SOURCES if chance.random() < 0.2 else SOURCES[number % 2 :][:1]:
        told = past.begins if number == 0 else past.later(at, 2)
        past.add(
            EmergencyVisit(
                id=past.id(told), clinic_id=past.clinic.id, patient_id=patient.id, source=source, at=at, said_at=told,
                external_id=f"{source}{number}", state=chance.choice(["kept", "kept", "kept", "cancelled"]),
            )
        )  # fmt: skip


def recounted(past: Any, days: list[date], local: Any, zone_begins: Any) -> dict[str, tuple[int, int]]:
    """Visits and patient-days by group: all in care, their first 90 days, the 90 days before, and (days, all days)."""
    first = {
        source: min(row.id for row in past.of(EmergencyVisit) if row.source == source)
        for source in {row.source for row in past.of(EmergencyVisit)}
    }
    sums = dict.fromkeys(("all", "early", "ahead"), (0, 0))
    unconnected = 0
    for day in days:
        opens = zone_begins(day)
        live = [source for source, row_id in first.items() if row_id < db.first_id(opens)]
        there = {row.patient_id for row in past.of(EmergencyVisit) if row.state == "kept" and local(row.at) == day}
        for patient in past.patients:
            open_now = [row for row in past.of(Episode) if row.patient_id == patient.id
                        and row.enrolled_on <= day <= (row.ended_on or day)]  # fmt: skip
            soon = not open_now and any(row.patient_id == patient.id and 0 < (row.enrolled_on - day).days <= 90
                                        and (row.ended_on or day) >= day for row in past.of(Episode))  # fmt: skip
            known = any(row.patient_id == patient.id and row.source in live and row.since < opens
                        for row in past.of(EmergencyCover))  # fmt: skip
            early = any((day - row.enrolled_on).days < 90 for row in open_now)
            if not known:
                unconnected += bool(open_now)
                continue
            for name, counts in (("all", bool(open_now)), ("early", early), ("ahead", soon)):
                visits, patient_days = sums[name]
                sums[name] = visits + (counts and patient.id in there), patient_days + counts
    return {**sums, "connected": (sums["all"][1], sums["all"][1] + unconnected)}
