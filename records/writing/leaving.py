"""What may leave for an EHR: nothing that the clinic has not said of this very connection. The one place (pure).

42 CFR Part 2 (records of programs that treat substance use) forbids a disclosure without the patient's consent, to the
patient's other EHR as well; a clinic that has that consent says so for a connection. AUDIT-C asks about alcohol, and a
clinic may keep it to itself whether it is such a program or not; so it may with texts that speak of alcohol or drugs.
"""

from collections.abc import Collection
from dataclasses import dataclass

from messaging.ehr_outbox.allowances import AUDIT_C, CHANGES, PART_TWO, SUBSTANCES

KIND = "kind_off"
# What a connection may be allowed beyond its kinds, by the names the clinic's choice is kept under.
ALLOWANCES = (PART_TWO, AUDIT_C, CHANGES, SUBSTANCES)


@dataclass(frozen=True)
class Facts:
    """What something is (a screen, visit, handoff, a day's texts or one of them), of which instrument ("" of the
    others), whether of a Part 2 program, of a visit whether the patient cannot come, and of a text whether it speaks
    of alcohol or drugs."""

    kind: str
    instrument: str = ""
    part_two: bool = False
    change_asked: bool = False
    substances: bool = False


def kept_back(facts: Facts, kinds: Collection[str], allows: Collection[str]) -> str | None:
    """Return why this may not leave by a connection that hears of `kinds` and `allows` more, None where it may."""
    if facts.kind not in kinds:
        return KIND
    if facts.part_two and PART_TWO not in allows:
        return PART_TWO
    if facts.instrument == AUDIT_C and AUDIT_C not in allows:
        return AUDIT_C
    if facts.change_asked and CHANGES not in allows:
        return CHANGES
    if facts.substances and SUBSTANCES not in allows:
        return SUBSTANCES
    return None
