"""Commands for the form vendors that may post submissions."""

import base64
import re
import secrets

import click
from sqlalchemy import select

from config import audit, clock, db
from intake_links.models import FormSource
from service.cli import opening
from service.cli.people import clinic_option, the_clinic
from service.cli.tables import as_json, show

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@click.group()
def forms() -> None:
    """Form vendors that may post submissions."""


@forms.command("add-source")
@click.argument("name")
@clinic_option
@as_json
def add_source(name: str, clinic_name: str | None, json_: bool) -> None:
    """Let a vendor post to /webhooks/forms/NAME; print the secret it signs with (Standard Webhooks)."""
    opening.begin()
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    if not NAME.fullmatch(name):
        raise click.UsageError("NAME stands in an address: up to 40 small letters, digits, - or _")
    with db.unit_of_work(db.EVERY) as session:
        at = the_clinic(session, clinic_name)
        if session.scalar(select(FormSource.id).where(FormSource.name == name)):
            raise click.ClickException(f"there is a source {name} already, and its secret is shown only once")
        session.add(FormSource(clinic_id=at.id, key_id=at.key_id, name=name, secret=secret, created_at=clock.now()))
        audit.record(session, at.id, audit.OPERATOR, "forms.source", f"source:{name}")
    show([{"source": name, "secret": secret}], json_=json_, empty="")
