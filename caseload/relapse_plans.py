"""What a patient and their care manager write down against a relapse, each version kept; read by the patient, where
it is shared, on their own page behind the birth date, and never texted."""

from uuid import UUID

from sqlalchemy.orm import Session

from caseload.models import RelapsePlan
from config import db
from messaging.people import plans
from reminders import merging

SECTIONS = ("warning_signs", "what_helps", "medication", "whom_to_call", "next_checks")
KIND = plans.Kind(RelapsePlan, SECTIONS, "relapse_plan")
merging.FOLLOWS["relapse_plans"] = RelapsePlan


def shared(session: Session, patient_id: UUID) -> dict[str, str]:
    """Return the sections of the plan that holds, where the patient may read it; else none."""
    plan = KIND.current(session, patient_id)
    if plan is None or not plan.shared:
        return {}
    db.load_keys(session, [plan.key_id])
    return KIND.sections(plan)
