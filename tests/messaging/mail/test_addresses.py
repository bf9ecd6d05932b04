"""Who is mailed: whoever asked, and proved by a link that they read the address they sign in with."""

import re
from datetime import timedelta

import time_machine
from sqlalchemy import select

from config import audit, clock, db
from messaging.mail import addresses, sending, spool
from messaging.mail.models import MailAddress
from messaging.models import Staff


def ask(staff: Staff) -> bool:
    with db.unit_of_work(staff.clinic_id) as session:
        return addresses.ask(session, session.get_one(Staff, staff.id))


def token(post) -> str:
    sending.drain()
    (link,) = re.findall(r"https://clinic\.example/preferences/mail/(\S+)", post.mails()[-1].get_content())
    return str(link)


def confirm(staff: Staff, said: str) -> bool:
    with db.unit_of_work(staff.clinic_id) as session:
        address = addresses.asked_by(session, staff, said)
        if address is not None:
            addresses.confirm(session, address, staff, clock.now() + timedelta(days=1))
        return address is not None


def takes_mail(staff: Staff) -> bool:
    with db.unit_of_work(db.EVERY) as session:
        return spool.takes_mail(session, staff)


def test_the_link_confirms_once_and_for_its_colleague_alone(served, post, new_staff):
    rosa, ben = new_staff("Rosa", email="rosa@clinic.example"), new_staff("Ben")
    assert ask(rosa)
    said = token(post)
    assert not takes_mail(rosa)
    assert not confirm(ben, said)
    assert confirm(rosa, said)
    assert takes_mail(rosa)
    assert not confirm(rosa, said)


def test_asking_twice_at_once_mails_one_link_and_only_the_last_one_opens(served, post, new_staff):
    rosa = new_staff("Rosa", email="rosa@clinic.example")
    assert ask(rosa)
    assert not ask(rosa)
    first = token(post)
    with time_machine.travel(clock.now() + timedelta(minutes=3)):
        assert ask(rosa)
        second = token(post)
        assert not confirm(rosa, first)
        assert confirm(rosa, second)


def test_a_link_older_than_a_day_confirms_nothing(served, post, new_staff):
    rosa = new_staff("Rosa", email="rosa@clinic.example")
    ask(rosa)
    said = token(post)
    with time_machine.travel(clock.now() + timedelta(hours=25)):
        assert not confirm(rosa, said)


def test_the_token_is_stored_nowhere(served, post, new_staff):
    rosa = new_staff("Rosa", email="rosa@clinic.example")
    ask(rosa)
    said = token(post)
    with db.unit_of_work(db.EVERY) as session:
        (kept,) = session.scalars(select(MailAddress.token_hash))
        lines = session.execute(select(audit.AuditEntry.about, audit.AuditEntry.detail)).all()
    assert kept is not None
    assert said.encode() not in kept
    assert said not in f"{lines}"


def test_stopping_and_everything_else_is_written_down(rosa):
    with db.unit_of_work(rosa.clinic_id) as session:
        addresses.stop(session, session.get_one(Staff, rosa.id))
        addresses.stop(session, session.get_one(Staff, rosa.id))
    with db.unit_of_work(db.EVERY) as session:
        acts = [act for act in session.scalars(select(audit.AuditEntry.act)) if act.startswith("mail.")]
    assert sorted(acts) == ["mail.asked", "mail.confirmed", "mail.stopped"]
