"""What can be said of an item, and what each saying allows: facts in, decision out.

Their words stand in texts/staff.toml. Policy, not law: whoever is owed a person is only settled once a person was
reached or others are on their way to them.
"""

from datetime import timedelta

NEEDS_ACKNOWLEDGEMENT = ("safety", "screen")

# For an item that is owed a person, in the order they are offered.
GROUPS = {
    "reached": ("reached_by_phone", "in_person"),
    "assessed": ("assessed_low", "assessed_plan", "assessed_transfer", "assessed_follow_up"),
    "emergency": ("emergency_services", "welfare_check"),
    "not_reached": ("could_not_reach", "wrong_person"),
}
ORDINARY = ("handled", "replied")
# How what colleagues ask of each other ends. A task is closed by what came of it and by nothing else.
OF_TEAM = {
    "task": ("task_done", "task_not_possible", "task_not_needed"),
    "mention": ("mention_read", "mention_answered"),
    "note": ("mention_read", "mention_answered"),
}
# How a task ends that goes after a social need: what came of the referral.
OF_NEED = ("need_connected", "need_declined", "need_not_reached", "need_no_service")
# Said by whoever had asked, and of no other kind of item.
WITHDRAWN = "withdrawn"
_MET = (*GROUPS["reached"], *GROUPS["assessed"], *GROUPS["emergency"])
# A positive screen of somebody else can be closed; words of a crisis come from somebody, whoever it is.
_ENDS = {"safety": _MET, "screen": (*_MET, "wrong_person")}
# How far off the next try may be.
LATEST_TRY = {"safety": timedelta(hours=4), "screen": timedelta(hours=72)}


def fits(kind: str, disposition: str) -> bool:
    """Whether this can be said of an item of this kind at all."""
    if kind in OF_TEAM:
        needs = OF_NEED if kind == "task" else ()
        return disposition in (*OF_TEAM[kind], *needs, WITHDRAWN)
    owed = [key for group in GROUPS.values() for key in group]
    return disposition in owed or (kind not in NEEDS_ACKNOWLEDGEMENT and disposition in ORDINARY)


def unsaid(kind: str) -> str | None:
    """Return what closing an item of this kind means where nothing was said, None where it must be said."""
    if kind not in OF_TEAM:
        return "handled"
    return None if kind == "task" else OF_TEAM[kind][0]


def ends(kind: str, disposition: str) -> bool:
    """Whether this acknowledges an item of this kind, and lets it be settled."""
    return disposition in _ENDS[kind] if kind in _ENDS else fits(kind, disposition)


def needs_note(disposition: str) -> bool:
    """Whether this is a clinical judgement, which says in a note what it rests on."""
    return disposition in GROUPS["assessed"]


def needs_next_try(kind: str, disposition: str) -> bool:
    """Whether this leaves somebody unreached, so that it must say when the next try is."""
    return fits(kind, disposition) and not ends(kind, disposition)
