"""What a patient's history says of questionnaires that are due, and the clinic's schedule as one of its decisions."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from intake_links import links, scoring
from intake_links.models import Screen
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.reasons import Reason
from messaging.versions import publishing
from messaging.versions.field_labels import Names
from reminders import schedules
from reminders.rules import zones

# What a positive answer leaves for a human, and while it is not settled, the patient counts as in treatment.
POSITIVE = ("safety", "screen")
# How a patient's phase of care is found, by the room that has episodes: (one of schedules.PHASES, since which day).
Phase = tuple[str, date]
PHASE_OF: list[Callable[[Session, Clinic, Patient], Phase | None]] = []


def of_clinic(session: Session, clinic: Clinic) -> schedules.Schedule:
    """Return the schedule the clinic has published, else the default one."""
    published = publishing.live(session, clinic.id, "schedule")
    return schedules.from_mapping(published.definition) if published else schedules.default()


def wanted(
    session: Session, clinic: Clinic, patient: Patient, intake: Sequence[str], now: datetime
) -> tuple[list[str], list[Reason]]:
    """Return what of a step's `intake` is to be asked of this patient now, and notes on what is not.

    intake = ["schedule"] asks what is due. Instruments that a step names itself are asked at each visit, unless the
    clinic has published a schedule: then what it governs is asked when it is due.
    """
    by_schedule = schedules.BY_SCHEDULE in intake
    if not by_schedule and publishing.live(session, clinic.id, "schedule") is None:
        return list(intake), []
    unknown = [name for name in intake if name != schedules.BY_SCHEDULE and name not in scoring.instruments()]
    if unknown:
        return list(intake), []  # whoever issues the link says so
    schedule, patient_facts = of_clinic(session, clinic), facts(session, clinic, patient, now)
    verdicts = schedules.due(schedule, patient_facts) if by_schedule else []
    named = [name for name in intake if name != schedules.BY_SCHEDULE]
    seen = {verdict.instrument for verdict in verdicts}
    verdicts += [
        verdict for verdict in schedules.filtered(schedule, named, patient_facts) if verdict.instrument not in seen
    ]
    due = [verdict.instrument for verdict in verdicts if verdict.due]
    return due, [note(verdict) for verdict in verdicts if not verdict.due]


def by_phase(session: Session, clinic: Clinic) -> schedules.Schedule | None:
    """Return the published schedule where it asks somebody by the phase of their care, else None: nobody is texted
    between visits unless the clinic has decided it."""
    if publishing.live(session, clinic.id, "schedule") is None:
        return None
    schedule = of_clinic(session, clinic)
    return schedule if any(ask.who in schedules.PHASES for ask in schedule.asks) else None


def note(verdict: schedules.Verdict) -> Reason:
    """Return what the reminder's own history says of a questionnaire that was not asked; it names no answer."""
    facts = {"instrument": verdict.instrument, "verdict": verdict.why}
    return Reason("not_due_by", facts | {"ask": verdict.ask}) if verdict.ask else Reason("not_due", facts)


def facts(session: Session, clinic: Clinic, patient: Patient, now: datetime) -> schedules.Facts:
    """Return what the schedule asks about a patient: five questions, each answered by an index."""
    place = zones.zone(patient.zone or clinic.zone)
    since = now - timedelta(days=schedules.LONGEST + 1)
    taken = select(Screen.instrument, Screen.submitted_at).where(
        Screen.patient_id == patient.id, Screen.submitted_at.is_not(None), Screen.submitted_at > since
    )
    phase = next((found for find in PHASE_OF if (found := find(session, clinic, patient))), None)
    return schedules.Facts(
        today=zones.to_local(now, place).date(),
        language=patient.language,
        in_treatment=_in_treatment(session, clinic, patient),
        open_link=links.open_link_of(session, patient.id) is not None,
        taken=tuple(
            schedules.Taken(instrument, zones.to_local(at, place).date())
            for instrument, at in session.execute(taken)
            if at is not None
        ),
        phase=phase[0] if phase else None,
        phase_on=phase[1] if phase else None,
    )


def _in_treatment(session: Session, clinic: Clinic, patient: Patient) -> bool:
    """Whether something positive of theirs is not settled, or the patient stands in a care manager's own panel."""
    waits = select(InboxItem.id).where(
        InboxItem.patient_id == patient.id, InboxItem.kind.in_(POSITIVE), InboxItem.state != "done"
    )
    if session.scalar(waits.limit(1)) is not None:
        return True
    managers = select(Staff.id).where(
        Staff.clinic_id == clinic.id,
        Staff.active,
        Staff.role == "care_manager",
        or_(Staff.name == patient.panel, Staff.email == patient.panel),
    )
    return patient.panel is not None and session.scalar(managers.limit(1)) is not None


def _read(definition: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return schedules.from_mapping(definition).model_dump(mode="json", exclude_none=True)
    except schedules.BadSchedule as wrong:
        raise publishing.Refused(wrong.problems) from None


def _present(session: Session, clinic: Clinic) -> dict[str, Any]:
    return of_clinic(session, clinic).model_dump(mode="json", exclude_none=True)


def silences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return in words which questionnaires would not be asked any more: one that is not asked cannot alert."""

    def asked(definition: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {(name, ask["who"]) for ask in definition["asks"] for name in ask["instruments"]}

    def covers(pair: tuple[str, str], asks: set[tuple[str, str]]) -> bool:
        name, who = pair
        names = {name, scoring.instrument(name).grows_into}
        return any(instrument in names and to in (who, "everyone") for instrument, to in asks)

    return [
        f"{scoring.instrument(name).title} would no longer be asked of: {who.replace('_', ' ')}"
        for name, who in sorted(asked(old))
        if not covers((name, who), asked(new))
    ]


def _names(_session: Session, _clinic: Clinic, names: Names) -> Names:
    titles = {name: instrument.title for name, instrument in scoring.instruments().items()}
    return names.also(values={"asks[].instruments": titles})


SCHEDULE = publishing.Kind(
    "schedule",
    read=_read,
    present=_present,
    silences=silences,
    model=schedules.Schedule,
    names=_names,
    texts_patients=lambda old, new: old != new,
    shipped=lambda: schedules.default().model_dump(mode="json", exclude_none=True),
)
