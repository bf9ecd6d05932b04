"""One box that finds: patients by name, number or record number, numbers nobody is known by, and words in texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging import phone
from messaging.models import Clinic, Conversation
from messaging.people import directory, name_search
from reminders import clinic_profile
from reminders.imports import dates
from web import layout, permissions, sessions, times
from web.patients import patient_lists, text_search

search = layout.room("search", __name__)

SHOWN = 25
SUGGESTED = 8
LONGEST = 120
RECENT_NUMBERS = 500


@dataclass(frozen=True)
class Stranger:
    """A number nobody is known by, with the item where it can be said whose it is."""

    number: str
    last: str
    item_id: UUID | None


@dataclass(frozen=True)
class Answer:
    """What was found, and by what: record | birth_date | number | name."""

    kind: str
    hits: list[patient_lists.Hit]
    strangers: list[Stranger]
    more: bool

    @property
    def alone(self) -> UUID | None:
        """The one patient who fits, None where there are more, or numbers nobody is known by."""
        return self.hits[0].id if len(self.hits) == 1 and not self.strangers and not self.more else None


NOBODY = Answer("name", [], [], False)


@search.get("/patients")
@permissions.signed_in("patients.read")
def form() -> str:
    """Show the box, and whom the reader saw last or has to do with; what is looked for is posted, so that it stays out
    of addresses and logs."""
    return _page("", None, None)


@search.post("/patients/suggest")
@permissions.signed_in("patients.read")
def suggest() -> str:
    """Return the first few who fit what has been typed so far, as a part of a page; each look is written down."""
    typed = request.form.get("wanted", "").strip()[:LONGEST]
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id, read_only=True) as session:
        answer = answer_to(session, clinic, typed, reads_inbox=False)
    if typed:
        _write_down("patients.searched", kind=answer.kind, found=len(answer.hits))
    more = answer.more or len(answer.hits) > SUGGESTED
    return render_template("staff/_suggested.html", hits=answer.hits[:SUGGESTED], more=more, typed=typed)


@search.post("/patients")
@permissions.signed_in("patients.read")
def look() -> Response | tuple[str, int] | str:
    """Look for what was typed. A record number that is somebody's leads straight to them, and so does what fits one
    patient alone, unless texts are to be searched too."""
    typed = request.form.get("wanted", "").strip()[:LONGEST]
    if not typed:
        return _page("", None, None)
    clinic, reads, within = sessions.clinic(), layout.may("inbox.read"), "within" in request.form
    with db.unit_of_work(clinic.id, read_only=True) as session:
        patient = directory.find_by_record(session, clinic, typed)
        answer = None if patient else found(session, clinic, typed, reads_inbox=reads)
    if patient is not None:
        _write_down("patients.searched", kind="record", found=1)
        return redirect(url_for("patients.show", patient_id=patient.id), 303)
    if answer is not None:
        _write_down("patients.searched", kind=answer.kind, found=len(answer.hits) + len(answer.strangers))
        if answer.alone is not None and not within:
            return redirect(url_for("patients.show", patient_id=answer.alone), 303)
    texts = None
    if within and layout.may("inbox.words"):
        texts = text_search.look(clinic, layout.the_staff(), typed, request.form.get("onward", ""))
    nothing = not (answer and (answer.hits or answer.strangers)) and texts is None
    return (_page(typed, answer, texts), 404) if nothing else _page(typed, answer, texts)


def _page(typed: str, answer: Answer | None, texts: text_search.Within | None) -> str:
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id, read_only=True) as session:
        return layout.page(
            session,
            "staff/find.html",
            here="patients",
            sought=typed,
            answer=answer,
            within=texts,
            lists=patient_lists.read(session, clinic, layout.the_staff()) if not typed else [],
            readable=layout.may("inbox.words"),
            too_short=bool(typed) and all(len(word) < name_search.STARTS[0] for word in name_search.words(typed)),
            shown=SHOWN,
        )


def _write_down(act: str, **detail: str | int) -> None:
    """Audit a search before anything of it is shown: its kind and how much was found, never what was looked for."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        audit.record(session, clinic.id, audit.Actor.staff(staff.id), act, f"clinic:{clinic.id}", **detail)


def answer_to(session: Session, clinic: Clinic, typed: str, *, reads_inbox: bool) -> Answer:
    """Return who has exactly this record number, else who fits what was typed; nobody where nothing was."""
    exact = directory.find_by_record(session, clinic, typed) if typed else None
    if exact is not None:
        return Answer("record", patient_lists.hits(session, clinic, [exact], reads_inbox=reads_inbox), [], False)
    return found(session, clinic, typed, reads_inbox=reads_inbox) if typed else NOBODY


def found(session: Session, clinic: Clinic, typed: str, *, reads_inbox: bool) -> Answer:
    """Return who fits what was typed: a birth date, a number where it has digits and no letters, else a name."""
    born = dates.day(typed, until=clock.now().date()) if any(character.isdecimal() for character in typed) else None
    if born is not None and born <= clock.now().date():
        several = name_search.born_on(session, clinic, born)
        listed = patient_lists.hits(session, clinic, several.patients[:SHOWN], reads_inbox=reads_inbox)
        return Answer("birth_date", listed, [], several.more or len(several.patients) > SHOWN)
    if any(character.isdecimal() for character in typed) and not any(character.isalpha() for character in typed):
        return _by_number(session, clinic, typed, reads_inbox=reads_inbox)
    several = name_search.search(session, clinic, typed)
    more = several.more or len(several.patients) > SHOWN
    return Answer(
        "name", patient_lists.hits(session, clinic, several.patients[:SHOWN], reads_inbox=reads_inbox), [], more
    )


def _by_number(session: Session, clinic: Clinic, typed: str, *, reads_inbox: bool) -> Answer:
    try:
        number = phone.e164(typed, abroad=clinic_profile.abroad(clinic))
    except phone.NotTextable:
        digits = "".join(character for character in typed if character.isdecimal())
        strangers = _strangers(session, clinic, digits) if reads_inbox and len(digits) == 4 else []
        return Answer("number", [], strangers, False)
    patients = directory.patients_with_number(session, clinic, number)
    index = db.clinic_index(session, clinic.key_id, "number", number)
    unknown = select(Conversation).where(
        Conversation.clinic_id == clinic.id,
        Conversation.number_index == index,
        Conversation.patient_id.is_(None),
    )
    conversations = session.scalars(unknown).all() if reads_inbox else []
    listed = patient_lists.hits(session, clinic, patients[:SHOWN], reads_inbox=reads_inbox)
    return Answer("number", listed, _as_strangers(session, clinic, conversations), len(patients) > SHOWN)


def _strangers(session: Session, clinic: Clinic, digits: str) -> list[Stranger]:
    """The numbers nobody is known by that wrote lately and end like this, as the list shows them ("··0147")."""
    lately = (
        select(Conversation)
        .where(Conversation.clinic_id == clinic.id, Conversation.patient_id.is_(None))
        .order_by(Conversation.last_at.desc())
        .limit(RECENT_NUMBERS)
    )
    ending = [conversation for conversation in session.scalars(lately) if (conversation.number or "").endswith(digits)]
    return _as_strangers(session, clinic, ending[:SHOWN])


def _as_strangers(session: Session, clinic: Clinic, several: Sequence[Conversation]) -> list[Stranger]:
    if not several:
        return []
    latest = text_search.latest_items(session, clinic, [conversation.id for conversation in several])
    now = clock.now()
    return [
        Stranger(
            phone.display(conversation.number or ""),
            times.moment(conversation.last_at, now, clinic.zone, running=True),
            latest.get(conversation.id),
        )
        for conversation in several
    ]
