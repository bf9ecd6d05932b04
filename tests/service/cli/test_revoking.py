"""`warmthread staff revoke`: locked out at once, and let go only where somebody is still there at every minute."""

from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from config import audit, clock, db
from messaging.inbox.routing.hours import WEEKDAYS
from messaging.inbox.staff import absences
from messaging.models import Clinic, Staff
from messaging.programs import keys
from messaging.team import tasks
from messaging.team.models import Task
from service.cli import opening, people
from web.models import DutyFeed, SignInLink, StaffSession


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "begin", lambda: None)


@pytest.fixture
def rosa(clinic, new_staff) -> Staff:
    """Rosa by night, Ben by day, and somebody who decides; nobody is there twice."""
    new_staff("Dana", role="clinic_admin", number=None)
    new_staff("Ben", hours={day: ["08:00", "20:00"] for day in WEEKDAYS})
    colleague = new_staff("Rosa", hours={day: ["20:00", "08:00"] for day in WEEKDAYS})
    now = clock.now()
    with db.unit_of_work(clinic.id) as session:
        session.get_one(Staff, colleague.id).password_hash = "x"
        facts = {"clinic_id": clinic.id, "staff_id": colleague.id, "created_at": now}
        later = now + timedelta(hours=1)
        session.add(StaffSession(token_hash=b"x", seen_at=now, **facts))
        session.add(SignInLink(token_hash=b"y", kind="invite", expires_at=later, **facts))
    return colleague


def revoke(staff: Staff) -> Result:
    return CliRunner().invoke(people.staff, ["revoke", "--email", staff.email])


def test_who_is_needed_is_locked_out_at_once_and_stays_until_somebody_else_is_there(rosa, new_staff):
    answer = revoke(rosa)
    assert answer.exit_code == 3
    assert "they still work here. Without them nobody could be reached: Mon 0:00 to Mon 8:00" in answer.output
    assert "What is urgent still goes to their phone" in answer.output
    with db.unit_of_work(db.EVERY) as session:
        colleague = session.get_one(Staff, rosa.id)
        assert (colleague.active, colleague.password_hash) == (True, None)
        assert session.query(StaffSession).one().ended_at is not None
        assert session.query(SignInLink).one().used_at is not None
    new_staff("Ines", hours={day: ["19:00", "09:00"] for day in WEEKDAYS})
    answer = revoke(rosa)
    assert answer.exit_code == 0, answer.output
    with db.unit_of_work(db.EVERY) as session:
        assert not session.get_one(Staff, rosa.id).active


def test_the_last_who_decides_stays(rosa, new_staff):
    with db.unit_of_work(db.EVERY) as session:
        dana = session.query(Staff).filter_by(name="Dana").one()
    answer = revoke(dana)
    assert answer.exit_code == 3
    assert "make another person a clinic administrator first" in answer.output


def test_what_they_watched_is_watched_by_who_covers_for_them(rosa, new_staff):
    ines = new_staff("Ines", hours={day: ["19:00", "09:00"] for day in WEEKDAYS})
    with db.unit_of_work(rosa.clinic_id) as session:
        clinic = session.get_one(Clinic, rosa.clinic_id)
        colleague, other = session.get_one(Staff, rosa.id), session.get_one(Staff, ines.id)
        db.load_keys(session, {clinic.key_id})
        now = clock.now()
        absences.plan(session, colleague, other, now - timedelta(seconds=1), now + timedelta(days=2))
        tasks.make(session, clinic, other, tasks.Wanted("Call back", now + timedelta(hours=2), other, colleague))
    assert revoke(rosa).exit_code == 0
    with db.unit_of_work(db.EVERY) as session:
        assert session.query(Task).one().watcher_id == ines.id


def test_what_acts_in_their_name_ends_for_good_and_an_invitation_lifts_the_lock(rosa):
    with db.unit_of_work(rosa.clinic_id) as session:
        clinic, colleague = session.get_one(Clinic, rosa.clinic_id), session.get_one(Staff, rosa.id)
        wanted = keys.Wanted("Their script", ("patients.read",), 30, colleague)
        _, token = keys.make(session, clinic, wanted, actor=audit.OPERATOR)
        session.add(DutyFeed(clinic_id=clinic.id, staff_id=colleague.id, token_hash=b"z", made_at=clock.now()))
        colleague.sso_subject, colleague.sso_state = b"theirs", "linked"
    assert keys.program_of(token) is not None
    assert revoke(rosa).exit_code == 3  # they still work here
    with db.unit_of_work(db.EVERY) as session:
        colleague = session.get_one(Staff, rosa.id)
        assert (colleague.active, colleague.locked_out) == (True, True)
        assert session.query(DutyFeed).all() == []
        assert not keys.may_be_named(colleague)
    assert keys.program_of(token) is None
    answer = CliRunner().invoke(people.staff, ["invite", "--name", "Rosa", "--email", rosa.email])
    assert answer.exit_code == 0, answer.output
    with db.unit_of_work(db.EVERY) as session:
        colleague = session.get_one(Staff, rosa.id)
        assert (colleague.sso_state, colleague.locked_out) == ("linked", False)
    assert keys.program_of(token) is None
