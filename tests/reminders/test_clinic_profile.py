"""What a clinic says of itself holds where it matters: a site's zone, its address in texts, its nights."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine

from config import db
from messaging.inbox.routing import hours
from messaging.inbox.staff import absences
from messaging.models import Clinic, Staff
from messaging.retention import daily_sweep
from messaging.versions import publishing
from reminders import clinic_definition, clinic_file, clinic_profile, planner
from reminders.cadence import cadence_definition
from reminders.cadence_decision import CADENCE
from reminders.imports import records

SITES = [{"name": "Elm House", "address": "12 Elm St", "zone": "America/Phoenix", "state": "AZ"}]


def publish(world, kind=clinic_profile.CLINIC, **changed):
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        definition = kind.present(session, clinic) | changed
        draft = publishing.save(session, clinic, kind, definition, edit=0, actor="operator")
        publishing.publish(session, clinic, kind, edit=draft.edit, actor="operator")
        return clinic


def test_what_is_published_is_what_is_read_back_and_other_rules_stay(world):
    with db.unit_of_work(world.clinic.id) as session:
        session.get_one(Clinic, world.clinic.id).rules = {
            "hours": {"zone": "America/Denver"},
            "fallback": ["a@b"],
        }
    clinic = publish(world, zone="America/Chicago", sites=SITES)
    assert clinic_profile.about(clinic).sites[0].name == "Elm House"
    assert clinic.rules["hours"] == {"zone": "America/Chicago"}
    assert clinic.rules["fallback"] == ["a@b"]


def test_a_visit_without_a_zone_has_that_of_its_site(world):
    clinic = publish(world, sites=SITES)
    row = {"visit": "V1", "patient": "P1", "starts_at": "2026-07-01 09:00", "place": "elm house"}
    visit = records.visit(row, clinic)
    assert (visit.zone, visit.starts_at) == ("America/Phoenix", datetime(2026, 7, 1, 16, tzinfo=UTC))
    assert records.visit(row | {"place": "Oak House"}, clinic).zone == "America/Denver"
    assert records.visit(row | {"zone": "America/New_York"}, clinic).zone == "America/New_York"


def test_an_address_stands_beside_the_place_it_belongs_to(world):
    clinic = publish(world, sites=SITES)
    assert clinic_profile.spoken_place(clinic, "Elm House") == "Elm House, 12 Elm St"
    assert clinic_profile.spoken_place(clinic, "Oak House") == "Oak House"


def test_a_cadence_may_be_quieter_than_the_clinic_and_never_louder(world):
    publish(world, quiet_hours={"start": "19:00", "end": "07:00"})
    with db.unit_of_work(world.clinic.id) as session:
        followed = planner.cadence_of(session, world.clinic.id)
        assert (followed.quiet_hours.start, followed.quiet_hours.end) == (time(19), time(8))
        assert planner.written_of(session, world.clinic.id).quiet_hours.start == time(20)
        assert CADENCE.present(session, session.get_one(Clinic, world.clinic.id))["quiet_hours"]["start"] == "20:00"


def test_where_nothing_would_be_left_of_the_day_the_clinics_hours_hold(world):
    clinic = publish(world, quiet_hours={"start": "12:00", "end": "09:00"})
    late = cadence_definition.keeping(
        cadence_definition.default(), cadence_definition.QuietHours(start=time(20), end=time(13))
    )
    assert clinic_profile.narrowed(late, clinic).quiet_hours == cadence_definition.QuietHours(
        start=time(12), end=time(9)
    )


def test_a_number_of_months_that_nobody_keeps_is_refused_and_none_is_dropped(world):
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        clinic.rules = {**clinic.rules, "retention_months": 84}
        present = clinic_profile.CLINIC.present(session, clinic)
    assert "retention_months" not in clinic_definition.read(present | {"retention_months": 0})
    with pytest.raises(publishing.Refused, match="nothing was ever deleted by it"):
        clinic_definition.read(present | {"retention_months": 84})
    assert "retention_months" not in publish(world, name="Elm Clinic").rules


@time_machine.travel("2027-05-20T18:00:00Z", tick=False)
def test_another_clock_that_leaves_an_absence_without_anybody_is_refused_at_its_field(world):
    """Ben is away while Ana is at work; two hours further east she has gone home before he is back."""
    day, night = ({day: list(span) for day in hours.WEEKDAYS} for span in (("08:00", "20:00"), ("20:00", "08:00")))
    world.staff("Ana", hours=day)
    ben = world.staff("Ben", hours=night)
    start = datetime(2027, 6, 1, 14, tzinfo=UTC)
    with db.unit_of_work(world.clinic.id) as session:
        absences.plan(session, session.get_one(Staff, ben.id), None, start, start + timedelta(hours=12))
    with pytest.raises(publishing.Refused) as refused:
        publish(world, zone="America/New_York")
    (problem,) = refused.value.problems
    assert problem.field == "zone"
    assert problem.message.startswith("Tuesday 1 June 2027 20:00 to 22:00: nobody could be reached")
    with db.unit_of_work(world.clinic.id) as session:
        assert session.get_one(Clinic, world.clinic.id).zone == "America/Denver"
        assert publishing.live(session, world.clinic.id, "clinic") is None
    # A file becomes drafts, and a draft of it is asked the same.
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        text = clinic_file.export(session, clinic).replace('zone = "America/Denver"', 'zone = "America/New_York"')
        assert clinic_file.draft(session, clinic, text, "operator") == ["clinic"]
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        with pytest.raises(publishing.Refused):
            publishing.publish(session, clinic, clinic_profile.CLINIC, edit=1, actor="operator")


def test_words_are_kept_for_good_unless_a_clinic_says_for_how_long(world):
    assert clinic_profile.about(publish(world, name="Elm Clinic")).keep_years == 0
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        assert daily_sweep.of_clinic(session, world.clinic.id) is None
    assert publish(world, keep_years=7).rules["keep_years"] == 7
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        first = daily_sweep.of_clinic(session, world.clinic.id)
    assert publish(world, name="Oak Clinic").rules["keep_years"] == 7
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        same = daily_sweep.of_clinic(session, world.clinic.id)
        assert (same.id, same.try_after) == (first.id, first.try_after), "another name changes nothing about it"
    publish(world, keep_years=0)
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        assert daily_sweep.of_clinic(session, world.clinic.id) is None


@pytest.mark.parametrize("years", [1, 5, 51, -1, "soon"])
def test_fewer_than_six_years_are_refused(world, years):
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        present = clinic_profile.CLINIC.present(session, session.get_one(Clinic, world.clinic.id))
    with pytest.raises(publishing.Refused, match="keep_years"):
        clinic_definition.read(present | {"keep_years": years})


def test_only_fewer_years_take_a_second_person():
    warnings = clinic_profile.silences({"keep_years": 0}, {"keep_years": 6})
    assert warnings == ["texts older than 6 years would be emptied for good"]
    assert clinic_profile.silences({"keep_years": 10}, {"keep_years": 7})
    assert not clinic_profile.silences({"keep_years": 7}, {"keep_years": 10})
    assert not clinic_profile.silences({"keep_years": 7}, {"keep_years": 0})
    assert not clinic_profile.silences({}, {"keep_years": 0})


def test_a_site_whose_zone_was_taken_before_is_shown_as_it_is(world):
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        clinic.rules = {**clinic.rules, "sites": [{"name": "Elm House", "address": "", "zone": "EST"}]}
        assert [site.zone for site in clinic_profile.about(clinic).sites] == ["EST"]
        assert clinic_profile.zone_of(clinic, "elm house") == "EST"
