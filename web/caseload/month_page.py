"""A month for whoever bills: minutes, why others do not count, codes, what is missing, closing it, evidence and CSV."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from caseload import billing, episodes, months
from caseload.codes import proposing, reasons
from caseload.models import CareMonth
from caseload.months import Month
from config import audit, clock, db
from messaging.models import Clinic
from records import paper
from reminders import care_model
from web import csv_sheets, layout, permissions, sessions, team, times, words
from web.caseload import evidence_sheet
from web.presenters import month_view, patient_view, stay_view

care_months = layout.room("care_months", __name__)


@dataclass(frozen=True)
class Row:
    """An episode's month in words. `choices` are (place, words) to close it with; `closed` says who has; `stays` those
    in a hospital."""

    id: UUID
    patient_id: UUID
    name: str
    minutes: int
    excluded: list[str]
    stays: list[stay_view.Line]
    choices: list[tuple[int, str]]
    to_next: str
    warnings: list[str]
    missing: list[str]
    closed: str
    codes: str
    changed: str


@care_months.get("/caseload/month")
@permissions.signed_in("caseload.bill")
def show() -> str:
    """Show a month, the one that runs where none is named; that it was read is written down."""
    clinic = sessions.clinic()
    month = _wanted(clinic)
    with db.unit_of_work(clinic.id) as session:
        people = team.everyone(session, clinic.id)
        rows = [_row(each, clinic, people) for each in _billed(session, clinic, month, "page")]
        return layout.page(
            session,
            "staff/care_month.html",
            here="care_month",
            model=care_model.of_clinic(clinic),
            rows=rows,
            month=f"{words.say('months', str(month.month))} {month.year}",
            address=str(month),
            before=str(_before(month)),
            after=None if month >= month_view.this_month(clinic) else str(month.next),
            runs=month >= month_view.this_month(clinic),
            opens=layout.may("caseload.read"),
            proves=layout.may("caseload.evidence"),
        )


@care_months.get("/caseload/month.csv")
@permissions.signed_in("caseload.bill", fresh=True)
def sheet() -> Response:
    """Return the month as CSV for billing; that it was taken is written down."""
    clinic = sessions.clinic()
    month = _wanted(clinic)
    with db.unit_of_work(clinic.id) as session:
        billed, people = _billed(session, clinic, month, "csv"), team.everyone(session, clinic.id)
        lines = [_cells(each, _row(each, clinic, people), clinic, people) for each in billed]
    name = f"collaborative-care-{month}.csv"
    return csv_sheets.answer(name, words.table_of("care_bill_columns").values(), lines)


@care_months.get("/caseload/month/<uuid:episode_id>")
@permissions.signed_in("caseload.evidence")
def evidence_page(episode_id: UUID) -> str:
    """Show the evidence of one episode's month as a page that prints well."""
    clinic, month = sessions.clinic(), _wanted(sessions.clinic())
    with db.unit_of_work(clinic.id) as session:
        sheet = _sheet(clinic, _evidence(session, clinic, episode_id, month, "page"))
        return layout.page(
            session, "staff/care_evidence.html", here="care_month", sheet=sheet, id=episode_id, month=str(month)
        )


@care_months.get("/caseload/month/<uuid:episode_id>.pdf")
@permissions.signed_in("caseload.evidence", fresh=True)
def evidence_paper(episode_id: UUID) -> Response:
    """Return the evidence of one episode's month as a PDF file."""
    clinic, month = sessions.clinic(), _wanted(sessions.clinic())
    with db.unit_of_work(clinic.id) as session:
        sheet = _sheet(clinic, _evidence(session, clinic, episode_id, month, "paper"))
    content = paper.pdf_of(words.say("care_evidence", "title"), sheet, clock.now())
    return _file(content, "application/pdf", f"evidence-{month}-{episode_id.hex[-6:]}.pdf")


@care_months.get("/caseload/month/<uuid:episode_id>.json")
@permissions.signed_in("caseload.evidence", fresh=True)
def evidence(episode_id: UUID) -> Response:
    """Return the evidence of one episode's month as data."""
    clinic, month = sessions.clinic(), _wanted(sessions.clinic())
    with db.unit_of_work(clinic.id) as session:
        document = _evidence(session, clinic, episode_id, month, "json")
    content = json.dumps(document, indent=1, ensure_ascii=False)
    return _file(content, "application/json", f"evidence-{month}-{episode_id.hex[-6:]}.json")


@care_months.post("/caseload/month/<uuid:episode_id>")
@permissions.signed_in("caseload.bill")
def close(episode_id: UUID) -> AnyResponse:
    """Close an episode's month with what was chosen."""
    clinic, month, chosen = sessions.clinic(), _wanted(sessions.clinic()), request.form.get("choice", "")
    try:
        with db.unit_of_work(clinic.id) as session:
            billed = billing.of_episode(session, clinic, episode_id, month) or abort(404)
            place, incomplete = int(chosen) if chosen.isdecimal() else -1, "incomplete" in request.form
            billing.close(session, clinic, layout.the_staff(), billed, place, incomplete=incomplete)
    except episodes.Refused as refused:
        flash(words.say("refusals", refused.why), "refused")
    else:
        flash(words.say("notices", "care_month_closed"), "done")
    return redirect(url_for("care_months.show", month=str(month)), 303)


def _file(content: str | bytes, kind: str, name: str) -> Response:
    named = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype=kind, headers=named)


def _evidence(session: Session, clinic: Clinic, episode_id: UUID, month: Month, form: str) -> dict[str, Any]:
    """Return the evidence as the month was closed, else as it is now, and whose it is. That it was read is written
    down."""
    billed = billing.of_episode(session, clinic, episode_id, month) or abort(404)
    about = f"care_episode:{episode_id}"
    audit.record(session, clinic.id, layout.the_actor(), "care.evidence", about, month=str(month), form=form)
    document = json.loads(billed.closed.evidence or "{}") if billed.closed else billed.evidence
    changed = reasons.words(billed.changed) if billed.changed else None
    whose = {"patient": patient_view.full_name(billed.row.patient), "record": billed.row.patient.record}
    return {**document, **whose, **_as_closed(session, clinic, billed), "changed": changed}


def _as_closed(session: Session, clinic: Clinic, billed: billing.Billed) -> dict[str, Any]:
    closed = billed.closed
    if closed is None:
        return {"closed_with": None, "closed_at": None, "closed_by": None}
    who = team.names(session, [closed.closed_by]).get(closed.closed_by, words.say("history", "somebody"))
    at = closed.closed_at.astimezone(ZoneInfo(clinic.zone)).isoformat()
    return {"closed_with": closed.codes, "closed_at": at, "closed_by": who}


def _sheet(clinic: Clinic, document: dict[str, Any]) -> paper.Sheet:
    made = words.say("summary", "made", who=layout.the_staff().name, at=times.exact(clock.now(), clinic.zone))
    codes = document["closed_with"] if document["closed_with"] is not None else document["codes"]
    return evidence_sheet.sheet(document, clinic.name, _written(codes), made)


def _wanted(clinic: Clinic) -> Month:
    try:
        return months.parse(request.values.get("month", ""))
    except ValueError:
        return month_view.this_month(clinic)


def _before(month: Month) -> Month:
    return Month(month.year - (month.month == 1), (month.month - 2) % 12 + 1)


def _billed(session: Session, clinic: Clinic, month: Month, form: str) -> list[billing.Billed]:
    """Return the month of each episode, where there is a registry; that it was read is written down."""
    if not care_model.of_clinic(clinic).registry:
        return []
    about = f"clinic:{clinic.id}"
    audit.record(session, clinic.id, layout.the_actor(), "care.month_opened", about, form=form, month=str(month))
    return billing.of_clinic(session, clinic, month)


def _row(billed: billing.Billed, clinic: Clinic, people: stay_view.People) -> Row:
    proposal, closed = billed.reckoning.proposal, billed.closed
    return Row(
        id=billed.row.episode.id,
        patient_id=billed.row.patient.id,
        name=patient_view.full_name(billed.row.patient),
        minutes=billed.reckoning.count.minutes,
        excluded=month_view.excluded(billed.reckoning.count),
        stays=[stay_view.line(each, people, clinic.zone) for each in billed.stays],
        choices=[(place, _codes(choice)) for place, choice in enumerate(billed.choices)],
        to_next=month_view.to_next(proposal.to_next, billed.reckoning.month, episodes.today_of(clinic)),
        warnings=[reasons.words(warning) for warning in proposal.warnings],
        missing=[words.say("care_missing", name) for name in billed.evidence["missing"]],
        closed=_closed(clinic, people, closed) if closed else "",
        codes=_written(closed.codes) if closed else "",
        changed=reasons.words(billed.changed) if billed.changed else "",
    )


def _closed(clinic: Clinic, people: stay_view.People, closed: CareMonth) -> str:
    who = team.name_of(people, closed.closed_by, words.say("history", "somebody"))
    return words.say("care", "closed", who=who, at=times.moment(closed.closed_at, clock.now(), clinic.zone))


def _cells(billed: billing.Billed, row: Row, clinic: Clinic, people: stay_view.People) -> list[str]:
    """The cells of an episode's month in the order of [care_bill_columns], each day as a day."""
    episode, patient, closed = billed.row.episode, billed.row.patient, billed.closed
    payer, clinician = words.say("care_payers", episode.payer), team.name_of(people, episode.practitioner_id, "")
    visit = [episode.initiating_on.isoformat() if episode.initiating_on else "", episode.initiating_code or ""]
    proposed = words.say("care", "or").join(said for _, said in row.choices)
    by = team.name_of(people, closed.closed_by, words.say("history", "somebody")) if closed else ""
    on = episodes.day_of(clinic, closed.closed_at).isoformat() if closed else ""
    return [
        *(str(billed.reckoning.month), patient.record or "", row.name, patient.birth_date or "", payer, clinician),
        *(episode.diagnosis or "", *visit),
        *(str(row.minutes), proposed, row.codes, by, on, "; ".join(row.missing), row.changed),
    ]


def _codes(choice: tuple[proposing.Units, ...]) -> str:
    return _written([{"code": each.code, "units": each.units} for each in choice])


def _written(codes: list[dict[str, object]]) -> str:
    """Codes as a biller writes them, "99493 + 99494 × 2"; in words where there are none."""
    said = [f"{each['code']} × {each['units']}" if each["units"] != 1 else str(each["code"]) for each in codes]
    return " + ".join(said) or words.say("care", "no_code")
