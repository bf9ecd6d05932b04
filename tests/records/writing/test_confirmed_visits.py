"""A confirmed visit is noted in the EHR that it is of, once each time, and only while it is so."""

from typing import Any

import pytest
from sqlalchemy import update

from config import db
from messaging.models import Clinic
from reminders.models import Appointment
from tests.records.writing.kit import Writes, confirmed


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_a_confirmed_visit_is_noted_in_the_ehr_it_is_of_and_once(house: Any, clinic: Clinic, athena: Writes) -> None:
    athena.faults({"method": "POST", "path": "notes", "status": 500, "accepts": True, "times": 1})
    confirmed(clinic)
    athena.drain()
    athena.later()
    assert athena.row.state == "written"
    (note,) = athena.there("note")
    assert note["notetext"].startswith("Visit confirmed through Warmthread (")


def test_a_visit_that_is_confirmed_anew_is_noted_anew(clinic: Clinic, athena: Writes) -> None:
    confirmed(clinic)
    athena.drain()
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Appointment).values(state="booked"))
    confirmed(clinic)
    athena.drain()
    assert athena.row.state == "written"
    assert len({note["notetext"] for note in athena.there("note")}) == 2


def test_what_is_so_no_more_is_not_written(clinic: Clinic, athena: Writes) -> None:
    confirmed(clinic)
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Appointment).values(state="cancelled"))
    athena.drain()
    assert (athena.row.state, athena.there()) == ("gone", [])
