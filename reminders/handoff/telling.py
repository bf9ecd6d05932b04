"""What is said in a warm handoff: to the patient, to whoever is asked, to whoever asked, and in the inbox."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from config import audit, clock, keys, runtime
from messaging import models as messaging
from messaging import outbox
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import nudging
from messaging.wording import clinic_names, clinic_words, text_templates
from reminders import phrasing, talking
from reminders.handoff.terms import Terms
from reminders.models import Handoff

# Somebody stands in the building: whoever is talking with them decides this soon, or the text goes.
TOLD_WITHIN = timedelta(minutes=2)
TITLES = frozenset({"dr", "prof", "mr", "mrs", "ms", "mx", "miss", "rev", "sr", "sra"})
# The patient's way to the clinic's own video room: one page with one button.
DOOR = "/i/v"


def reasons() -> Mapping[str, str]:
    """Return why somebody may be asked to come, by key, in words for colleagues."""
    table: Mapping[str, str] = phrasing.texts("en")["handoff_reasons"]
    return table


def declines() -> Mapping[str, str]:
    """Return why a colleague may decline, by key, in words."""
    table: Mapping[str, str] = phrasing.texts("en")["handoff_declines"]
    return table


def reason_keys(handoff: Handoff) -> list[str]:
    """Return why they were asked to come, as keys; none where that cannot be read."""
    return [key for key in (opened(handoff, "reason") or "").split(",") if key]


def reason_words(handoff: Handoff) -> list[str]:
    """Return why they were asked to come, in words; a key that is no longer offered keeps its words."""
    known = {**phrasing.texts("en")["handoff_reasons_before"], **reasons()}
    return [str(known[key]) for key in reason_keys(handoff) if key in known]


def summary(key: str, handoff: Handoff, tried: Sequence[str] = (), *, clinical: bool = True) -> str:
    """Return the line of the inbox: what it is, where they wait, why (`clinical`), how soon, who was asked before."""
    words, place = phrasing.texts("en")["staff"], opened(handoff, "place")
    said = str(words[f"{key}_at"].format(place=place) if place and f"{key}_at" in words else words[key])
    said = ". ".join([said, *(reason_words(handoff) if clinical else ())])
    if tried:
        said = str(words["handoff_tried"].format(said=said, who=", ".join(tried)))
    return str(words["handoff_urgent"].format(said=said)) if handoff.urgent else said


def opened(handoff: Handoff, name: str) -> str | None:
    """Return "place", "reason" or "note" of a handoff, None where it cannot be read: somebody waits all the same."""
    try:
        value: str | None = getattr(handoff, name)
    except keys.WrongKey:
        return None
    return value


def tell_patient(session: Session, handoff: Handoff, item: InboxItem, terms: Terms) -> bool:
    """Tell the patient that somebody is ready, or say in the inbox why they could not be told; whether they were."""
    try:
        message = _text_patient(session, handoff, _first_text(handoff), terms)
    except outbox.MayNotText as refused:
        words = phrasing.texts("en")["staff"]["handoff_in_person"]
        item.summary = words.format(why=items.why_not(refused.reason))
        return False
    handoff.told_at, handoff.message_id = clock.now(), message.id
    return True


def _first_text(handoff: Handoff) -> str:
    by_modality = {"video": "handoff_video", "call": "handoff_call"}
    return by_modality.get(handoff.modality, "handoff_ready")


def say_more(session: Session, handoff: Handoff, key: str, terms: Terms) -> bool:
    """Text the patient once more under `key`, once; whether they could be."""
    try:
        _text_patient(session, handoff, key, terms)
    except outbox.MayNotText:
        return False
    return True


def _text_patient(session: Session, handoff: Handoff, key: str, terms: Terms) -> messaging.Message:
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    patient = session.get_one(messaging.Patient, handoff.patient_id)
    refused = outbox.refusal(session, patient, "care_team")
    if refused:
        raise outbox.MayNotText(refused)  # before a link is made that nobody gets
    said = _variables(session, handoff, clinic, patient, terms)
    if key == "handoff_ready" and "place" not in said:
        key = "handoff_soon"
    if key == "handoff_video":
        said["link"] = _door(session, handoff, terms)
    talks = talking.of_patient(session, clinic, patient, clock.now())
    # Told once, whoever comes, unless the text says who it is, at which minute, or in which room.
    own = terms.names or handoff.modality != "in_person"
    named = f":{handoff.colleague_id}" if own else ""
    return outbox.text_patient(
        session,
        clinic,
        patient,
        kind="handoff",
        programme="care_team",
        body=phrasing.say(clinic_words.of(session, clinic.id), key, patient, said),
        dedupe=f"handoff:{handoff.id}{named}" if key == _first_text(handoff) else f"handoff:{handoff.id}:{key}",
        lane="urgent",
        offered_until=talks.offered_until(patient, None, TOLD_WITHIN),
    )


def _variables(
    session: Session, handoff: Handoff, clinic: messaging.Clinic, patient: messaging.Patient, terms: Terms
) -> dict[str, str]:
    said = phrasing.about_clinic(clinic, patient) | phrasing.place_of(clinic, handoff.place)
    staff = session.get(messaging.Staff, handoff.colleague_id) if handoff.colleague_id else None
    name = first_name(staff) if staff is not None and terms.names else ""
    at = handoff.start_at or clock.now()
    when = phrasing.of_moment(patient.language, patient.zone or clinic.zone, at, clock.now())
    return said | {"time": when["time"]} | ({"care_team": name} if name else {})


def first_name(staff: messaging.Staff) -> str:
    """Return the first name that a text may give: "" unless they allow it, and where only a surname stands."""
    parts = staff.name.split()
    plain = [part for part in parts if part.strip(".").casefold() not in TITLES]
    if not staff.named_to_patients or not plain or (len(plain) == 1 and len(parts) > 1):
        return ""
    return plain[0] if clinic_names.tells_nothing(plain[0]) else ""


def _door(session: Session, handoff: Handoff, terms: Terms) -> str:
    """Return the link that leads the patient to the clinic's video room; only its hash is kept."""
    staff = session.get_one(messaging.Staff, handoff.colleague_id)
    person = terms.person(staff.email)
    token, room = secrets.token_urlsafe(12), secrets.token_urlsafe(9)
    handoff.door = terms.video.replace("{room}", room).replace("{colleague}", person.room or str(staff.id))
    handoff.door_hash = door_hash(token)
    return f"{runtime.settings().public_url}{DOOR}/{token}"


def door_hash(token: str) -> bytes:
    """Return what is kept of the token in a patient's link."""
    return hashlib.sha256(token.encode()).digest()


def tell_requester(session: Session, handoff: Handoff, item: InboxItem, actor: str, key: str) -> None:
    """Tell whoever asked how it goes, unless they have said so themselves."""
    asker = colleague(session, handoff.requested_by)
    if asker is None or actor == handoff.requested_by:
        return
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    reason = f"alert:{item.id}:{key}:{asker.id}"
    nudging.of_item(session, clinic, asker, item, "answered", dedupe=reason, template=_words(key))


def tell_colleague(session: Session, handoff: Handoff, item: InboxItem, actor: str, key: str) -> None:
    """Tell whoever has accepted how it goes, unless they have said so themselves."""
    staff = session.get(messaging.Staff, handoff.colleague_id) if handoff.colleague_id else None
    if staff is not None and actor != audit.Actor.staff(staff.id):
        _text(session, handoff, item, staff, key)


def tell_asked(session: Session, handoff: Handoff, item: InboxItem, staff: messaging.Staff | None) -> None:
    """Tell whoever was asked that they are not needed any more: somebody else goes, or it was taken back."""
    ended = handoff.state in ("cancelled", "met", "scheduled", "declined", "left", "lost")
    _text(session, handoff, item, staff, "handoff_cancelled" if ended else "handoff_taken")


def colleague(session: Session, actor: str) -> messaging.Staff | None:
    """Return the colleague that an actor is, None for a machine or the operator."""
    staff_id = audit.Actor(actor).staff_id
    return session.get(messaging.Staff, staff_id) if staff_id else None


def _text(session: Session, handoff: Handoff, item: InboxItem, staff: messaging.Staff | None, key: str) -> None:
    if staff is None:
        return
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    link = f"{runtime.settings().public_url}{nudging.page_of(item, staff)}"
    body = text_templates.render(_words(key), {"link": link})
    outbox.text_staff(session, clinic, staff, body=body, dedupe=f"alert:{item.id}:{key}:{staff.id}")


def _words(key: str) -> str:
    return str(phrasing.texts("en")["staff"][key])
