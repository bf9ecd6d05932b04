"""A reminder that quiet hours or a queue move over midnight says the right day, or does not leave and says so."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select, update

from config import db
from messaging.delivery import deliver
from messaging.delivery.last_look import LastLook
from messaging.models import Message
from messaging.versions.models import Version
from reminders.models import Appointment
from reminders.rules import zones
from reminders.sending import dispatch
from tests.messaging.wording.test_clinic_words import say
from tests.reminders.conftest import World, cadence_version, plan_of, texts_to, why_of
from tests.reminders.sending.test_dispatch import items_of

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
BOOKED = datetime(2027, 2, 1, tzinfo=UTC)
ALWAYS_OPEN = {"quiet_hours": {"start": "23:59", "end": "00:00"}}


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(BOOKED, tick=False):
        yield


def at(wall: str, zone: str = "America/Denver") -> datetime:
    return zones.local_to_utc(datetime.fromisoformat(wall), ZoneInfo(zone))


def cadence(world: World, before: str, **more: object) -> None:
    definition = {"name": "ours", "steps": [{"name": "2h", "before": before, "text": "reminder_hours"}], **more}
    with db.unit_of_work(db.EVERY) as session:
        session.add(cadence_version(world.clinic, definition, BOOKED))


def due(visit: Appointment) -> datetime:
    """When the step hours before the visit is planned for."""
    return plan_of(visit)["2h"].due_at


def last_text(world: World, visit: Appointment) -> Message:
    """What the step hours before the visit has queued, at its own time."""
    with time_machine.travel(due(visit), tick=False):
        dispatch.drain()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        message = session.get_one(Message, plan_of(visit)["2h"].message_id)
        db.load_keys(session, [message.key_id])
        assert message.body
        return message


@BOTH
@pytest.mark.parametrize(
    ("hour", "leaves", "says"),
    [
        ("08:30", "2027-03-09T19:45", "we will see you tomorrow at 8:30 AM."),
        ("08:00", "2027-03-09T19:45", "we will see you tomorrow at 8:00 AM."),
        ("09:00", "2027-03-10T08:00", "we will see you today at 9:00 AM."),
    ],
)
def test_a_visit_early_in_the_morning_is_tomorrow_on_the_evening_before(
    world: World, hour: str, leaves: str, says: str
) -> None:
    visit = world.visit(world.patient(), at(f"2027-03-10T{hour}"), booked_at=BOOKED)
    assert due(visit) == at(leaves)
    assert says in (last_text(world, visit).body or "")


def test_a_patient_who_speaks_spanish_reads_manana(world: World) -> None:
    visit = world.visit(world.patient(language="es"), at("2027-03-10T08:30"), booked_at=BOOKED)
    assert "Le esperamos: mañana, 8:30 am." in (last_text(world, visit).body or "")


@pytest.mark.parametrize(
    ("theirs", "leaves", "says"),
    [
        ("Pacific/Honolulu", "2027-03-09T19:45", "we will see you tomorrow at 8:30 AM MST."),
        ("Pacific/Guam", "2027-03-10T19:45", "we will see you Wed, Mar 10 MST at 8:30 AM MST."),
        ("America/New_York", "2027-03-10T08:30", "we will see you today at 8:30 AM MST."),
    ],
)
def test_a_patient_in_another_zone_is_told_no_day_that_their_own_clock_denies(
    world: World, theirs: str, leaves: str, says: str
) -> None:
    visit = world.visit(world.patient(zone=theirs), at("2027-03-10T08:30"), booked_at=BOOKED)
    assert due(visit) == at(leaves, theirs)
    assert says in (last_text(world, visit).body or "")


@pytest.mark.parametrize(
    ("before", "says", "until"),
    [
        ("2 hours", "we will see you tomorrow at 12:30 AM.", "2027-03-09T23:59"),
        ("35 minutes", "we will see you Wed, Mar 10 at 12:30 AM.", "2027-03-10T00:00"),
        ("20 minutes", "we will see you today at 12:30 AM.", "2027-03-10T00:30"),
    ],
)
def test_a_night_clinic_says_of_half_past_midnight_which_day_that_is(
    world: World, before: str, says: str, until: str
) -> None:
    cadence(world, before, **ALWAYS_OPEN)
    visit = world.visit(world.patient(), at("2027-03-10T00:30"), booked_at=BOOKED)
    text = last_text(world, visit)
    assert says in (text.body or "")
    assert text.expires_at == at(until)


def test_a_queue_that_hangs_over_midnight_sends_no_tomorrow_and_a_human_calls(world: World) -> None:
    # The night of the clinic is the patient's evening, so that only midnight at the clinic is in the way.
    cadence(world, "11 hours", quiet_hours={"start": "23:30", "end": "00:00"})
    patient = world.patient(zone="America/Los_Angeles")
    visit = world.visit(patient, at("2027-03-10T08:30"), booked_at=BOOKED)
    text = last_text(world, visit)
    assert "tomorrow at 8:30 AM MST" in (text.body or "")
    assert text.expires_at == at("2027-03-10T00:00")
    with time_machine.travel(at("2027-03-09T23:59"), tick=False), db.unit_of_work(db.EVERY) as session:
        assert LastLook(session, [session.get_one(Message, text.id)]).why_not(text) is None
    with time_machine.travel(at("2027-03-10T00:01"), tick=False):
        deliver.deliver("bulk")
        dispatch.drain()
    assert why_of(plan_of(visit)["2h"])[-1] == "not sent: the text was held"
    assert items_of(patient) == ["A text was held back because its time had passed. Please call."]


def test_no_text_that_names_a_near_day_begins_after_midnight_in_the_senders_hands(world: World) -> None:
    cadence(world, "11 hours", quiet_hours={"start": "23:30", "end": "00:00"})
    visit = world.visit(world.patient(zone="America/Los_Angeles"), at("2027-03-10T08:30"), booked_at=BOOKED)
    last_text(world, visit)
    with time_machine.travel(at("2027-03-10T00:00") - timedelta(seconds=2), tick=False) as clock:
        _, (intent,) = deliver._claim("bulk")
        assert not intent.until.passed()
        clock.shift(timedelta(seconds=2))
        assert intent.until.passed()


@pytest.mark.parametrize(
    ("own", "hour", "says"),
    [
        ("We see you today at {time}!", "08:30", "we will see you tomorrow at 8:30 AM."),
        ("We see you today at {time}!", "09:00", "We see you today at 9:00 AM!"),
        ("Tomorrow, {time}: our visit", "08:30", "Tomorrow, 8:30 AM: our visit"),
        ("Hoy, {time}", "08:30", "we will see you tomorrow at 8:30 AM."),
        ("See you tonight at {time}", "09:00", "we will see you today at 9:00 AM."),
    ],
)
def test_words_published_with_a_day_of_their_own_leave_only_on_that_day(
    world: World, own: str, hour: str, says: str
) -> None:
    say(world.clinic, "place_reminder_hours", "{day}")
    with db.unit_of_work(db.EVERY) as session:  # as it could be published before it was refused
        version = select(Version.id).where(Version.kind == "words")
        session.execute(
            update(Version).where(Version.id.in_(version)).values(definition={"en": {"place_reminder_hours": own}})
        )
    visit = world.visit(world.patient(), at(f"2027-03-10T{hour}"), booked_at=BOOKED)
    text = last_text(world, visit)
    assert says in (text.body or "")
    assert text.expires_at <= at("2027-03-10T00:00") or hour == "09:00"


def test_visits_of_one_day_in_two_zones_share_no_word_that_is_right_for_one_of_them(world: World) -> None:
    step = {"name": "2h", "before": "1 day", "at": "10:00", "text": "reminder_hours"}
    cadence(world, "2 hours", steps=[step])
    patient = world.patient(zone="America/Denver")
    visit = world.visit(patient, at("2027-03-10T10:00"), booked_at=BOOKED)
    evening = at("2027-03-10T22:00", "Pacific/Honolulu")  # already Thursday on the patient's clock
    world.visit(patient, evening, booked_at=BOOKED, zone="Pacific/Honolulu")
    assert "we will see you Wed, Mar 10 at 10:00 AM, 10:00 PM HST." in (last_text(world, visit).body or "")
    assert len(texts_to(patient)) == 1
