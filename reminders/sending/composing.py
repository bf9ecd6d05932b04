"""Writes the text of one due reminder: the words, a link if one is due, and codes where several visits wait."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import logging
from intake_links import links, scoring
from intake_links.models import IntakeLink
from messaging import models as messaging
from messaging import outbox
from messaging.people import directory
from messaging.reasons import Reason
from messaging.wording import clinic_words, text_templates
from reminders import appointments, phrasing, questionnaires, same_moment
from reminders.cadence import cadence_definition
from reminders.models import Appointment, Reminder
from reminders.rules import zones

# These texts ask for an answer, and so need a number beside each visit when several wait for one.
ASKING = ("reminder_far", "reminder_day")
APART = dict.fromkeys(ASKING, "reminder_codes") | {"reminder_link": "reminder_link_codes"}
ALONE = {"reminder_link": "reminder_link_only"}


@dataclass(frozen=True)
class Case:
    """A due reminder with everything that was read again for it; `step` is None if the cadence has lost it.

    `cadence` is the clinic's within the patient's own hours; `silent` where these leave no time at all.
    """

    reminder: Reminder
    visit: Appointment
    patient: messaging.Patient
    clinic: messaging.Clinic
    cadence: cadence_definition.Cadence
    step: cadence_definition.Step | None
    silent: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """Where the patient's clock hangs."""
        return zones.zone(self.patient.zone or self.visit.zone)

    @property
    def due_at(self) -> datetime:
        """When it was planned for; a planned reminder always has its moment."""
        return self.reminder.due_at or self.reminder.try_after

    @property
    def deliver_by(self) -> datetime | None:
        """After this moment the text is of no use."""
        length = self.step.deliver_by if self.step else None
        return self.due_at + length if length else None


@dataclass(frozen=True)
class Composed:
    """The words of a text, what its reminder must remember of it, and the link it carries, if one.

    `codes` are the ids of the visits by the number that the text gives each, so that "Y1" means what it said.
    `until` is when a day that the text names becomes another, None where it names none.
    """

    body: str
    notes: list[Reason] = field(default_factory=list)
    codes: dict[str, str] | None = None
    link: IntakeLink | None = None
    until: datetime | None = None


def compose(session: Session, case: Case, crowded: bool, now: datetime, others: Sequence[Case] = ()) -> Composed:
    """The text of the reminder; `others` are the day's visits it speaks of too."""
    assert case.step is not None
    openness, own = directory.openness(session, case.patient), clinic_words.of(session, case.clinic.id)
    variables = _said(case, others, now)
    notes: list[Reason] = []
    codes: dict[str, str] | None = None
    key, issued = case.step.text, None
    if case.step.intake:
        issued, notes = _issue_link(session, case, now)
        key = key if issued else case.step.text_without_intake or "reminder_day"
    elif "link" in text_templates.names(own.text(phrasing.chosen_for(key, openness, place=case.visit.place), "en")):
        issued = _own_page(session, case, now)
        key = key if issued else "reminder_day"
    if issued:
        variables["link"] = issued[1]
    if crowded and case.patient.privacy != "generic":
        visits = _awaiting(session, [case, *others], now)
        # Of a single visit a link may go out alone, as a bare Y would not say which visit is meant.
        key = APART.get(key, key) if len(visits) > 1 and (others or key in ASKING) else ALONE.get(key, key)
        if key in APART.values():
            variables["codes"] = ", ".join(_coded(case, visit, code, now) for code, visit in enumerate(visits, 1))
            codes = {str(code): str(visit.id) for code, visit in enumerate(visits, 1)}
            del variables["day"]  # each of them has its own
    body = phrasing.say(own, key, case.patient, variables, openness=openness)
    ends = min(phrasing.day_ends(each.patient, each.visit, now) for each in (case, *others))
    until = phrasing.said_until(own, key, case.patient, variables, ends, openness=openness)
    return Composed(body, notes, codes, issued[0] if issued else None, until)


def _said(case: Case, others: Sequence[Case], now: datetime) -> dict[str, str]:
    """What the text may say: of several visits of a day every hour and every place, once each and in their order."""
    in_order = sorted((case, *others), key=lambda included: (included.visit.starts_at, included.visit.id))
    each = [phrasing.words(included.clinic, included.patient, included.visit, now) for included in in_order]
    listed = {
        name: ", ".join(dict.fromkeys(words[name] for words in each if name in words))
        for name in ("time", "place")
        if any(name in words for words in each)
    }
    # Where the visits' clocks do not agree on the word for the day, none is right for all of them.
    day = "day" if len({words["day"] for words in each}) == 1 else "date"
    return each[0] | listed | {"day": each[0][day]}


def _awaiting(session: Session, cases: Sequence[Case], now: datetime) -> list[Appointment]:
    waiting = appointments.awaiting_answer(session, cases[0].patient.id, now)
    waiting += [case.visit for case in cases if case.visit.state == "booked" and case.visit not in waiting]
    return same_moment.one_each(sorted(waiting, key=lambda visit: (visit.starts_at, visit.id)))


def _coded(case: Case, visit: Appointment, code: int, now: datetime) -> str:
    variables = phrasing.words(case.clinic, case.patient, visit, now)
    return f"{code}) {variables['date']} {variables['time']}"


def _issue_link(session: Session, case: Case, now: datetime) -> tuple[tuple[IntakeLink, str] | None, list[Reason]]:
    """A link to what is due of the step's questionnaires, unless one is open, or the patient has not agreed or could
    not open it; and notes on what was not asked."""
    if case.step is None or case.patient.birth_date is None:  # without it nobody could open one
        return None, []
    if links.open_link_of(session, case.patient.id) is not None:
        return None, []
    if outbox.refusal(session, case.patient, "screening"):
        return None, []
    wanted, notes = questionnaires.wanted(session, case.clinic, case.patient, case.step.intake, now)
    if not wanted:
        return None, notes
    try:
        issued = links.issue(session, case.clinic, case.patient, wanted, appointment_id=case.visit.id)
    except scoring.UnknownInstrument:
        # A cadence that names a questionnaire we do not have must not cost the patient the reminder.
        logging.logger().error("unknown instrument in cadence", clinic_id=case.clinic.id)
        return None, []
    return issued, notes


def _own_page(session: Session, case: Case, now: datetime) -> tuple[IntakeLink, str] | None:
    """A link to the patient's own page, open while the visit can still be spoken of;
    none where nobody could open it."""
    if case.patient.birth_date is None:
        return None
    valid = case.visit.starts_at + appointments.STILL_TODAY - now
    return links.issue(session, case.clinic, case.patient, [], appointment_id=case.visit.id, valid=valid)


def gave_codes(session: Session, patient_id: UUID) -> bool:
    """Whether any text to this patient of late had codes."""
    return bool(_codes(session, patient_id))


def coded(session: Session, patient_id: UUID, code: int) -> Appointment | None:
    """Return the visit for which `code` stood in the last text to this patient that had codes."""
    meant = _codes(session, patient_id).get(str(code))
    return session.get(Appointment, UUID(meant)) if meant else None


def _codes(session: Session, patient_id: UUID) -> dict[str, str]:
    """The visits' ids by code, as in the last text that had codes."""
    sent = (
        select(Reminder.codes)
        .join(Appointment, Appointment.id == Reminder.appointment_id)
        .where(Appointment.patient_id == patient_id, Reminder.state.in_(("queued", "done")))
        .order_by(Reminder.due_at.desc())
        .limit(20)
    )
    return next(filter(None, session.scalars(sent)), {})
