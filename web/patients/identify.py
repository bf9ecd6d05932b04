"""Whose number is this? Given to a patient who is found or made here, filed to one who shares a phone, or to nobody."""

from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging import number_owner, phone
from messaging.consent import asking
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Conversation, Patient
from messaging.people import directory
from reminders.imports import faults, records
from web import layout, permissions, sessions, words
from web.models import Draft
from web.patients import patient_lists, search, unknown_number

identify = layout.room("identify", __name__)

FIELDS = ("first_name", "last_name", "birth_date", "record", "language")


@identify.get("/inbox/<uuid:item_id>/who")
@permissions.signed_in("inbox.work")
def show(item_id: UUID) -> str:
    """Show what is known of the number, and the ways to say whose it is; its words are read, so it is written down."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        item, conversation = _unknown(session, item_id)
        about = f"conversation:{conversation.id}"
        audit.record(session, clinic.id, audit.Actor.staff(staff.id), "conversation.opened", about)
        return _page(session, clinic, item, conversation)


@identify.post("/inbox/<uuid:item_id>/who")
@permissions.signed_in("inbox.work")
def look(item_id: UUID) -> str:
    """Find the patient whose number this may be."""
    clinic, typed = sessions.clinic(), request.form.get("wanted", "").strip()[: search.LONGEST]
    with db.unit_of_work(clinic.id) as session:
        item, conversation = _unknown(session, item_id)
        answer = search.answer_to(session, clinic, typed, reads_inbox=True)
        actor, about = layout.the_actor(), f"conversation:{conversation.id}"
        audit.record(session, clinic.id, actor, "patients.searched", about, kind=answer.kind, found=len(answer.hits))
        return _page(session, clinic, item, conversation, sought=typed, answer=answer)


@identify.post("/inbox/<uuid:item_id>/who/chosen")
@permissions.signed_in("inbox.work")
def choose(item_id: UUID) -> Response | tuple[str, int] | str:
    """Say what giving the number to this patient would do, and ask; nothing is changed yet."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id, read_only=True) as session:
        item, conversation = _unknown(session, item_id)
        patient = _patient(session, clinic)
        if patient is None:
            return _page(session, clinic, item, conversation, problem=words.say("refusals", "no_choice")), 422
        return _page(session, clinic, item, conversation, patient=patient)


@identify.post("/inbox/<uuid:item_id>/who/merge")
@permissions.signed_in("inbox.work")
def merge(item_id: UUID) -> Response | tuple[str, int]:
    """Give the number to a patient who is on file."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        item, conversation = _unknown(session, item_id, lock=True)
        patient = _patient(session, clinic)
        if patient is None:
            return _page(session, clinic, item, conversation, problem=words.say("refusals", "no_choice")), 422
        _give(session, clinic, conversation, patient, text_here=request.form.get("where") != "before")
    flash(words.say("notices", "merged"))
    return _case(item_id)


@identify.post("/inbox/<uuid:item_id>/who/new")
@permissions.signed_in("inbox.work")
def create(item_id: UUID) -> Response | tuple[str, int]:
    """Put a new patient on file and give them the number; without a record number they get a temporary one."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    with db.unit_of_work(clinic.id) as session:
        item, conversation = _unknown(session, item_id, lock=True)
        try:
            if typed["record"] and directory.find_by_record(session, clinic, typed["record"]):
                raise faults.WrongRow(words.say("refusals", "record_taken"))
            # In a file a lone name is all there is; whoever fills this form in can ask for the other.
            if not typed["last_name"]:
                raise faults.WrongRow("last_name: is empty")
            record = typed["record"] or number_owner.temporary_record(session, clinic)
            read = records.patient(typed | {"record": record}, clinic)
        except faults.WrongRow as wrong:
            problem = str(wrong).replace("_", " ").capitalize()
            return _page(session, clinic, item, conversation, typed_new=typed, new_problem=problem), 422
        patient, _ = directory.save_patient(session, clinic, read, source="staff", actor=audit.Actor.staff(staff.id))
        _give(session, clinic, conversation, patient, text_here=True)
    flash(words.say("notices", "created"))
    return _case(item_id)


@identify.post("/inbox/<uuid:item_id>/separate")
@permissions.signed_in("inbox.work")
def separate(item_id: UUID) -> Response:
    """Take back that the number is this patient's."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        item, conversation = _of_number(session, item_id, lock=True)
        if item.patient_id is None or not number_owner.merged(items.history(session, item)):
            abort(404)
        patient = session.get_one(Patient, item.patient_id)
        number_owner.separate(session, clinic, layout.the_staff(), conversation, patient)
    flash(words.say("notices", "separated"))
    return _case(item_id)


@identify.post("/inbox/<uuid:item_id>/who/one")
@permissions.signed_in("inbox.work")
def one_of_them(item_id: UUID) -> Response:
    """Say which of those who share the phone it was; the number stays shared."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        item, conversation = _unknown(session, item_id, lock=True)
        patient = _patient(session, clinic)
        sharing = directory.patients_with_number(session, clinic, conversation.number or "")
        if patient is None or patient.id not in {sharer.id for sharer in sharing}:
            abort(404)
        number_owner.file_to(session, clinic, layout.the_staff(), item, patient)
    flash(words.say("notices", "filed"))
    return _case(item_id)


@identify.post("/inbox/<uuid:item_id>/who/none")
@permissions.signed_in("inbox.work")
def none_of_them(item_id: UUID) -> Response:
    """Say that the number is none of theirs: nothing about them goes there any more."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        _, conversation = _unknown(session, item_id, lock=True)
        for patient in directory.patients_with_number(session, clinic, conversation.number or ""):
            number = number_owner.number_of(session, conversation, patient)
            number_owner.not_theirs(session, clinic, staff, number, conversation)
    flash(words.say("notices", "not_theirs"))
    return _case(item_id)


def _give(session: Session, clinic: Clinic, conversation: Conversation, patient: Patient, *, text_here: bool) -> None:
    staff = layout.the_staff()
    number_owner.merge(session, clinic, staff, conversation, patient, text_here=text_here)
    _move_drafts(session, conversation, patient)
    if "agreed" in request.form:
        number = number_owner.number_of(session, conversation, patient)
        source = "form" if request.form.get("how") == "written" else "spoken"
        try:
            number_owner.say_consent(
                session,
                clinic,
                number,
                "granted",
                actor=layout.the_actor(),
                programmes=("reminders",),
                source=source,
                words=words.say("sayers", "patient"),
            )
        except number_owner.StoppedByText:
            flash(words.say("refusals", "stopped_by_text"))


def _move_drafts(session: Session, conversation: Conversation, patient: Patient) -> None:
    """What colleagues have begun to write goes along; who has begun two keeps both, one under the other."""
    old, new = f"conversation:{conversation.id}", f"patient:{patient.id}"
    waiting = {
        (draft.staff_id, draft.thread): draft
        for draft in session.scalars(select(Draft).where(Draft.thread.in_((old, new))))
    }
    for (staff_id, thread), draft in waiting.items():
        if thread != old:
            continue
        other = waiting.get((staff_id, new))
        if other is None:
            draft.thread = new
        else:
            other.body = f"{other.body}\n\n{draft.body}"
            other.updated_at = clock.now()
            session.delete(draft)
    session.flush()


def _of_number(session: Session, item_id: UUID, *, lock: bool = False) -> tuple[InboxItem, Conversation]:
    item = session.get(InboxItem, item_id, with_for_update=lock)
    if item is None or item.clinic_id != sessions.clinic().id or item.conversation_id is None:
        abort(404)
    return item, session.get_one(Conversation, item.conversation_id, with_for_update=lock)


def _unknown(session: Session, item_id: UUID, *, lock: bool = False) -> tuple[InboxItem, Conversation]:
    """The item of a number that is nobody's or several people's; whoever comes late is shown how it stands."""
    item, conversation = _of_number(session, item_id, lock=lock)
    if item.patient_id is not None:
        raise number_owner.NotUnknown
    return item, conversation


@identify.errorhandler(number_owner.NotUnknown)
def _too_late(_late: Exception) -> Response:
    """Somebody has said whose it is meanwhile: show how it stands."""
    flash(words.say("refusals", "not_unknown"))
    return _case((request.view_args or {})["item_id"])


def _patient(session: Session, clinic: Clinic) -> Patient | None:
    try:
        patient = session.get(Patient, UUID(request.form.get("patient", "")))
    except ValueError:
        return None
    return patient if patient is not None and patient.clinic_id == clinic.id else None


def _case(item_id: UUID) -> Response:
    return redirect(url_for("inbox.case", item_id=item_id, view="everyone"), 303)


def _page(
    session: Session,
    clinic: Clinic,
    item: InboxItem,
    conversation: Conversation,
    *,
    patient: Patient | None = None,
    **facts: Any,
) -> str:
    sharing = directory.patients_with_number(session, clinic, conversation.number or "")
    before = directory.textable_number(session, patient) if patient else None
    defaults: dict[str, Any] = {
        "sought": "",
        "answer": None,
        "typed_new": {},
        "new_problem": None,
        "problem": None,
    }
    return layout.page(
        session,
        "staff/identify.html",
        here="everyone",
        item_id=item.id,
        known=unknown_number.known(session, clinic, conversation, readable=layout.reads(None)),
        sharing=patient_lists.hits(session, clinic, sharing, reads_inbox=True),
        patient=patient_lists.hits(session, clinic, [patient], reads_inbox=True)[0] if patient else None,
        before=phone.display(before.number or "") if before else "",
        script=asking.script("reminders"),
        **(defaults | facts),
    )
