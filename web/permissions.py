"""Which role may do what: a small table, and whatever stands in no row is refused."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

# clinic.look: what the clinic has decided; clinic.agree: to be the second person for what could silence an alert.
# consent.read: what was agreed and taken back, and where the carrier says otherwise; the words only with inbox.words.
# handoffs.answer: everyone whom a rule of the clinic, the hours on call or the fallback may bring a handoff to.
# inbox.words: what a patient said or answered. A clinic admin routes work without reading it, an auditor sees only
# that it happened (docs/security.md). patients.change: whose a number is, what they agreed to, that they were called.
# patients.export: to hand out all that is kept of somebody, words and scores.
# desk.read, desk.work: the front desk's own inbox (web.desk), of scheduling and bills alone; inbox.read is not theirs.
# reading.sign: to let the second reader act, or to take that back: who answers for it is a clinician.
# team.read, team.write: what colleagues write to each other about patients; the same roles as
# messaging.team.readers.OF_THREADS. colleagues.ask: tasks and notes. board.post: announcements for everybody here.
# caseload.read, caseload.work: the registry; caseload.review: to write down what the consultant said of somebody;
# caseload.bill: a month's minutes, codes, diagnosis, no scores and words; caseload.evidence: what stands behind them.
# review.read: the clinic's figures of ninety days, in which nobody stands by name; review.change: to note what is
# changed because of them, and to have them counted anew.
# A clinician may settle what came to them, but texts go out from the care team.
# patients.names: who a patient is by name, birth date and whole number; without it initials and masked numbers stand.
# emergency.open: emergency access ("break-glass") to one patient whom the role does not reach, for a limited time;
# emergency.review: to look at what others opened so; emergency.read: the page of both. audit.read: the audit log.
MAY: dict[str, frozenset[str]] = {
    "care_manager": frozenset(
        {
            "patients.names",
            "emergency.read",
            "emergency.review",
            "inbox.read",
            "inbox.words",
            "inbox.work",
            "inbox.assign",
            "inbox.text",
            "replies.save",
            "clinic.agree",
            "clinic.look",
            "patients.read",
            "consent.read",
            "patients.change",
            "patients.export",
            "handoffs.read",
            "handoffs.request",
            "handoffs.answer",
            "forms.hand",
            "team.read",
            "team.write",
            "colleagues.ask",
            "board.post",
            "tasks.save",
            "caseload.read",
            "caseload.work",
            "caseload.review",
            "caseload.import",
            "files.import",
            "caseload.bill",
            "caseload.evidence",
            "review.read",
            "review.change",
        }
    ),
    "clinician": frozenset(
        {
            "patients.names",
            "inbox.read",
            "inbox.words",
            "inbox.work",
            "inbox.assign",
            "patients.read",
            "consent.read",
            "patients.change",
            "patients.export",
            "handoffs.read",
            "handoffs.request",
            "handoffs.answer",
            "forms.hand",
            "reading.sign",
            "team.read",
            "team.write",
            "colleagues.ask",
            "board.post",
            "caseload.read",
            "caseload.work",
        }
    ),
    "psychiatric_consultant": frozenset(
        {
            "patients.names",
            "emergency.read",
            "emergency.open",
            "inbox.read",
            "inbox.words",
            "patients.read",
            "handoffs.read",
            "reading.sign",
            "team.read",
            "team.write",
            "colleagues.ask",
            "caseload.read",
            "caseload.review",
        }
    ),
    "front_desk": frozenset(
        {
            "patients.names",
            "emergency.read",
            "emergency.open",
            "desk.read",
            "desk.work",
            "files.import",
            "patients.import",
            "patients.read",
            "consent.read",
            "patients.change",
            "handoffs.read",
            "handoffs.request",
            "handoffs.answer",
            "forms.hand",
            "colleagues.ask",
            "board.post",
        }
    ),
    "clinic_admin": frozenset(
        {
            "emergency.read",
            "emergency.open",
            "emergency.review",
            "audit.read",
            "inbox.read",
            "inbox.assign",
            "handoffs.read",
            "handoffs.answer",
            "replies.save",
            "clinic.settings",
            "files.import",
            "patients.import",
            "clinic.agree",
            "clinic.look",
            "consent.read",
            "colleagues.ask",
            "board.post",
            "tasks.save",
            "caseload.import",
            "caseload.bill",
            "review.read",
            "review.change",
        }
    ),
    "auditor": frozenset(
        {
            "inbox.read",
            "handoffs.read",
            "clinic.look",
            "consent.read",
            "emergency.read",
            "emergency.open",
            "emergency.review",
            "audit.read",
            "review.read",
        }
    ),
}
# What every signed-in person may do, whatever their role.
ANYONE = frozenset({"self"})
# Roles that reach the patients of their caseload and no others (web.patient_access says which those are).
CASELOAD_BOUND = frozenset({"psychiatric_consultant"})
# The acts that are about one patient: for a role bound to its caseload they end there.
ABOUT_ONE = frozenset(
    {
        "patients.read",
        "patients.names",
        "consent.read",
        "inbox.words",
        "team.read",
        "team.write",
        "caseload.read",
        "caseload.review",
    }
)
# What emergency access opens: reading, never an act.
OPENED = frozenset({"patients.read", "patients.names", "consent.read", "inbox.words", "team.read", "caseload.read"})


def may(role: str, act: str) -> bool:
    """Whether `role` may do `act`; an unknown role or act may not."""
    return role in MAY and act in MAY[role] | ANYONE


def has_own_items(role: str) -> bool:
    """Whether an item can be somebody's own in this role: who works, assigns or is asked; an auditor never."""
    return any(may(role, act) for act in ("inbox.work", "inbox.assign", "colleagues.ask"))


def reaches(role: str, act: str, *, own: bool, opened: bool) -> bool:
    """Whether `role` may do `act` about one patient: the one rule of role, relation and emergency access.

    `own`: the patient is on the reader's caseload; `opened`: the reader has emergency access to the patient now, and
    only reads.
    """
    if opened and act in OPENED and role in MAY:
        return True
    return may(role, act) and (own or role not in CASELOAD_BOUND or act not in ABOUT_ONE)


def signed_in(act: str, *, owing: bool = False, fresh: bool = False) -> Callable[[View], View]:
    """Open a page to people who are signed in and may do `act`; others are asked to sign in, or refused.

    `owing` opens it also to whoever has to set up a second factor before anything else; `fresh` asks whoever has not
    proved who they are for a while to do so first (web.account.step_up).
    """

    def open_to(view: View) -> View:
        view.demands = act  # type: ignore[attr-defined]
        view.owing = owing  # type: ignore[attr-defined]
        view.fresh = fresh  # type: ignore[attr-defined]
        return view

    return open_to


def public(view: View) -> View:
    """Open a page to everybody: the sign-in pages, and a duty calendar, whose address is its key."""
    view.demands = None  # type: ignore[attr-defined]
    return view
