"""What is said in a warm handoff: to the patient, to whoever is asked, to whoever asked, and in the inbox."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.orm import Session

from config import audit, clock, keys, runtime
from messaging import models as messaging
from messaging import outbox
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import nudging
from messaging.wording import clinic_words, text_templates
from reminders import phrasing, talking
from reminders.models import Handoff

# Somebody stands in the building: whoever is talking with them decides this soon, or the text goes.
TOLD_WITHIN = timedelta(minutes=2)


def reasons() -> Mapping[str, str]:
    """Return why somebody may be asked to come, by key, in words for colleagues."""
    table: Mapping[str, str] = phrasing.texts("en")["handoff_reasons"]
    return table


def summary(key: str, handoff: Handoff) -> str:
    """Return the line of the inbox: what it is, where they wait, why, how soon."""
    words, place = phrasing.texts("en")["staff"], opened(handoff, "place")
    said = str(words[f"{key}_at"].format(place=place) if place else words[key])
    reason = reasons().get(opened(handoff, "reason") or "")
    said = f"{said}. {reason}" if reason else said
    return str(words["handoff_urgent"].format(said=said)) if handoff.urgent else said


def opened(handoff: Handoff, name: str) -> str | None:
    """Return "place" or "reason" of a handoff, None where it cannot be read: somebody waits all the same."""
    try:
        value: str | None = getattr(handoff, name)
    except keys.WrongKey:
        return None
    return value


def tell_patient(session: Session, handoff: Handoff, item: InboxItem) -> bool:
    """Tell the patient that somebody comes, or say in the inbox why they could not be; whether they were."""
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    patient = session.get_one(messaging.Patient, handoff.patient_id)
    variables = phrasing.about_clinic(clinic, patient) | phrasing.place_of(clinic, handoff.place)
    key = "handoff_ready" if "place" in variables else "handoff_soon"
    talks = talking.of_patient(session, clinic, patient, clock.now())
    try:
        message = outbox.text_patient(
            session,
            clinic,
            patient,
            kind="handoff",
            programme="care_team",
            body=phrasing.say(clinic_words.of(session, clinic.id), key, patient, variables),
            dedupe=f"handoff:{handoff.id}",
            lane="urgent",
            offered_until=talks.offered_until(patient, None, TOLD_WITHIN),
        )
    except outbox.MayNotText as refused:
        words = phrasing.texts("en")["staff"]["handoff_in_person"]
        item.summary = words.format(why=items.why_not(refused.reason))
        return False
    handoff.state, handoff.told_at, handoff.message_id = "told", clock.now(), message.id
    return True


def tell_requester(session: Session, handoff: Handoff, item: InboxItem, actor: str) -> None:
    """Tell whoever asked how it ended, unless they have said so themselves."""
    asker = colleague(session, handoff.requested_by)
    if asker is None or actor == handoff.requested_by:
        return
    clinic, template = session.get_one(messaging.Clinic, handoff.clinic_id), _words(f"handoff_{handoff.state}")
    reason = f"alert:{item.id}:ended:{asker.id}"
    nudging.of_item(session, clinic, asker, item, "answered", dedupe=reason, template=template)


def tell_asked(session: Session, handoff: Handoff, item: InboxItem) -> None:
    """Tell whoever was asked or is coming that nobody need come any more."""
    asked = session.get(messaging.Staff, handoff.offered_to) if handoff.offered_to else None
    if asked is None:
        return
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    body = text_templates.render(_words("handoff_cancelled"), {"link": _link(item)})
    outbox.text_staff(session, clinic, asked, body=body, dedupe=f"alert:{item.id}:ended:{asked.id}")


def colleague(session: Session, actor: str) -> messaging.Staff | None:
    """Return the colleague that an actor is, None for a machine or the operator."""
    staff_id = audit.Actor(actor).staff_id
    return session.get(messaging.Staff, staff_id) if staff_id else None


def _words(key: str) -> str:
    return str(phrasing.texts("en")["staff"][key])


def _link(item: InboxItem) -> str:
    return f"{runtime.settings().public_url}/inbox/{item.id}"
