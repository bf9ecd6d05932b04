"""What is said in a warm handoff: to the patient, to whoever is asked, to whoever asked, and in the inbox."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from config import audit, clock, keys, runtime
from messaging import models as messaging
from messaging import outbox
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import nudging
from messaging.wording import clinic_names, clinic_words
from reminders import phrasing, talking
from reminders.handoff import machine
from reminders.handoff.terms import Terms
from reminders.models import Handoff

# A text that reached nobody: a patient was not told by it, and it is no contact.
NOT_REACHED = (*outbox.NEVER_LEFT, "undelivered")
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
    key = _first_text(handoff)
    try:
        message = _text_patient(session, handoff, key, terms, once=_for_whom(handoff, key, terms))
    except outbox.MayNotText as refused:
        say_untold(handoff, item, items.why_not(refused.reason))
        return False
    handoff.told_at, handoff.message_id = clock.now(), message.id
    return True


def say_untold(handoff: Handoff, item: InboxItem, why: str) -> None:
    """Let the item say that the patient cannot be texted, `why` in words, and what whoever comes does instead."""
    key = "handoff_in_person" if handoff.modality == "in_person" else "handoff_call_untold"
    item.summary = str(phrasing.texts("en")["staff"][key]).format(why=why)


def _first_text(handoff: Handoff) -> str:
    later = handoff.start_at is not None and handoff.start_at > clock.now()
    if handoff.modality == "call":
        return "handoff_call" if later else "handoff_call_now"
    key = "handoff_video" if handoff.modality == "video" else "handoff_ready"
    return f"{key}_at" if later else key


def _for_whom(handoff: Handoff, key: str, terms: Terms) -> str:
    """Told once, whoever comes, unless the text says who it is, at which minute, or in which room: then by each."""
    if key == "handoff_ready" and not terms.names:
        return ""
    return f":{handoff.accepted_at:%Y%m%d%H%M%S%f}"


def say_more(session: Session, handoff: Handoff, key: str, terms: Terms) -> bool:
    """Text the patient once more under `key`, once; whether they could be."""
    try:
        _text_patient(session, handoff, key, terms, once=f":{key}")
    except outbox.MayNotText:
        return False
    return True


def _text_patient(session: Session, handoff: Handoff, key: str, terms: Terms, *, once: str) -> messaging.Message:
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    patient = session.get_one(messaging.Patient, handoff.patient_id)
    refused = outbox.refusal(session, patient, "care_team")
    if refused:
        raise outbox.MayNotText(refused)  # before a link is made that nobody gets
    said = _variables(session, handoff, clinic, patient, terms)
    if key in ("handoff_ready", "handoff_ready_at") and "place" not in said:
        key = "handoff_soon"
    if key in ("handoff_video", "handoff_video_at"):
        said["link"] = _door(session, handoff, terms)
    talks = talking.of_patient(session, clinic, patient, clock.now())
    return outbox.text_patient(
        session,
        clinic,
        patient,
        kind="handoff",
        programme="care_team",
        body=phrasing.say(clinic_words.of(session, clinic.id), key, patient, said),
        dedupe=f"handoff:{handoff.id}{once}",
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
    token, room = keys.new_token(), keys.new_token()
    handoff.door = terms.video.replace("{room}", room).replace("{colleague}", person.room or str(staff.id))
    handoff.door_hash = keys.token_hash(token)
    return f"{runtime.settings().public_url}{DOOR}/{token}"


def tell_requester(session: Session, handoff: Handoff, actor: str, key: str) -> None:
    """Tell whoever asked how it goes, unless they have said so themselves."""
    asker = colleague(session, handoff.requested_by)
    if asker is not None and actor != handoff.requested_by:
        _nudge(session, handoff, _own_item(session, handoff), asker, "answered", key)


def tell_colleague(session: Session, handoff: Handoff, staff_id: UUID | None, actor: str, key: str) -> None:
    """Tell whoever has accepted, or is asked, how it goes, unless they have said so themselves."""
    staff = session.get(messaging.Staff, staff_id) if staff_id else None
    if staff is not None and actor != audit.Actor.staff(staff.id):
        _nudge(session, handoff, _own_item(session, handoff), staff, "handoff", key)


def tell_asked(session: Session, handoff: Handoff, staff_id: UUID) -> None:
    """Tell whoever was asked that they are not needed: somebody else goes, it was taken back, or it is over."""
    over = "handoff_cancelled" if handoff.state == "cancelled" else "handoff_over"
    key = over if handoff.state in machine.ENDED else "handoff_taken"
    tell_colleague(session, handoff, staff_id, "", key)


def alert(session: Session, handoff: Handoff, item: InboxItem, staff: messaging.Staff | None, key: str) -> None:
    """Tell a colleague at once what an item asks of them, in words of its own: the inbox need not tell them again."""
    if staff is not None and _nudge(session, handoff, item, staff, "handoff", f"{key}_text"):
        item.notified_at = clock.now()


def who_comes(session: Session, handoff: Handoff) -> messaging.Staff | None:
    """Return who has accepted, None if nobody has or they do not work here any more."""
    staff = session.get(messaging.Staff, handoff.colleague_id) if handoff.colleague_id else None
    return staff if staff is not None and staff.active else None


def colleague(session: Session, actor: str) -> messaging.Staff | None:
    """Return the colleague that an actor is, None for a machine or the operator."""
    staff_id = audit.Actor(actor).staff_id
    return session.get(messaging.Staff, staff_id) if staff_id else None


def staff_words(key: str) -> str:
    """Return what is texted to a colleague."""
    return str(phrasing.texts("en")["staff"][key])


def _own_item(session: Session, handoff: Handoff) -> InboxItem:
    return session.get_one(InboxItem, handoff.item_id)


def _nudge(session: Session, handoff: Handoff, item: InboxItem, staff: messaging.Staff, kind: str, key: str) -> bool:
    clinic = session.get_one(messaging.Clinic, handoff.clinic_id)
    reason = f"alert:{item.id}:{key}:{staff.id}"
    return nudging.of_item(session, clinic, staff, item, kind, dedupe=reason, template=staff_words(key))
