"""What happens with a text that came in: filed, read, obeyed, answered,
and put in front of a human unless a rule did all."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db, logging
from messaging import conversations
from messaging.consent import asking, ledger
from messaging.models import PROGRAMMES, Clinic, Message, Patient, PatientNumber
from messaging.people import directory, staff_phones
from messaging.reading import rulebook
from reminders import handoff_untold, handoff_words, replies, withdrawing
from webhooks import autoreplies, colleagues, fields, filing, raise_items, receipts
from webhooks.inbound_text import Inbound
from webhooks.models import Receipt


def answer_all(session: Session, arrived: Sequence[Receipt]) -> None:
    """Work on the receipts of texts; each ends processed, or ignored if it was worked on before or is nobody's."""
    db.load_keys(session, (receipt.key_id for receipt in arrived))
    forms = [(receipt, receipts.said(receipt)) for receipt in arrived]
    clinics = _clinics(session, forms)
    _load(session, [(clinics[_texted(form)], form["From"]) for _, form in forms])
    filed = _filed(session, [form["MessageSid"] for _, form in forms])
    for receipt, form in forms:
        clinic = clinics[_texted(form)]
        receipt.processed_at, receipt.state = clock.now(), "processed"
        if clinic is None or (clinic.id, form["MessageSid"]) in filed:
            receipt.state = "ignored"
            why = "to_nobody" if clinic is None else "filed_before"
            logging.logger().warning("text ignored", receipt_id=receipt.id, kind=why)
            continue
        filed.add((clinic.id, form["MessageSid"]))
        answer(session, clinic, form, at=_said_at(receipt, form))


def _said_at(receipt: Receipt, form: Mapping[str, str]) -> datetime:
    """When it was said: a text found in the carrier's list is older than its receipt."""
    return datetime.fromisoformat(form[fields.SENT]) if fields.SENT in form else receipt.received_at


def answer(session: Session, clinic: Clinic, form: Mapping[str, str], at: datetime) -> Message:
    """Do all that one inbound text asks for, in the caller's transaction, and return the filed message.

    `form` holds Twilio's MessageSid, From, Body, NumMedia, MediaUrlN, OptOutType; `at` is when it came.
    """
    inbound = filing.file(session, clinic, form, at)
    crisis = inbound.reading.crisis
    if crisis:
        handoff_words.heard(session, inbound.patient, raise_items.safety(inbound))
    obeyed = _consent(inbound)
    if crisis:
        raise_items.wake(inbound)
        if inbound.colleague is not None and not colleagues.answered(inbound, inbound.colleague):
            raise_items.reply(inbound)
        autoreplies.crisis(inbound)
        return inbound.message
    if inbound.silent and not inbound.message.media:
        return inbound.message
    noted = inbound.colleague is not None and colleagues.answered(inbound, inbound.colleague)
    if inbound.tier == "worry":
        raise_items.wake(inbound)
        # A person reads it within minutes; until then nothing answers and nothing confirms.
        handoff_words.heard(session, inbound.patient, raise_items.reply(inbound))
    elif inbound.colleague is not None:
        if not noted:
            raise_items.reply(inbound)
    else:
        _settle(inbound, obeyed)
    return inbound.message


def _settle(inbound: Inbound, obeyed: bool) -> None:
    """Let rules do what they can with an ordinary text, and put the rest before a human."""
    done = _act(inbound)
    handled = (done or (obeyed and not _may_mean_a_visit(inbound))) and _nothing_beyond(inbound)
    if not handled and _only_thanks(inbound):
        raise_items.add_to_waiting(inbound)
        return
    if not (handled and done and inbound.reading.answer == "confirm" and not obeyed):
        raise_items.wake(inbound)
    if handled:
        return
    item = raise_items.reply(inbound)
    handoff_words.heard(inbound.session, inbound.patient, item)
    if not inbound.patients:
        autoreplies.unknown_sender(inbound)
    else:
        autoreplies.received(inbound, item)


def _consent(inbound: Inbound) -> bool:
    """Write down what the text says about being texted; return whether that is all a rule need do about it."""
    consent = inbound.reading.consent
    if consent == "start" and _is_only_yes(inbound):
        return False
    if consent in ("stop", "start") and _overtaken(inbound):
        return False  # a human reads it: what was said since has been obeyed
    if consent == "stop":
        return _stop(inbound)
    if consent == "start":
        _start(inbound)
    if consent in ("start", "help") and not inbound.carrier_answers and inbound.tier is None:
        autoreplies.plain(inbound, "started" if consent == "start" else "help")
    return consent is not None


def _start(inbound: Inbound) -> None:
    """Text the number again, and about every visit: also one of which the patient wanted to hear no more."""
    _record(inbound, "granted")
    if inbound.patient is not None:
        withdrawing.text_again(inbound.session, inbound.patient, f"patient:{inbound.patient.id}")


def _stop(inbound: Inbound) -> bool:
    """Stop all texts, or those of which the text speaks, and say so once; False where it is not certain which."""
    scope = None if inbound.carrier_answers else inbound.reading.scope
    before = ledger.state(inbound.session, inbound.clinic, inbound.number)
    if scope == "visit":
        if not _quiet(inbound):
            return False
    else:
        only = (scope,) if scope in ("reminders", "screening") else PROGRAMMES
        _record(inbound, "revoked", only)
        if all(before[programme] == "revoked" for programme in only):
            return True  # they know it already
        if "care_team" in only:
            _tell_who_waits(inbound)
    if inbound.tier is None:
        autoreplies.stopped(inbound, scope)
    return True


def _tell_who_waits(inbound: Inbound) -> None:
    """Whoever is on their way to a colleague, or waits for one, is walked there: no text reaches them any more."""
    for patient in directory.patients_with_number(inbound.session, inbound.clinic, inbound.number):
        handoff_untold.stopped(inbound.session, patient)


def _quiet(inbound: Inbound) -> bool:
    patient = inbound.patient
    return patient is not None and replies.quiet(
        inbound.session, inbound.clinic, inbound.conversation, patient, inbound.reading, inbound.message
    )


def _overtaken(inbound: Inbound) -> bool:
    """Whether a text that was found late speaks of consent, and the same number has spoken of it since."""
    rules = rulebook.rules()
    since = select(Message).where(
        Message.conversation_id == inbound.conversation.id,
        Message.direction == "in",
        Message.created_at > inbound.message.created_at,
    )
    return any(label in rules.consents for text in inbound.session.scalars(since) for label in text.reading)


def _is_only_yes(inbound: Inbound) -> bool:
    """Whether a word that brings back whoever had stopped (the carrier's YES)
    is just the answer of somebody who had not."""
    asks_for_texts = (inbound.message.body or "").strip().upper() != "YES"
    stopped = ledger.state(inbound.session, inbound.clinic, inbound.number)
    return not asks_for_texts and "revoked" not in stopped.values()


def _record(inbound: Inbound, event: ledger.Event, programmes: Sequence[str] = PROGRAMMES) -> None:
    patient = inbound.patient
    ledger.record(
        inbound.session,
        inbound.clinic,
        inbound.number,
        event,
        source="text",
        programmes=programmes,
        actor=audit.Actor.patient(patient.id) if patient else audit.Actor.conversation(inbound.conversation.id),
        patient_id=patient.id if patient else None,
        words=inbound.message.body,
        wording=asking.present("text", event + _how(inbound, programmes)),
    )
    staff_phones.said(inbound.session, inbound.clinic, inbound.number, event, programmes)


def _how(inbound: Inbound, programmes: Sequence[str]) -> str:
    """What kind of stop it was, by which the ledger names what was answered."""
    if inbound.reading.consent != "stop":
        return ""
    if inbound.carrier_answers:
        return "_keyword"
    return "" if set(programmes) == set(PROGRAMMES) else "_some"


def _act(inbound: Inbound) -> bool:
    """Let the reminders understand the answer, and send what they answer; return whether that was all of it."""
    patient = inbound.patient
    if patient is None or patient.state != "active" or inbound.reading.answer is None:
        return False
    outcome = replies.understand(
        inbound.session, inbound.clinic, inbound.conversation, patient, inbound.reading, inbound.message
    )
    body = replies.body(inbound.session, outcome, patient)
    if body is not None:
        autoreplies.confirmation(inbound, body, replies.until(inbound.session, outcome, patient))
    return outcome.handled


def _may_mean_a_visit(inbound: Inbound) -> bool:
    """Whether a word that stops texts (CANCEL, END, QUIT) may have been meant for a visit too."""
    return inbound.reading.consent == "stop" and inbound.reading.answer == "change"


def _nothing_beyond(inbound: Inbound) -> bool:
    """Whether a text that a rule handled has nothing in it for a human: no other words, no picture."""
    return not inbound.message.media and (not inbound.reading.content or inbound.carrier_answers)


def _only_thanks(inbound: Inbound) -> bool:
    """Whether the text is courtesy and nothing else. A bare yes to what a colleague wrote is an answer to them."""
    if not inbound.reading.thanks or inbound.message.media:
        return False
    return "answer.not_awaited" not in inbound.reading.why or not conversations.a_person_wrote_last(
        inbound.session, inbound.conversation.id
    )


def _texted(form: Mapping[str, str]) -> tuple[str, str | None]:
    return form["To"], form.get("MessagingServiceSid")


def _clinics(
    session: Session, forms: Sequence[tuple[Receipt, Mapping[str, str]]]
) -> dict[tuple[str, str | None], Clinic | None]:
    # By where the text was sent, not by the receipt: a clinic may have been added after its first text came.
    texted = {_texted(form) for _, form in forms}
    numbers = {to for to, _ in texted}
    by_number = {clinic.number: clinic for clinic in session.scalars(select(Clinic).where(Clinic.number.in_(numbers)))}
    return {(to, by): by_number.get(to) or receipts.find_clinic(session, to, by) for to, by in texted}


def _load(session: Session, numbers: Sequence[tuple[Clinic | None, str]]) -> None:
    """Bring conversations, patients and their keys into the session with a SELECT each."""
    db.load_keys(session, {clinic.key_id for clinic, _ in numbers if clinic})
    indexes = {db.clinic_index(session, clinic.key_id, "number", number) for clinic, number in numbers if clinic}
    wanted = select(Patient).join(PatientNumber).where(PatientNumber.number_index.in_(indexes))
    db.load_keys(session, (patient.key_id for patient in session.scalars(wanted).unique()))


def _filed(session: Session, sids: Sequence[str]) -> set[tuple[object, str]]:
    statement = select(Message.clinic_id, Message.provider_sid).where(
        Message.provider_sid.in_(sids), Message.direction == "in"
    )
    return {(clinic_id, str(sid)) for clinic_id, sid in session.execute(statement)}
