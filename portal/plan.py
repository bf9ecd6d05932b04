"""The patient's plans, to stay well and for a crisis, on their own page: behind the link and the birth date, and
nowhere else."""

from werkzeug.wrappers import Response

from caseload import relapse_plans
from messaging.people import safety_plans
from portal.pages import Here, inside, own

__all__ = ["own", "plan", "safety"]


@own.get("/plan")
@inside(acting=False)
def plan(here: Here) -> Response:
    """Show the plan to stay well that holds, if the patient may read it."""
    sections = relapse_plans.KIND.shared(here.session, here.patient.id)
    return here.page("plan", 200 if sections else 404, sections=sections, kind="plan")


@own.get("/safety-plan")
@inside(acting=False)
def safety(here: Here) -> Response:
    """Show the safety plan that holds, if the patient may read it; where help is stands below, as on every page."""
    sections = safety_plans.KIND.shared(here.session, here.patient.id)
    return here.page("plan", 200 if sections else 404, sections=sections, kind="safety")
