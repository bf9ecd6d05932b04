"""Who may belong into Collaborative Care and is not enrolled yet: each with why, and the way to enrol them."""

from dataclasses import dataclass
from uuid import UUID

from caseload import proposals
from config import audit, clock, db
from messaging.models import Clinic
from reminders import care_model
from web import layout, permissions, sessions, times, words
from web.presenters import patient_view

care_proposals = layout.room("care_proposals", __name__)


@dataclass(frozen=True)
class Line:
    """Somebody who is proposed, and why, the latest first."""

    patient_id: UUID
    name: str
    age: str
    panel: str
    whys: list[str]


@care_proposals.get("/caseload/proposed")
@permissions.signed_in("caseload.work")
def show() -> str:
    """Show who is proposed, the latest first; that it was read is written down."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        model = care_model.of_clinic(clinic)
        lines = [_line(each, clinic) for each in proposals.of_clinic(session, clinic)] if model.registry else []
        about = f"clinic:{clinic.id}"
        audit.record(session, clinic.id, layout.the_actor(), "caseload.opened", about, form="proposed", rows=len(lines))
        return layout.page(
            session,
            "staff/care_proposals.html",
            here="caseload",
            model=model,
            lines=lines,
            days=proposals.RECENT.days,
        )


def _line(each: proposals.Proposal, clinic: Clinic) -> Line:
    now = clock.now()
    return Line(
        patient_id=each.patient.id,
        name=patient_view.full_name(each.patient),
        age=patient_view.age(each.patient),
        panel=each.patient.panel or "",
        whys=[words.say("care_proposals", why, at=times.moment(at, now, clinic.zone)) for why, at in each.whys],
    )
