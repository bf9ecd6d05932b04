"""What one administrator does not give alone: patients' words, and deciding or agreeing for the clinic. Pure.

Whoever adds a colleague types the number that the link goes to, and whoever changes a number chooses where the next
link goes: a second person agrees first (web.settings.access_requests).
"""

from web import permissions

GUARDED = frozenset({"inbox.words", "team.read", "patients.export", "clinic.settings", "clinic.agree"})


def guards(role: str) -> bool:
    """Whether a role may do anything of this."""
    return widens(None, role)


def widens(was: str | None, becomes: str) -> bool:
    """Whether a role may do anything of this that the one before could not; None is no role."""
    before = permissions.MAY.get(was or "", frozenset())
    return bool(GUARDED & permissions.MAY.get(becomes, frozenset()) - before)


def change_waits(was: str, becomes: str, *, other_number: bool, own: bool) -> bool:
    """Whether a change of a colleague waits: for more than their role had, or for another number in a guarded role.

    One's own number is nobody else's way in; one's own role is.
    """
    return widens(was, becomes) or (other_number and not own and guards(becomes))


def link_waits(role: str, *, comes_back: bool, shown: bool, own: bool) -> bool:
    """Whether a link waits: it lets somebody back in, or no way leads to them alone, so that it would be `shown`."""
    return guards(role) and not own and (comes_back or shown)
