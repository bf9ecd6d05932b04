"""Files a text that came in: whose it is, what of it they wrote themselves, and what that says."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from config import clock
from messaging import conversations
from messaging.media import attachments
from messaging.models import Clinic, Conversation, Message, Patient
from messaging.people import directory, staff_phones
from messaging.reading import authorship, carrier_keywords, read_reply
from messaging.reading.rulebook import Consent
from messaging.second_reading import keeping, standing
from reminders import appointments
from webhooks import fields, read_twice
from webhooks.inbound_text import Inbound

TAKEN: Mapping[str, Consent] = {"STOP": "stop", "START": "start", "HELP": "help"}


def file(session: Session, clinic: Clinic, form: Mapping[str, str], at: datetime) -> Inbound:
    """Keep the text in its conversation, with what was read in it and what was found out about who wrote it."""
    number, body = form["From"], form["Body"]
    conversation = conversations.of_number(session, clinic, number)
    on_this_number = directory.patients_with_number(session, clinic, number)
    patients = [patient for patient in on_this_number if patient.state != "deceased"]
    colleague = None if patients else next(iter(staff_phones.whose(session, clinic, number)), None)
    sent: list[Message] = []
    authored = authorship.read(body, lambda: _sent(session, conversation, sent))
    read = _read(session, conversation, patients, form, authored.words)
    came = read_twice.Came(at, _ways(form, authored), conversation, patients, read.content and colleague is None)
    carriers = carrier_keywords.acts_on(body)
    twice = _read_twice(came, session, read, standing.of(clinic), silent=authored.silent or carriers)
    read = replace(read, crisis=twice.tier == "crisis", why=twice.why)
    labels = [*_labels(authored, sent), *twice.labels]
    return Inbound(
        session,
        clinic,
        conversation,
        patients,
        _kept(session, clinic, conversation, form, at, (twice, labels)),
        _as_the_carrier_took_it(read, form.get("OptOutType", "")),
        number,
        bool(form.get("OptOutType")) or carriers,
        colleague,
        authored.silent,
        twice.tier,
        twice.tier_why,
        twice.joined,
    )


def _kept(
    session: Session,
    clinic: Clinic,
    conversation: Conversation,
    form: Mapping[str, str],
    at: datetime,
    reading: tuple[read_twice.Twice, list[str]],
) -> Message:
    """Keep the text with its attachments and with what both readers said of it."""
    (twice, labels), attached = reading, list(fields.media(form))
    message = conversations.file_inbound(
        session,
        clinic,
        conversation,
        body=fields.shown(form),
        provider_sid=form["MessageSid"],
        reading=[*twice.why, *labels, f"version.{read_reply.VERSION}"],
        media=attached,
        at=at,
    )
    attachments.expect(session, message, attached)
    if twice.judged is not None:
        keeping.keep(session, clinic, message, read_reply.VERSION, twice.judged, twice.joined)
    return message


def _read_twice(
    came: read_twice.Came, session: Session, read: read_reply.Reading, holds: standing.Standing, *, silent: bool
) -> read_twice.Twice:
    """Have both readers read it, unless there is nothing to read: no words of a person, or a carrier's keyword."""
    if (silent or not came.words[0].strip()) and not read.crisis:
        return read_twice.Twice(read.why)
    return read_twice.look(session, came, read, holds)


def _ways(form: Mapping[str, str], authored: authorship.Authored) -> list[str]:
    """Each way in which the words may have been meant, the likeliest first."""
    return [authored.words, *(form[other] for other in (fields.ALONE, fields.JOINED) if other in form)]


def _sent(session: Session, conversation: Conversation, sent: list[Message]) -> list[str]:
    """The words we sent to this number; the texts themselves are left in `sent`."""
    sent[:] = conversations.sent_lately(session, conversation.id)
    return [text.body or "" for text in sent]


def _labels(authored: authorship.Authored, sent: list[Message]) -> list[str]:
    """What is kept beside the reading: that a phone wrote it, and which text of ours it reacted to."""
    if authored.kind is None:
        return []
    kind = f"kind.{authored.kind}"
    return [kind] if authored.to is None else [kind, f"{conversations.REACTS_TO}{sent[authored.to].id}"]


def _read(
    session: Session,
    conversation: Conversation,
    patients: list[Patient],
    form: Mapping[str, str],
    words: str,
) -> read_reply.Reading:
    language = patients[0].language if len(patients) == 1 else None
    # Of those who share a phone, any may be the one who answers: a human then chooses.
    awaiting = any(_awaits_answer(session, patient, conversation) for patient in patients)
    read = read_reply.read(words, language, awaiting=awaiting)
    for other in (fields.ALONE, fields.JOINED):
        if other in form:
            read = _graver(read, read_reply.read(form[other], language, awaiting=awaiting))
    return read


def _graver(read: read_reply.Reading, other: read_reply.Reading) -> read_reply.Reading:
    """Return a reading that misses no crisis and no STOP of either."""
    return replace(
        read,
        crisis=read.crisis or other.crisis,
        consent="stop" if other.consent == "stop" else read.consent,
        thanks=False,
        why=(*read.why, *(rule for rule in other.why if rule not in read.why)),
        soft=_soft_in_both(read, other),
    )


def _soft_in_both(read: read_reply.Reading, other: read_reply.Reading) -> tuple[str, ...]:
    """The rules met by phrases that are soft in whatever way the text was meant: one sure phrase makes a rule sure."""
    sure = {rule for each in (read, other) for rule in each.why if rule not in each.soft}
    return tuple(rule for rule in dict.fromkeys((*read.soft, *other.soft)) if rule not in sure)


def _awaits_answer(session: Session, patient: Patient, conversation: Conversation) -> bool:
    """Whether a bare yes or no is about a visit: one not answered yet, or one that may be answered again.

    The second only while no colleague has written since: then it is said to them.
    """
    visits = appointments.texted(session, patient.id, clock.now())
    if any(visit.state == "booked" for visit in visits):
        return True
    answered = any(visit.state in ("confirmed", "change_asked") for visit in visits)
    return answered and not conversations.a_person_wrote_last(session, conversation.id)


def _as_the_carrier_took_it(read: read_reply.Reading, opt_out: str) -> read_reply.Reading:
    """Where the carrier says that it took a text as a keyword, in whatever language, so do we."""
    taken = TAKEN.get(opt_out, read.consent)
    return read if taken == read.consent else replace(read, consent=taken, thanks=False)
