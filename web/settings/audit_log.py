"""The audit log as an auditor reads it: by who, whom, what and when, as CSV, and who was told what of a patient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, abort, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from config import audit, clock, db
from config.audit import AuditEntry
from messaging.models import Clinic, Patient, Staff
from messaging.people import directory
from web import csv_sheets, ids, layout, permissions, sessions, team, times, words
from web.presenters import patient_view, short_names
from web.settings import audit_names, audit_search

audits = layout.room("audits", __name__)
SHOWN, EXPORTED, DISCLOSED = 100, 50_000, 2_000
COLUMNS = ("at", "actor", "name", "act", "about", "detail", "seq", "hash")


@dataclass(frozen=True)
class Line:
    """A line of the audit in words; `sealed` is its number in the chain, None for a second or two."""

    at: str
    who: str
    role: str
    act: str
    about: str
    detail: str
    sealed: int | None
    emergency: bool


@audits.get("/audit")
@permissions.signed_in("audit.read")
def show() -> str:
    """Show the newest lines that are wanted; that they were read is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return _page(session, audit_search.Wanted.of_query(request.args))


@audits.post("/audit")
@permissions.signed_in("audit.read")
def look() -> AnyResponse | tuple[str, int]:
    """Find the patient of a record number, which stands in no address, and lead to the lines."""
    typed = request.form.get("record", "").strip()[:40]
    wanted = audit_search.Wanted.of_query(request.form)
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        patient = directory.find_by_record(session, clinic, typed) if typed else None
        if typed and patient is None:
            return _page(session, wanted, problem=words.say("audit", "nobody"), typed=typed), 404
    named = {"patient": str(patient.id)} if patient is not None else {}
    values: dict[str, Any] = wanted.args() | named
    return redirect(url_for("audits.show", **values), 303)


@audits.get("/audit.csv")
@permissions.signed_in("audit.read", fresh=True)
def download() -> Response:
    """Return the lines that are wanted as CSV; that they were taken is written down first."""
    clinic, wanted = sessions.clinic(), audit_search.Wanted.of_query(request.args)
    with db.unit_of_work(clinic.id) as session:
        rows = audit_search.entries(session, clinic, wanted, limit=EXPORTED)
        _write_down(session, "audit.exported", wanted, len(rows))
        people = team.everyone(session, clinic.id)
        lines = [_cells(row, people) for row in rows]
    return csv_sheets.answer(f"audit-{clock.now():%Y-%m-%d}.csv", COLUMNS, lines)


@audits.get("/audit/patients/<uuid:patient_id>")
@permissions.signed_in("audit.read")
def disclosures(patient_id: UUID) -> str:
    """Show who read or was given what of a patient, and when, to be printed; that it was made is written down."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        patient = patient_view.find(session, clinic, patient_id) or abort(404)
        wanted = audit_search.Wanted(patient_id=patient.id)
        rows = audit_search.entries(session, clinic, wanted, limit=DISCLOSED)
        told = [row for row in rows if _is_disclosure(row)]
        about = f"patient:{patient.id}"
        audit.record(session, clinic.id, layout.the_actor(), "audit.disclosures", about, rows=len(told))
        names = audit_names.of_lines(session, told, team.everyone(session, clinic.id))
        made = times.moment(clock.now(), clock.now(), clinic.zone)
        return layout.page(
            session,
            "staff/disclosures.html",
            here="audit",
            name=_name(session, patient),
            record=patient.record or "",
            made=words.say("audit", "made", at=made, who=layout.the_staff().name, clinic=clinic.name),
            lines=[_line(row, names, clinic) for row in told],
            cut=len(rows) >= DISCLOSED,
        )


def _is_disclosure(row: AuditEntry) -> bool:
    return row.act in words.table_of("disclosures") or row.act.startswith("api.")


def _page(session: Session, wanted: audit_search.Wanted, *, problem: str = "", typed: str = "") -> str:
    clinic = sessions.clinic()
    before = ids.uuid_of(request.args.get("before"))
    rows = audit_search.entries(session, clinic, wanted, limit=SHOWN + 1, before=before)
    _write_down(session, "audit.read", wanted, len(rows[:SHOWN]))
    people = team.everyone(session, clinic.id)
    names = audit_names.of_lines(session, rows[:SHOWN], people)
    patient = session.get(Patient, wanted.patient_id) if wanted.patient_id else None
    if patient is not None and patient.clinic_id != clinic.id:
        abort(404)
    record = (_record(session, patient) if patient is not None else "") or typed
    return layout.page(
        session,
        "staff/audit.html",
        here="audit",
        lines=[_line(row, names, clinic) for row in rows[:SHOWN]],
        more=rows[SHOWN - 1].id if len(rows) > SHOWN else None,
        wanted=wanted,
        record=record,
        patient_id=wanted.patient_id,
        people=[(str(each.id), each.name) for each in people.values()],
        kinds=list(words.table_of("audit_kinds").items()),
        problem=problem,
    )


def _write_down(session: Session, act: str, wanted: audit_search.Wanted, count: int) -> None:
    clinic = sessions.clinic()
    about = f"patient:{wanted.patient_id}" if wanted.patient_id else f"clinic:{clinic.id}"
    facts = {"kind": wanted.kind or None, "of": str(wanted.staff_id) if wanted.staff_id else None}
    audit.record(session, clinic.id, layout.the_actor(), act, about, rows=count, **facts)


def _line(row: AuditEntry, names: audit_names.Names, clinic: Clinic) -> Line:
    actor, (kind, _, row_id) = audit.Actor(row.actor), row.about.partition(":")
    colleague = names.staff.get(actor.staff_id) if actor.staff_id else None
    return Line(
        at=times.exact(row.at, clinic.zone),
        who=colleague.name if colleague is not None else words.say("proof_actors", actor.kind),
        role=words.say("roles", colleague.role) if colleague is not None else "",
        act=words.table_of("disclosures").get(row.act) or _plain(row.act),
        about=names.of(kind, row_id),
        detail=names.details(row.detail, clinic.zone),
        sealed=row.seq,
        emergency="emergency" in row.detail,
    )


def _plain(act: str) -> str:
    """Return "Care: month closed" of "care.month_closed": the CSV has it as it is kept.

    A subject that pages call by another name than the log has that name: "Opt-out mismatches: opened".
    """
    subject, _, done = act.partition(".")
    called = words.table_of("audit_subjects").get(subject) or subject.replace("_", " ").capitalize()
    return f"{called}: {done.replace('_', ' ')}" if done else called


def _cells(row: AuditEntry, people: Mapping[UUID | None, Staff]) -> list[str]:
    colleague = people.get(audit.Actor(row.actor).staff_id)
    detail = "; ".join(f"{name}={value}" for name, value in sorted(row.detail.items()) if value is not None)
    name = colleague.name if colleague is not None else ""
    at = row.at.isoformat(timespec="milliseconds")
    return [at, row.actor, name, row.act, row.about, detail, str(row.seq or ""), row.hash or ""]


def _record(session: Session, patient: Patient) -> str:
    db.load_keys(session, [patient.key_id])
    return patient.record or ""


def _name(session: Session, patient: Patient) -> str:
    db.load_keys(session, [patient.key_id])
    return patient_view.full_name(patient) if layout.may("patients.names") else short_names.initials(patient)
