"""Everything a clinic decides for itself, kind by kind: what its settings pages and its file go through."""

from intake_links import scoring
from messaging.inbox import policy_decision, protocol
from messaging.second_reading import standing
from messaging.versions.publishing import Kind
from messaging.wording import clinic_words
from reminders import cadence_decision, care_model, clinic_profile, questionnaires, satisfaction, single_sign_on
from reminders.handoff.decision import HANDOFFS


def bands() -> dict[str, list[str]]:
    """Return the names of the bands of each instrument, lowest first: what a rule about who gets what may ask for."""
    return {name: [band.name for band in scoring.instrument(name).bands()] for name in scoring.instruments()}


RULES = policy_decision.kind(bands)
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        clinic_profile.CLINIC,
        clinic_words.WORDS,
        cadence_decision.CADENCE,
        RULES,
        questionnaires.SCHEDULE,
        protocol.PROTOCOL,
        standing.SECOND_READING,
        HANDOFFS,
        care_model.CARE,
        satisfaction.SATISFACTION,
        single_sign_on.SINGLE_SIGN_ON,
    )
}
