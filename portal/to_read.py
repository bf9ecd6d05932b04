"""What a patient may read of their care on pages of its own: how their answers have moved, and their plans."""

from uuid import UUID

from sqlalchemy.orm import Session

from caseload import own_line, relapse_plans
from messaging.models import Clinic
from messaging.people import safety_plans


def of(session: Session, clinic: Clinic, patient_id: UUID) -> list[str]:
    """Return the names of the pages on which there is something for this patient."""
    there_is = {
        "line": own_line.of_patient(session, clinic, patient_id),
        "plan": relapse_plans.KIND.shared(session, patient_id),
        "safety": safety_plans.KIND.shared(session, patient_id),
    }
    return [page for page, something in there_is.items() if something]
