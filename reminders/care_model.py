"""How a clinic's behavioral-health care is organised, and after how many days what is due: one of its decisions."""

from typing import Annotated, Literal, get_args

import pydantic
from pydantic import Field
from sqlalchemy.orm import Session

from messaging.models import Clinic
from messaging.versions import publishing

NAME = "care"
# From the least to the most shared; each keeps what those before it have.
Model = Literal["coordinated", "colocated", "collaborative", "integrated"]
MODELS: tuple[Model, ...] = get_args(Model)
WITH_REGISTRY = frozenset({"collaborative", "integrated"})
EXPECTED = {
    "int_type": "a whole number of days",
    "int_parsing": "a whole number of days",
    "greater_than_equal": "at least a week",
    "less_than_equal": "at most half a year",
    "literal_error": "expected one of those that are offered",
    "missing": "this must be given",
    "extra_forbidden": "unknown",
}
# Which rules of the registry's to-do can be made inbox items too. Of a self-harm item and of questions that stay
# without an answer there is one always; a question is the consultant's.
Rule = Literal[
    "emergency",
    "worse",
    "high",
    "two_open",
    "contact",
    "not_better",
    "recommendation",
    "review",
    "review_owed",
    "score",
    "relapse_check",
    "inactive",
]
RULES: tuple[Rule, ...] = get_args(Rule)
Days = Annotated[int, Field(ge=7, le=183)]


class Terms(pydantic.BaseModel):
    """The care model, after how many days a contact, a score and a review are due in either phase, what that is due
    is made an inbox item, and whether patients in care see on their own page how their answers have moved."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    model: Model = "coordinated"
    contact: Days = 14
    contact_in_relapse_prevention: Days = 30
    score: Days = 30
    review: Days = 30
    review_in_relapse_prevention: Days = 60
    items: tuple[Rule, ...] = ()
    own_line: bool = False

    @pydantic.field_validator("items")
    @classmethod
    def _in_order(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        """Each once, in their own order: two who choose the same have decided the same."""
        return tuple(rule for rule in RULES if rule in rules)

    @property
    def registry(self) -> bool:
        """Whether this model has a registry, a consultant and codes."""
        return self.model in WITH_REGISTRY


def of_clinic(clinic: Clinic) -> Terms:
    """Return the terms that hold; a clinic that has decided nothing works in the coordinated model."""
    return Terms.model_validate(clinic.rules.get(NAME, {}))


def _present(_session: Session, clinic: Clinic) -> publishing.Definition:
    return of_clinic(clinic).model_dump(mode="json")


def _take_effect(_session: Session, clinic: Clinic, definition: publishing.Definition, _actor: str) -> None:
    clinic.rules = {**clinic.rules, NAME: definition}


CARE = publishing.Kind(
    NAME,
    read=publishing.reading(Terms, EXPECTED),
    present=_present,
    take_effect=_take_effect,
    model=Terms,
    shipped=lambda: Terms().model_dump(mode="json"),
)
