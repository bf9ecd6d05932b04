"""Commands for the machines that may post: form vendors, and feeds of EHRs."""

import re
import tomllib
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db, runtime
from intake_links.models import FormSource
from interchange import connections, engines, profiles
from interchange import sources as feed_sources
from interchange.models import Feed
from interchange.polling import keys
from messaging.models import Clinic
from service.cli import opening
from service.cli.people import clinic_option, the_clinic
from service.cli.tables import as_json, show
from web import words

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
SENDER = re.compile(r"(?!\|$)[^|^]{0,64}\|[^|^]{0,64}")


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
    secret = feed_sources.new_secret()
    if not NAME.fullmatch(name):
        raise click.UsageError("NAME stands in an address: up to 40 small letters, digits, - or _")
    with db.unit_of_work(db.EVERY) as session:
        at = the_clinic(session, clinic_name)
        if session.scalar(select(FormSource.id).where(FormSource.name == name)):
            raise click.ClickException(f"there is a source {name} already, and its secret is shown only once")
        session.add(FormSource(clinic_id=at.id, key_id=at.key_id, name=name, secret=secret, created_at=clock.now()))
        audit.record(session, at.id, audit.OPERATOR, "forms.source", f"source:{name}")
    show([{"source": name, "secret": secret}], json_=json_, empty="")


@click.group()
def feeds() -> None:
    """Feeds of EHRs that may post messages and resources."""


@feeds.command("add-source")
@click.argument("name")
@click.option("--profile", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file.")
@clinic_option
@as_json
def add_feed(name: str, file: Path | None, clinic_name: str | None, json_: bool) -> None:
    """Let an EHR post to /webhooks/ehr/NAME, read by a profile; print the secret it signs with (Standard Webhooks)."""
    opening.begin()
    profile = _profile(file)
    with db.unit_of_work(db.EVERY) as session:
        try:
            secret = feed_sources.add(session, the_clinic(session, clinic_name), name, profile, audit.OPERATOR)
        except feed_sources.Refused as refused:
            if str(refused) == "name":
                raise click.UsageError("NAME stands in an address: up to 30 small letters, digits, - or _") from None
            taken = f"there is a feed {name} already, and its secret is shown only once"
            raise click.ClickException(taken) from None
    show([{"source": name, "secret": secret}], json_=json_, empty="")


@feeds.command("mllp")
@click.argument("name")
@click.option("--sender", help='Who sends: "APPLICATION|FACILITY", as MSH-3 and MSH-4 name them.')
@click.option("--certificate", default="", help="The name of the client certificate (CN or DNS) that may speak for it.")
@click.option("--off", is_flag=True, help="Take nothing by MLLP for it any more.")
@clinic_option
@as_json
def by_mllp(name: str, sender: str | None, certificate: str, off: bool, clinic_name: str | None, json_: bool) -> None:
    """Let a feed be heard on the MLLP port too: who sends it, and over whose certificate."""
    opening.begin()
    if off is (sender is not None):
        raise click.UsageError("say --sender, or --off")
    if sender is not None and not SENDER.fullmatch(sender):
        raise click.UsageError(
            '--sender is "APPLICATION|FACILITY", without the parts behind ^; one of them may be empty'
        )
    with db.unit_of_work(db.EVERY) as session:
        at = the_clinic(session, clinic_name)
        feed = _feed(session, at, name)
        taken = select(Feed.id).where(Feed.mllp_sender == sender, Feed.mllp_certificate == certificate)
        if sender is not None and session.scalar(taken.where(Feed.id != feed.id)):
            raise click.ClickException("another feed is heard as this sender over this certificate already")
        feed.mllp_sender, feed.mllp_certificate = sender, certificate if sender else ""
        audit.record(session, at.id, audit.OPERATOR, "feeds.mllp", f"feed:{name}", sender=sender or "")
    show([{"source": name, "sender": sender, "certificate": certificate if sender else ""}], json_=json_, empty="")


@feeds.command("ask")
@click.argument("name")
@click.option("--address", required=True, help="Where its FHIR R4 is, or of athenahealth what stands before /v1.")
@click.option("--client-id", required=True, help="What the EHR calls us.")
@click.option("--practice", default="", help="The number of an athenahealth practice; without it, FHIR R4 day by day.")
@click.option("--events-secret", type=click.File("r"), help="A file with what its events are signed with; - is stdin.")
@click.option("--days-ahead", type=int, default=60, show_default=True)
@click.option("--per-minute", type=int, default=60, show_default=True, help="Requests at most; five times at night.")
@click.option("--algorithm", type=click.Choice(keys.ALGORITHMS), default=keys.ALGORITHMS[0], show_default=True)
@click.option("--key", "file", type=click.File("rb"), help="A private key in PEM to sign with; else one is made here.")
@clinic_option
@as_json
def ask(
    name: str, address: str, client_id: str, practice: str, events_secret: TextIO | None, days_ahead: int,
    per_minute: int, algorithm: str, file: BinaryIO | None, clinic_name: str | None, json_: bool,
) -> None:  # fmt: skip
    """Let the EHR of a feed be asked by SMART Backend Services; print where it reads our keys."""
    opening.begin()
    secret = events_secret.read().strip() if events_secret else None
    kind = "athena" if practice else "fhir"
    wanted = connections.Wanted(kind, address, client_id, practice, days_ahead, per_minute, secret)
    with db.unit_of_work(db.EVERY) as session:
        feed = _feed(session, the_clinic(session, clinic_name), name)
        try:
            connections.save(session, feed, wanted, audit.OPERATOR)
            if file is not None:
                keys.bring(session, feed, file.read(), audit.OPERATOR)
            elif not keys.published(session, feed):
                keys.make(session, feed, algorithm, audit.OPERATOR)
        except connections.MayNot as refused:
            raise click.UsageError(f"it cannot be asked so: {_words(refused)}") from None
        except keys.BadKey as bad:
            raise click.UsageError(f"the key cannot sign: {bad}") from None
    address = f"{runtime.settings().public_url}/webhooks/ehr/{name}/jwks.json"
    show([{"source": name, "keys": address}], json_=json_, empty="")


@feeds.command("tell")
@click.argument("name")
@click.option("--host", required=True, help="The interface engine of the EHR that sends this feed.")
@click.option("--port", type=int, required=True)
@click.option("--plain", is_flag=True, help="Without TLS: an engine, or a tunnel to it, on this machine.")
@click.option("--certificate", type=click.File("r"), help="Ours with its key in PEM, where the engine asks for one.")
@click.option("--authorities", type=click.File("r"), help="Who signs the engine's certificate, in PEM.")
@clinic_option
@as_json
def tell(
    name: str, host: str, port: int, plain: bool, certificate: TextIO | None, authorities: TextIO | None,
    clinic_name: str | None, json_: bool,
) -> None:  # fmt: skip
    """Let the EHR of a feed be told by HL7 over MLLP; what goes back to it, its page says."""
    opening.begin()
    pems = {"certificate": certificate, "authorities": authorities}
    brought = {option: file.read() if file else None for option, file in pems.items()}
    with db.unit_of_work(db.EVERY) as session:
        feed = _feed(session, the_clinic(session, clinic_name), name)
        try:
            row = engines.save(session, feed, engines.Wanted(host, port, not plain, **brought), audit.OPERATOR)
        except connections.MayNot as refused:
            raise click.UsageError(f"it cannot be told so: {_words(refused)}") from None
        told = row.base_url
    show([{"source": name, "told": told}], json_=json_, empty="")


def _words(refused: connections.MayNot) -> str:
    """Say of each field why not, in the words of the pages."""
    said = ((name, words.say("connection_problems", why)) for name, why in refused.problems.items())
    return "; ".join(f"{name}: {why}" for name, why in said)


def _feed(session: Session, clinic: Clinic, name: str) -> Feed:
    feed = session.scalar(select(Feed).where(Feed.name == name, Feed.clinic_id == clinic.id))
    if feed is None:
        raise click.ClickException(f"there is no feed {name} at this clinic: add it with feeds add-source")
    return feed


def _profile(file: Path | None) -> dict[str, Any]:
    try:
        profile = tomllib.loads(file.read_text("utf-8")) if file else {}
        profiles.read(profile)
    except (ValueError, profiles.BadProfile) as bad:
        raise click.UsageError(f"the profile cannot be used: {bad}") from None
    return profile
