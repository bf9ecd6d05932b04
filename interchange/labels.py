"""That a patient's records fall under 42 CFR Part 2, as an EHR says it: an act beside what else is said (pure)."""

from collections.abc import Sequence

PART_TWO = "part_two.label"
Act = dict[str, object]


def acts(told: Sequence[Act]) -> list[Act]:
    """Return an act for each patient of whom something was told, in their order."""
    whose = [(act["patient"], act.get("person")) for act in told if act.get("patient")]
    alone = [each for place, each in enumerate(whose) if each[0] not in [patient for patient, _ in whose[:place]]]
    return [{"act": PART_TWO, "patient": patient} | ({"person": person} if person else {}) for patient, person in alone]
