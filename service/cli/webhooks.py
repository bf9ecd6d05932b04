"""Commands for webhooks to a clinic's own programs: list them, send a test event."""

from urllib.parse import urlsplit

import click
from sqlalchemy.orm import Session

from config import clock, db
from messaging.event_webhooks import endpoints
from messaging.event_webhooks.models import WebhookEndpoint
from messaging.models import Clinic
from service.cli import opening
from service.cli.people import clinic_option, the_clinic
from service.cli.tables import as_json, say, show


@click.group("webhooks")
def webhooks() -> None:
    """Webhooks to the clinic's own programs."""


@webhooks.command("list")
@clinic_option
@as_json
def list_webhooks(clinic_name: str | None, json_: bool) -> None:
    """List the programs that hear of events, and how what was sent to them stands."""
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        listed = endpoints.of_clinic(session, the_clinic(session, clinic_name).id)
        counts = endpoints.counts(session, [endpoint.id for endpoint in listed])
        rows = [_row(endpoint, counts.get(endpoint.id, {})) for endpoint in listed]
    show(rows, json_=json_, empty="No program hears of events yet: an administrator adds one under Settings › Webhooks")


@webhooks.command("test")
@click.argument("program")
@clinic_option
def test(program: str, clinic_name: str | None) -> None:
    """Send a test event to PROGRAM, its name or its id; what came of it stands on its page."""
    opening.begin()
    with db.unit_of_work(db.EVERY) as session:
        endpoints.test(session, _meant(session, the_clinic(session, clinic_name), program), actor=opening.operator())
    say("A test event is on its way: warmthread webhooks list, or the page of the program, says what came of it.")


def _meant(session: Session, clinic: Clinic, wanted: str) -> WebhookEndpoint:
    """The endpoint of this id or this name."""
    fitting = [each for each in endpoints.of_clinic(session, clinic.id) if wanted in (str(each.id), each.name)]
    if len(fitting) == 1:
        return fitting[0]
    raise click.ClickException("several have this name: say its id" if fitting else "no program of that name or id")


def _row(endpoint: WebhookEndpoint, counts: dict[str, int]) -> dict[str, object]:
    return {
        "id": str(endpoint.id),
        "name": endpoint.name,
        "host": urlsplit(endpoint.url or "").netloc,
        "state": f"{endpoint.state} ({endpoint.why})" if endpoint.why else endpoint.state,
        "failing_since": clock.iso(endpoint.failing_since) if endpoint.failing_since else None,
        **{state: counts.get(state, 0) for state in ("delivered", "waiting", "given_up")},
    }
