"""Warm handoffs: asking for somebody to meet a patient, and how it went."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from api import pages
from api.operations import Answer, Call, Operation
from api.pages import OfPatient, Page
from api.problems import Problem, at
from api.shapes import Line, Moment, Shape, Words
from messaging import languages
from reminders import handoffs
from reminders.handoff import telling
from reminders.models import Handoff

Way = Literal["in_person", "video", "call", "later"]


class HandoffIn(Shape):
    """Whom somebody should meet, where they wait, why (keys of the clinic's reasons), and how they meet."""

    patient_id: UUID
    place: Line | None = Field(None, max_length=120)
    reasons: list[Line] = Field([], max_length=10)
    note: Words | None = Field(None, max_length=2000)
    urgent: bool = False
    language: Line | None = Field(None, max_length=8)
    modality: Way = "in_person"


class HandoffOut(Shape):
    """A handoff: `colleague_id` is who comes, `outcome` how it ended."""

    id: UUID
    patient_id: UUID
    state: str
    modality: Way
    place: str | None
    reasons: list[str]
    note: str | None
    urgent: bool
    language: str | None
    colleague_id: UUID | None
    item_id: UUID | None
    requested_at: Moment
    accepted_at: Moment | None
    told_at: Moment | None
    arrived_at: Moment | None
    met_at: Moment | None
    ended_at: Moment | None
    outcome: str | None


def shown(handoff: Handoff) -> HandoffOut:
    """Return a handoff as it stands."""
    facts = {
        name: getattr(handoff, name) for name in HandoffOut.model_fields if name not in ("reasons", "note", "place")
    }
    return HandoffOut(
        **facts,
        reasons=telling.reason_keys(handoff),
        note=telling.opened(handoff, "note"),
        place=telling.opened(handoff, "place"),
    )


def _list(call: Call, query: OfPatient) -> Page[HandoffOut]:
    """List the handoffs."""
    return pages.page(call, "handoffs", Handoff, query, shown)


def _get(call: Call, id: UUID) -> HandoffOut:
    """Read one handoff."""
    return shown(pages.row(call, Handoff, id))


def _request(call: Call, body: HandoffIn) -> Answer:
    """Ask for somebody to meet a patient: colleagues are asked at once, by the clinic's own order."""
    patient = pages.patient(call, body.patient_id)
    if not set(body.reasons) <= set(telling.reasons()):
        raise at("/reasons", "unknown")
    wishes = handoffs.Wishes(
        tuple(dict.fromkeys(body.reasons)), body.urgent, _language(body.language), body.note or None, body.modality
    )
    if handoffs.under_way(call.session, patient, later=body.modality == "later"):
        raise Problem("under_way")
    try:
        handoff = handoffs.request(
            call.session, call.clinic, patient, requested_by=call.actor, place=body.place or None, wishes=wishes
        )
    except handoffs.NotPossible as impossible:
        raise at("/patient_id" if str(impossible) == "deceased" else "/modality", str(impossible)) from None
    return Answer(201, shown(handoff))


def _language(wanted: str | None) -> str | None:
    try:
        return languages.read(wanted) if wanted else None
    except languages.UnknownLanguage:
        raise at("/language", "expected") from None


OPERATIONS = (
    Operation(
        "handoffs.list", "GET", "/handoffs", _list, "handoffs.read", "handoff",
        {200: Page[HandoffOut]}, query=OfPatient,
    ),
    Operation(
        "handoffs.request", "POST", "/handoffs", _request, "handoffs.write", "handoff",
        {201: HandoffOut}, body=HandoffIn, refuses=("under_way",),
    ),
    Operation("handoffs.get", "GET", "/handoffs/{id}", _get, "handoffs.read", "handoff", {200: HandoffOut}),
)  # fmt: skip
