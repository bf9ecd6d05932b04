"""The proof of consent in words: what the page shows and what the paper prints, line by line the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from config import audit
from messaging import phone
from messaging.consent import asking, proof
from messaging.models import Clinic, Patient, Staff
from messaging.wording import text_templates
from web import team, times, words
from web.presenters import patient_view, short_names


@dataclass(frozen=True)
class Entry:
    """One act: when, what, how and by whom; the version and words asked; their own words; what lies around."""

    at: str
    event: str
    what: str
    how: str
    by: str
    version: str
    asked_title: str
    asked: list[tuple[str, str]]
    said: str
    withheld: str
    texts: list[tuple[str, str, str, str, str]]
    hashes: list[str]


@dataclass(frozen=True)
class Section:
    """A number: how it stands now by programme (words, state, state in words), and its acts, oldest first."""

    number: str
    states: list[tuple[str, str, str]]
    entries: list[Entry]


@dataclass(frozen=True)
class Sheet:
    """The whole proof: of whom, by whom and when it was made, and what the reader could not see."""

    clinic: str
    name: str
    record: str
    made: str
    withheld: str
    sections: list[Section]


def sheet(
    session: Session,
    clinic: Clinic,
    patient: Patient,
    gathered: proof.Proof,
    reader: Staff,
    *,
    readable: bool,
    named: bool,
) -> Sheet:
    """Return the proof in words, its times by the clinic's clock with their zone; see Sight for what may be seen."""
    names = team.names(
        session, (audit.Actor(act.actor).staff_id for phone_proof in gathered.phones for act in phone_proof.acts)
    )
    withheld = [*([] if readable else ["withheld"]), *([] if named else ["unnamed"])]
    return Sheet(
        clinic=clinic.name,
        name=patient_view.full_name(patient) if named else short_names.initials(patient),
        record=patient.record or "",
        made=words.say("proof", "made", at=_at(gathered.made_at, clinic), who=reader.name),
        withheld=" ".join(words.say("proof", key) for key in withheld),
        sections=[
            _section(phone_proof, clinic, names, readable=readable, named=named) for phone_proof in gathered.phones
        ],
    )


def _section(
    phone_proof: proof.Phone, clinic: Clinic, names: Mapping[UUID | None, str], *, readable: bool, named: bool
) -> Section:
    states = [
        (words.say("programmes", key), state, words.say("consent", state)) for key, state in phone_proof.states.items()
    ]
    shown = phone.display if named else phone.mask
    number = shown(phone_proof.number) if phone_proof.number else words.say("proof", "no_number")
    return Section(number, states, [_entry(act, clinic, names, readable=readable) for act in phone_proof.acts])


def _entry(act: proof.Act, clinic: Clinic, names: Mapping[UUID | None, str], *, readable: bool) -> Entry:
    named = [words.say("programmes", programme) for programme in act.programmes]
    return Entry(
        at=_at(act.at, clinic),
        event=act.event,
        what=f"{', '.join(named)}: {words.say('consent', act.event)}",
        how=words.say("consent_sources", act.source),
        by=_by(act.actor, names),
        version=act.wording or words.say("proof", "no_version"),
        asked_title=asking.title(act.wording) or "",
        asked=[(language, text_templates.render(wording, _names(clinic))) for language, wording in act.asked],
        said=act.words or "",
        withheld=words.say("proof", "others") if act.others else "",
        texts=[_text(text, clinic, readable=readable) for text in act.texts],
        hashes=[_hash(line_hash) for line_hash in act.hashes],
    )


def _names(clinic: Clinic) -> dict[str, str]:
    return {"clinic": clinic.name, "clinic_phone": phone.display(clinic.phone)}


def _by(actor: str, names: Mapping[UUID | None, str]) -> str:
    who = audit.Actor(actor)
    return names.get(who.staff_id) or words.say("proof_actors", who.kind)


def _text(text: proof.Text, clinic: Clinic, *, readable: bool) -> tuple[str, str, str, str, str]:
    """When it was written, what it was, what became of it and when, the carrier's id, and its words."""
    way = words.say("proof", "in" if text.direction == "in" else "out", kind=words.say("text_kinds", text.kind))
    became = words.say("text_states", text.state)
    last: Sequence[datetime | None] = (text.delivered_at, text.sent_at)
    moment = next((at for at in last if at is not None), None)
    if moment is not None and text.direction == "out":
        became = f"{became}, {_at(moment, clinic)}"
    return _at(text.at, clinic), way, became, text.carrier_id or "–", _words(text) if readable else ""


def _words(text: proof.Text) -> str:
    if text.emptied:
        return words.say("keeping", "emptied")
    return text.body if text.body is not None else words.say("proof", "shared_text")


def _hash(line_hash: proof.Hash) -> str:
    if line_hash.seq is None or line_hash.hash is None:
        return words.say("proof", "unsealed")
    return words.say("proof", "sealed" if line_hash.holds else "broken", seq=line_hash.seq, hash=line_hash.hash)


def _at(moment: datetime, clinic: Clinic) -> str:
    return times.exact(moment, clinic.zone)
