"""Commands that set a clinic up: clinics, staff, patients, appointments and form vendors."""

import re
from datetime import timedelta
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload import leaving
from config import audit, db
from messaging import phone, second_people
from messaging.inbox.staff import coverage_guard, staffing
from messaging.models import REAL, Clinic, Staff
from messaging.people import directory
from reminders import clinic_definition, clinic_profile
from reminders.rules import zones
from service.cli import opening
from service.cli.tables import as_json, say, show
from web import words

ROLES = ("care_manager", "clinician", "psychiatric_consultant", "front_desk", "clinic_admin", "auditor")
PROBLEMS = 3
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
clinic_option = click.option("--clinic", "clinic_name", help="Its name or id; not needed while there is only one.")


class NotSo(click.ClickException):
    """Nothing was done, because it is not so any more as it was asked: exit 3."""

    exit_code = PROBLEMS


def the_clinic(session: Session, wanted: str | None) -> Clinic:
    """Return the clinic that is meant, or end with exit 2 and the names there are."""
    clinics = session.scalars(select(Clinic).where(REAL).order_by(Clinic.created_at)).all()
    fitting = [clinic for clinic in clinics if wanted is None or wanted in (clinic.name, str(clinic.id))]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(clinic.name for clinic in clinics) or "none yet: `warmthread clinic create`"
    raise click.UsageError(f"say which clinic is meant with --clinic; there are: {names}")


def _words(option: str, typed: str, longest: int = 80) -> str:
    """Return what was typed without blanks around it; what is empty, too long or cannot be shown ends with exit 2."""
    typed = typed.strip()
    if not typed or len(typed) > longest or not typed.isprintable():
        raise click.UsageError(f"{option}: expected 1 to {longest} characters that can be shown")
    return typed


def _address(typed: str) -> str:
    """Return an e-mail address as it is kept; what is none ends with exit 2."""
    address = _words("--email", typed, 200).lower()
    if not ADDRESS.fullmatch(address):
        raise click.UsageError("--email: not an e-mail address")
    return address


def _number(raw: str | None) -> str | None:
    try:
        return phone.e164(raw) if raw else None
    except phone.NotTextable as error:
        raise click.UsageError(f"--number: {error}") from None


@click.group()
def clinic() -> None:
    """Clinics: create and list."""


@clinic.command("create")
@click.option("--name", required=True)
@click.option("--zone", required=True, help="IANA time zone, such as America/Denver.")
@click.option("--number", required=True, help="The number patients text, +1...")
@click.option("--phone", "public_phone", help="The number patients call; the texting number if not given.")
@as_json
def create_clinic(name: str, zone: str, number: str, public_phone: str | None, json_: bool) -> None:
    """Create a clinic."""
    opening.begin()
    try:
        zones.of_place(zone)
    except zones.UnknownZone as error:
        raise click.UsageError(str(error)) from None
    name = _words("--name", name)
    with db.unit_of_work(db.EVERY) as session:
        if directory.clinic_by_number(session, _number(number) or ""):
            raise click.ClickException("a clinic with this number exists already")
        made = directory.add_clinic(
            session,
            name=name,
            zone=zone,
            number=_number(number) or "",
            phone=_number(public_phone),
            rules={clinic_profile.FACTOR: list(clinic_definition.ASKED_FOR_FACTOR)},
        )
        row = {"id": str(made.id), "name": made.name, "zone": made.zone, "number": made.number}
    show([row], json_=json_, empty="")


@clinic.command("list")
@as_json
def list_clinics(json_: bool) -> None:
    """List the clinics."""
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = [
            {"id": str(clinic.id), "name": clinic.name, "zone": clinic.zone, "number": clinic.number}
            for clinic in session.scalars(select(Clinic).where(REAL).order_by(Clinic.created_at))
        ]
    show(rows, json_=json_, empty="No clinic yet: warmthread clinic create --name --zone --number")


@click.group()
def staff() -> None:
    """Staff: invite, approve, list, revoke."""


@staff.command("invite")
@click.option("--name", required=True)
@click.option("--email", required=True)
@click.option("--role", type=click.Choice(ROLES), default="care_manager", show_default=True)
@click.option(
    "--language", "languages", type=click.Choice(staffing.LANGUAGES), multiple=True, default=("en",), show_default=True
)
@click.option("--panel", "panels", multiple=True, help="A clinician whose patients are theirs; may be repeated.")
@click.option("--number", help="Their mobile, for alerts.")
@click.option("--credential", default="", help="What stands behind their name where minutes are billed: LCSW, RN.")
@click.option("--once", is_flag=True, help="Make a link that signs in once instead of an invitation to a password.")
@clinic_option
@as_json
def invite(
    name: str,
    email: str,
    role: str,
    languages: tuple[str, ...],
    panels: tuple[str, ...],
    number: str | None,
    credential: str,
    once: bool,
    clinic_name: str | None,
    json_: bool,
) -> None:
    """Invite someone (or make a new link for someone who is here, or was locked out); print the link to give them."""
    from web.account import lock_out, signin  # the web framework takes a quarter of a second, and few commands need it

    opening.begin()
    name, email = _words("--name", name), _address(email)
    with db.unit_of_work(db.EVERY) as session:
        at = the_clinic(session, clinic_name)
        colleague = session.scalar(select(Staff).where(Staff.clinic_id == at.id, Staff.email == email))
        if colleague is None:
            colleague = directory.add_staff(
                session,
                at,
                name=name,
                email=email,
                role=role,
                languages=languages,
                panels=panels,
                number=_number(number),
                credential=_words("--credential", credential, staffing.LONGEST_CREDENTIAL) if credential else "",
            )
        _bring_back(colleague)
        if not once:
            signin.spend_links(session, colleague.id)  # of two invitations only the newer one is good
        lock_out.lift(colleague)
        link = signin.make_link(session, colleague, "once" if once else "invite", timedelta(days=3))
        row = _row(colleague)
    _show_link(row, link, json_=json_)


def _bring_back(colleague: Staff) -> None:
    """Let somebody who had left work here again, by the operator's word."""
    if not colleague.active:
        second_people.begin_to_settle(colleague, audit.OPERATOR)
    colleague.active = True


def _show_link(row: dict[str, Any], link: str, *, json_: bool) -> None:
    """Print who was invited, and the link on a line of its own: in a table it would be cut, and it is shown once."""
    if json_:
        show([row | {"link": link}], json_=True, empty="")
        return
    show([row], json_=False, empty="")
    click.echo(link)


def _row(colleague: Staff) -> dict[str, Any]:
    return {"id": str(colleague.id), "name": colleague.name, "email": colleague.email, "role": colleague.role}


@staff.command("approve")
@click.option("--email", help="Whose access; without it, what waits is listed.")
@clinic_option
@as_json
def approve(email: str | None, clinic_name: str | None, json_: bool) -> None:
    """Agree, as the second person, to access that an administrator has asked for, or list what waits.

    Find out first, by a way that the asker does not choose, whether it is right. A link that no phone or mail of theirs
    takes is printed. Exit 2: nothing waits for this address. Exit 3: it is not so any more as it was asked.
    """
    from web.settings import access_requests  # as in `invite`

    opening.begin()
    if email is not None:
        email = _address(email)
    with db.unit_of_work(db.EVERY) as session:
        at = the_clinic(session, clinic_name)
        waiting = access_requests.waiting(session, at.id)
        rows = [_request(session, each) for each in waiting]
        wanted = [each for each in waiting if each.facts["email"] == email]
        if email is None:
            show(rows, json_=json_, empty="Nothing waits for a second person.")
            return
        if not wanted:
            raise click.UsageError("nothing waits for this address: `warmthread staff approve` lists what does")
        row = _request(session, wanted[0])
        try:
            made = access_requests.agree(session, at, wanted[0], opening.operator())
        except access_requests.Refused as refused:
            raise NotSo(words.say("access_request_refusals", refused.why)) from None
        except (staffing.MayNot, coverage_guard.MakesGap) as refused:
            raise NotSo(_in_words(refused)) from None
    if made is not None and made.address:
        _show_link(row, made.address, json_=json_)
    else:
        show([row | {"link_sent_by": made.way if made is not None else ""}], json_=json_, empty="")


def _request(session: Session, asked: Any) -> dict[str, Any]:
    by = session.get_one(Staff, asked.asked_by).email
    facts = {"name": asked.facts["name"], "email": asked.facts["email"], "what": asked.what, "role": asked.role}
    return facts | {"number": phone.mask(asked.facts["number"] or ""), "asked_by": by}


@staff.command("list")
@clinic_option
@as_json
def list_staff(clinic_name: str | None, json_: bool) -> None:
    """List who works at the clinic."""
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        at = the_clinic(session, clinic_name)
        rows = [
            _row(colleague) | {"active": colleague.active}
            for colleague in session.scalars(select(Staff).where(Staff.clinic_id == at.id).order_by(Staff.name))
        ]
    show(rows, json_=json_, empty="Nobody yet: warmthread staff invite --name --email")


@staff.command("revoke")
@click.option("--email", required=True)
@clinic_option
def revoke(email: str, clinic_name: str | None) -> None:
    """Lock someone out at once and let them go.

    Their sessions, links, API keys in their name and their calendar's address end for good.
    Exit 3: they are locked out, and still work here, because without them nobody could be reached or would decide.
    """
    opening.begin()
    email = _address(email)
    with db.unit_of_work(db.EVERY) as session:
        at = the_clinic(session, clinic_name)
        colleague = session.scalar(select(Staff).where(Staff.clinic_id == at.id, Staff.email == email))
        if colleague is None:
            raise click.UsageError("nobody here has this address: `warmthread staff list` says who does")
        _lock_out(session, colleague)
        try:
            left = leaving.leave(session, at, colleague, audit.OPERATOR)
        except (staffing.MayNot, coverage_guard.MakesGap) as refused:
            why = _in_words(refused)
        else:
            say(f"Done: their sessions have ended. What they had not finished has moved on: {left.items}.")
            if left.unmanaged:
                say(f"People whose care nobody here manages now: {left.unmanaged}. Choose who does, in the caseload.")
            return
    say(f"Their sessions have ended and nothing lets them in, but they still work here. {why}")
    say("What is urgent still goes to their phone, if it is on file. See to that, and do this again.")
    raise click.exceptions.Exit(PROBLEMS)


def _lock_out(session: Session, colleague: Staff) -> None:
    """End every session, and leave no password, no link and no program of theirs that lets anybody in."""
    from web.account import lock_out  # as in `invite`

    colleague.password_hash, colleague.sso_state = None, "locked"
    lock_out.end_access(session, colleague, audit.OPERATOR)
    audit.record(session, colleague.clinic_id, audit.OPERATOR, "staff.locked_out", f"staff:{colleague.id}")


def _in_words(refused: Exception) -> str:
    if isinstance(refused, staffing.MayNot):
        return " ".join(words.say("colleague_refusals", why) for why in refused.problems.values())
    return f"Without them {refused}."
