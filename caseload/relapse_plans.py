"""What a patient and their care manager write down against a relapse, each version kept; read by the patient, where
it is shared, on their own page behind the birth date, and never texted."""

from caseload.models import RelapsePlan
from messaging.people import plans
from reminders import merging

SECTIONS = ("warning_signs", "what_helps", "medication", "whom_to_call", "next_checks")
KIND = plans.Kind(RelapsePlan, SECTIONS, "relapse_plan")
merging.FOLLOWS["relapse_plans"] = RelapsePlan
