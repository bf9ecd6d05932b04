"""A patient's safety plan, written with them; every version is kept.

The sections follow the Safety Planning Intervention of Stanley and Brown (Cognitive and Behavioral Practice 19,
2012), with short headings of our own in the texts.
"""

from messaging.models import SafetyPlan
from messaging.people import plans

SECTIONS = ("warning_signs", "coping", "places", "people", "professionals", "means")
KIND = plans.Kind(SafetyPlan, SECTIONS, "safety_plan")
