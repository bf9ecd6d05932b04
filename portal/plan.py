"""The patient's plan to stay well, on their own page: behind the link and the birth date, and nowhere else."""

from werkzeug.wrappers import Response

from caseload import relapse_plans
from portal.pages import Here, inside, own

__all__ = ["own", "plan"]


@own.get("/plan")
@inside(acting=False)
def plan(here: Here) -> Response:
    """Show the plan that holds, if the patient may read it."""
    sections = relapse_plans.shared(here.session, here.patient.id)
    return here.page("plan", 200 if sections else 404, sections=sections)
