"""Links to questionnaires: texted to the patient by the house; their address is shown to nobody else."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from api import pages
from api.operations import Answer, Call, Operation
from api.pages import OfPatient, Page
from api.problems import Problem, at, because
from api.shapes import Line, Moment, Shape
from intake_links.models import IntakeLink
from messaging import outbox
from reminders.sending import form_links

REFUSED = {
    "nothing": ("/instruments", "unknown"),
    "language": ("/instruments", "language"),
    "no_birth_date": ("/patient_id", "birth_date"),
}


class LinkIn(Shape):
    """Who is asked which questionnaires, in their order. `replace` withdraws a link that is still open."""

    patient_id: UUID
    instruments: list[Line] = Field(min_length=1, max_length=10, examples=[["phq9", "gad7"]])
    replace: bool = False


class Link(Shape):
    """A link as it stands; `place` is "tablet" for one opened in the clinic, "own" for the patient's own page, "views"
    for what the clinic asks of how it did."""

    id: UUID
    patient_id: UUID
    appointment_id: UUID | None
    instruments: list[str]
    state: Literal["open", "verified", "answered", "expired", "withdrawn", "locked"]
    language: str
    place: str | None
    created_at: Moment
    expires_at: Moment
    verified_at: Moment | None
    answered_at: Moment | None


def _shown(link: IntakeLink) -> Link:
    return Link(**{name: getattr(link, name) for name in Link.model_fields})


def _list(call: Call, query: OfPatient) -> Page[Link]:
    """List the links that were handed out."""
    return pages.page(call, "intake-links", IntakeLink, query, _shown)


def _get(call: Call, id: UUID) -> Link:
    """Read how a link stands."""
    return _shown(pages.row(call, IntakeLink, id))


def _hand_out(call: Call, body: LinkIn) -> Answer:
    """Text a patient a link to questionnaires, by day and in their language."""
    patient = pages.patient(call, body.patient_id)
    author_id = call.staff.id if call.staff else None
    try:
        link, _ = form_links.hand_out(
            call.session,
            call.clinic,
            patient,
            body.instruments,
            actor=call.actor,
            author_id=author_id,
            anew=body.replace,
        )
    except form_links.NotPossible as impossible:
        raise at(*REFUSED[str(impossible)]) from None
    except form_links.StillOpen:
        raise Problem("link_open") from None
    except outbox.MayNotText as refused:
        raise because("may_not_text", refused.reason.value) from None
    return Answer(201, _shown(link))


OPERATIONS = (
    Operation(
        "intake-links.list", "GET", "/intake-links", _list, "intake-links.read", "intake_link",
        {200: Page[Link]}, query=OfPatient,
    ),
    Operation(
        "intake-links.create", "POST", "/intake-links", _hand_out, "intake-links.write", "intake_link",
        {201: Link}, body=LinkIn, refuses=("link_open", "may_not_text"),
    ),
    Operation("intake-links.get", "GET", "/intake-links/{id}", _get, "intake-links.read", "intake_link", {200: Link}),
)  # fmt: skip
