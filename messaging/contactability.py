"""May this person be texted, and if not, why: facts in, refusal out. Every place that texts or says so asks here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

# The lines of a number that are texted; see messaging.models.PatientNumber.
TEXTABLE = ("unknown", "mobile")


class Refusal(StrEnum):
    """Why a text may not go. The value is what a row keeps of it, `key` finds its words."""

    INACTIVE = "inactive"
    NO_NUMBER = "no number"
    WRONG_PERSON = "wrong person"
    LANDLINE = "landline"
    DEAD = "dead number"
    OPTED_OUT = "opted out"  # of everything
    OPTED_OUT_OF_REMINDERS = "opted out of reminders"  # and not of everything
    OPTED_OUT_OF_SCREENING = "opted out of questionnaires"
    OPTED_OUT_OF_CARE_TEAM = "opted out of the care team's texts"
    NO_CONSENT = "no consent"

    @property
    def key(self) -> str:
        """Its name in tables of words and in templates."""
        return self.name.lower()


LINES = {"landline": Refusal.LANDLINE, "dead": Refusal.DEAD, "wrong_person": Refusal.WRONG_PERSON}
OPTED_OUT_OF = {
    "reminders": Refusal.OPTED_OUT_OF_REMINDERS,
    "screening": Refusal.OPTED_OUT_OF_SCREENING,
    "care_team": Refusal.OPTED_OUT_OF_CARE_TEAM,
}
OPT_OUTS = frozenset({Refusal.OPTED_OUT, *OPTED_OUT_OF.values()})
# They or their record say no: nobody is asked to make up for the text with a call.
WISHES = frozenset({Refusal.INACTIVE, Refusal.NO_CONSENT, *OPT_OUTS})


@dataclass(frozen=True)
class Number:
    """A telephone number as it concerns one person.

    `own` is its line in their record, None where it does not stand there (a stranger's, or of several who share it);
    `others` are its lines in other records; `agreed` says of every programme granted | revoked | unknown.
    """

    own: str | None
    others: frozenset[str]
    agreed: Mapping[str, str]

    @property
    def shared(self) -> bool:
        """Whether others have given it too, and nobody has said that it is not theirs."""
        return bool(self.others - {"wrong_person"})


@dataclass(frozen=True)
class Facts:
    """What decides: the state of the patient's record (None: nobody's) and their numbers, the last given last."""

    state: str | None
    numbers: Sequence[Number] = ()


def number_meant(facts: Facts) -> Number | None:
    """Return the number that texts go to: the last given that can be texted."""
    return next((each for each in reversed(facts.numbers) if each.own in (None, *TEXTABLE)), None)


def refusal(facts: Facts, programme: str | None, *, answering: bool = False) -> Refusal | None:
    """Return why no text of `programme` may go to this person now; None if one may.

    `answering` lets us answer a number that wrote and never agreed, nobody's or a stranger's too. `programme` None asks
    nothing of consent: for the last word after it was taken back.
    """
    if facts.state not in (None, "active"):
        return Refusal.INACTIVE
    number = number_meant(facts)
    if number is None:
        last = facts.numbers[-1].own if facts.numbers else None
        return LINES.get(last or "", Refusal.NO_NUMBER)
    return _of_line(number, answering) or (_of_consent(number, programme, answering) if programme else None)


def of_programmes(facts: Facts, programmes: Sequence[str]) -> dict[str, Refusal | None]:
    """Return by programme why nothing of it may be texted unasked."""
    return {programme: refusal(facts, programme) for programme in programmes}


def _of_line(number: Number, answering: bool) -> Refusal | None:
    learnt = next((line for line in ("dead", "landline") if line in number.others), None)
    if learnt:  # what one text has taught us holds for everybody who gave the number
        return LINES[learnt]
    # Of several who gave it, one may still be right.
    strangers = number.own is None and number.others == {"wrong_person"}
    return Refusal.WRONG_PERSON if strangers and not answering else None


def _of_consent(number: Number, programme: str, answering: bool) -> Refusal | None:
    agreed = number.agreed[programme]
    if agreed == "revoked":
        everything = set(number.agreed.values()) == {"revoked"}
        return Refusal.OPTED_OUT if everything else OPTED_OUT_OF[programme]
    return Refusal.NO_CONSENT if agreed == "unknown" and not answering else None
