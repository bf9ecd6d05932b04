"""Reads an OperationOutcome: what the EHR says about its own answer, by its code and never by its words."""

from interchange.fhir.references import Context
from interchange.fhir.values import Resource, objects, text

# Epic's codes (open.epic.com, "Error codes"), in issue.details.coding.
CODES = {
    "4101": "",  # nothing fits: no problem
    "4107": "patient_merged",
    "4113": "search_incomplete",
    "4118": "restricted",
    "4119": "search_incomplete",
    "4122": "filter_ignored",
    "4127": "search_incomplete",
    "59133": "search_incomplete",
    "4130": "restricted",
    "4131": "restricted",
    "4134": "restricted",
}
SEVERITIES = {"fatal": "outcome_error", "error": "outcome_error", "warning": "outcome_warning"}


def note(outcome: Resource, context: Context) -> None:
    """Tell each issue of an outcome once."""
    for place, issue in enumerate(objects(outcome, "issue")):
        codes = [text(coding, "code") for coding in objects(issue, "details", "coding")]
        named = next((CODES[code] for code in codes if code in CODES), None)
        problem = SEVERITIES.get(text(issue, "severity"), "") if named is None else named
        if problem:
            context.note(problem, f"/issue/{place}")
