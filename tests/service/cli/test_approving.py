"""`warmthread staff approve`: the operator is the second person where a clinic has none, and says what waits."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from config import audit, db
from messaging.inbox.staff import staffing
from messaging.models import Clinic, Message, Staff
from service.cli import opening, people
from web.models import AccessRequest
from web.settings import access_requests

RITA = staffing.Facts("Rita Moss", "rita@clinic.example", "care_manager", ("en",), (), "+13035550162")


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "begin", lambda: None)


@pytest.fixture
def dana(clinic: Clinic, new_staff: Any) -> Staff:
    """The only one who decides, and has asked for a colleague."""
    staff: Staff = new_staff("Dana", role="clinic_admin")
    ask(clinic, staff, RITA)
    return staff


def ask(clinic: Clinic, by: Staff, facts: staffing.Facts) -> None:
    with db.unit_of_work(clinic.id) as session:
        at = session.get_one(Clinic, clinic.id)
        access_requests.ask(session, at, "invite", facts, session.get_one(Staff, by.id))


def approve(*words: str) -> Result:
    return CliRunner().invoke(people.staff, ["approve", *words])


def told(result: Result) -> Any:
    """What the command has said, after whatever was logged."""
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_an_operator_agrees_to_what_waits_and_the_link_goes_to_the_colleague(dana: Staff, clinic: Clinic) -> None:
    (listed,) = told(approve("--json"))
    assert listed == {
        "name": "Rita Moss", "email": "rita@clinic.example", "what": "invite", "role": "care_manager",
        "number": "··0162", "asked_by": dana.email,
    }  # fmt: skip
    done = approve("--email", "Rita@clinic.example ", "--json")
    assert (done.exit_code, told(done)[0]["link_sent_by"]) == (0, "text")
    with db.unit_of_work(clinic.id, read_only=True) as session:
        db.load_keys(session, {clinic.key_id})
        rita = session.scalars(select(Staff).where(Staff.email == RITA.email)).one()
        assert (rita.role, rita.active, rita.settling_since is None) == ("care_manager", True, False)
        bodies = [each.body or "" for each in session.scalars(select(Message).where(Message.staff_id == rita.id))]
        assert any("/signin/" in body for body in bodies)
        row = session.scalars(select(AccessRequest)).one()
        assert (row.outcome, audit.Actor(row.ended_by or "").kind, row.facts) == ("agreed", "operator", {})
    assert "Nothing waits" in approve().output
    assert approve("--email", "rita@clinic.example").exit_code == 2


def test_a_link_that_no_way_takes_is_printed_and_what_is_not_so_any_more_ends_with_3(
    dana: Staff, clinic: Clinic, new_staff: Any
) -> None:
    ask(clinic, dana, staffing.Facts("Ben Ito", "ben@clinic.example", "clinician", ("en",), (), None))
    assert "/signin/" in approve("--email", "ben@clinic.example").output
    new_staff("Rita Moss", email="rita@clinic.example")  # brought in by the operator meanwhile
    late = approve("--email", "rita@clinic.example")
    assert late.exit_code == 3
    assert "works here already" in late.output
