"""Who hears of what: texts and mails as each wishes, quiet off duty, and never quiet for what cannot wait."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from pydantic import SecretStr
from sqlalchemy import select, update

from config import clock, db, runtime
from messaging import jobs
from messaging.inbox import items, undoing
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import absences, channels, nudging
from messaging.mail import addresses
from messaging.mail.models import Mail
from messaging.models import Clinic, Message, Staff

# A Wednesday in Denver, at noon and at night.
NOON = datetime(2026, 11, 18, 19, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 19, 6, 0, tzinfo=UTC)
BY_DAY = {day: ["08:00", "17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
EVERY_WAY = {"text": True, "email": True}


@pytest.fixture(autouse=True)
def mail_server(house, monkeypatch):
    """A service that has a mail server; nothing is sent here."""
    mail = {"smtp_url": SecretStr("smtp://127.0.0.1:9"), "mail_from": "warmthread@clinic.example"}
    monkeypatch.setattr(runtime, "_settings", house.model_copy(update=mail))


@pytest.fixture
def rosa(new_staff):
    """Rosa works by day, reads her mail, and wants to hear of everything by every way."""
    rosa = new_staff("Rosa", hours=BY_DAY)
    with db.unit_of_work(db.EVERY) as session:
        staff = session.get_one(Staff, rosa.id)
        staff.notify = dict.fromkeys(("safety", "screen", "reply", "assigned", "due_soon", "answered"), EVERY_WAY)
        addresses.ask(session, staff)
        address = addresses.of(session, staff)
        addresses.confirm(session, address, staff, clock.now() + timedelta(days=1))
    return staff


def tell(clinic, staff, kind, dedupe="x") -> bool:
    with db.unit_of_work(clinic.id) as session:
        colleague = session.get_one(Staff, staff.id)
        return nudging.tell(session, session.get_one(Clinic, clinic.id), colleague, kind, path="/today", dedupe=dedupe)


def told() -> tuple[list[str], list[str]]:
    """The texts and the kinds of mail that were queued."""
    with db.unit_of_work(db.EVERY) as session:
        texts = [
            message.body or "" for message in session.scalars(select(Message).where(Message.kind == "staff_alert"))
        ]
        return texts, [kind for kind in session.scalars(select(Mail.kind)) if kind != "confirm"]


@pytest.mark.parametrize("kind", ["screen", "reply", "assigned", "due_soon", "answered"])
def test_on_duty_she_hears_by_every_way_and_off_duty_by_none(clinic, rosa, kind):
    with time_machine.travel(NIGHT, tick=False):
        assert not tell(clinic, rosa, kind)
        assert told() == ([], [])
    with time_machine.travel(NOON, tick=False):
        assert tell(clinic, rosa, kind)
        texts, mails = told()
        assert (len(texts), mails) == (1, [kind])
        assert "https://clinic.example/today" in texts[0]


@pytest.mark.parametrize("kind", ["safety", "escalated", "handoff"])
def test_what_cannot_wait_comes_at_night_too(clinic, rosa, kind):
    with time_machine.travel(NIGHT, tick=False):
        assert tell(clinic, rosa, kind)
    assert len(told()[0]) == 1


def test_whoever_is_on_call_or_the_fallback_hears_at_night(clinic, rosa):
    with time_machine.travel(NIGHT, tick=False):
        assert not tell(clinic, rosa, "screen", "a")
        with db.unit_of_work(db.EVERY) as session:
            session.execute(update(Clinic).values(rules={"fallback": [rosa.email]}))
        assert tell(clinic, rosa, "screen", "b")
        with db.unit_of_work(db.EVERY) as session:
            session.execute(update(Clinic).values(rules={}))
            session.get_one(Staff, rosa.id).on_call = {"wed": ["17:00", "08:00"]}
        assert tell(clinic, rosa, "screen", "c")


def test_whoever_is_away_is_left_in_peace(clinic, rosa, new_staff):
    ben = new_staff("Ben")
    with time_machine.travel(NOON, tick=False):
        with db.unit_of_work(clinic.id) as session:
            absences.plan(session, session.get_one(Staff, rosa.id), ben, clock.now(), clock.now() + timedelta(days=1))
        assert not tell(clinic, rosa, "screen")
        assert told()[1] == []
        assert tell(clinic, rosa, "safety", "y")


def test_a_phone_that_takes_no_texts_gets_the_mail_instead(clinic, rosa):
    with db.unit_of_work(db.EVERY) as session:
        staff = session.get_one(Staff, rosa.id)
        staff.number, staff.notify = None, {}
    with time_machine.travel(NIGHT, tick=False):
        assert not tell(clinic, rosa, "safety")
    assert told() == ([], ["safety"])


def test_an_urgent_item_that_reaches_no_phone_climbs_at_once_though_a_mail_is_on_its_way(clinic, rosa, new_staff, desk):
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, rosa.id).number = None
    new_staff("Ben", hours=BY_DAY)
    with time_machine.travel(NOON, tick=False):
        with db.unit_of_work(clinic.id) as session:
            facts = {"about": "x:1", "dedupe": "x", "summary": "x", "owner_id": rosa.id}
            item = items.open_item(session, clinic, kind="safety", **facts)
        jobs.fire_timers()
        jobs.fire_timers()
    assert "escalated" in desk.events(item.id)
    assert told()[1] == ["safety"]


@pytest.mark.parametrize(
    ("role", "kind", "of_role", "page"),
    [
        ("care_manager", "task", None, "/inbox/{id}"),
        ("front_desk", "task", None, "/tasks/{id}"),
        ("front_desk", "note", None, "/notes"),
        ("front_desk", "handoff", None, "/handoffs"),
        ("front_desk", "handoff", "front_desk", "/desk/{id}"),
        ("front_desk", "reply", "front_desk", "/desk/{id}"),
        ("front_desk", "safety", None, "/today"),
    ],
)
def test_the_link_leads_to_a_page_that_its_reader_may_open(clinic, new_staff, role, kind, of_role, page):
    dana = new_staff("Dana", role=role)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, dana.id).notify = dict.fromkeys(("reply", "assigned"), EVERY_WAY)
    item = open_item(clinic, dana, kind)
    with db.unit_of_work(clinic.id) as session:
        item = session.get_one(InboxItem, item.id)
        item.role = of_role
        colleague, at = session.get_one(Staff, dana.id), session.get_one(Clinic, clinic.id)
        assert nudging.of_item(session, at, colleague, item, channels.of_item(kind), dedupe="x")
    assert told()[0][-1].endswith(f"https://clinic.example{page.format(id=item.id)}")


def test_one_reason_tells_once(clinic, rosa):
    with time_machine.travel(NOON, tick=False):
        tell(clinic, rosa, "reply")
        tell(clinic, rosa, "reply")
    assert [len(some) for some in told()] == [1, 1]


def open_item(clinic, owner, kind="reply", minutes=240):
    with db.unit_of_work(clinic.id) as session:
        return items.open_item(
            session, clinic, kind=kind, about="x:1", dedupe=f"x:{db.new_id()}", summary="x", owner_id=owner.id,
            answer_by=clock.now() + timedelta(minutes=minutes),
        )  # fmt: skip


def fire(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        jobs.fire_timers()


def test_what_is_due_soon_is_told_half_an_hour_ahead_to_whoever_asked_for_it(clinic, rosa):
    with time_machine.travel(NOON, tick=False):
        open_item(clinic, rosa)
        jobs.fire_timers()
    fire(NOON + timedelta(minutes=209))
    assert "due_soon" not in told()[1]
    fire(NOON + timedelta(minutes=211))
    fire(NOON + timedelta(minutes=215))
    assert told()[1].count("due_soon") == 1


@pytest.mark.parametrize("change", ["acknowledged", "moved"])
def test_what_was_seen_or_moved_is_not_due_soon(clinic, rosa, change):
    with time_machine.travel(NOON, tick=False):
        item = open_item(clinic, rosa, minutes=120)
        jobs.fire_timers()
        with db.unit_of_work(clinic.id) as session:
            item = session.merge(item)
            if change == "acknowledged":
                items.acknowledge(session, item, session.get_one(Staff, rosa.id), "handled")
            else:
                items.set_clock(session, item, NOON + timedelta(minutes=200))
    fire(NOON + timedelta(minutes=95))
    assert "due_soon" not in told()[1]
    fire(NOON + timedelta(minutes=171))
    assert told()[1].count("due_soon") == (1 if change == "moved" else 0)


@pytest.mark.parametrize("act", ["claim", "hand_over"])
def test_whoever_has_it_later_hears_that_it_is_due_soon_too(clinic, rosa, new_staff, act):
    ben = new_staff("Ben")
    with time_machine.travel(NOON, tick=False):
        item = open_item(clinic, ben)
        jobs.fire_timers()
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False), db.unit_of_work(clinic.id) as session:
        given = (session.get_one(Staff, rosa.id),) if act == "claim" else (ben, session.get_one(Staff, rosa.id))
        getattr(items, act)(session, session.get_one(InboxItem, item.id), *given)
    fire(NOON + timedelta(minutes=6))
    assert ("reply" in told()[1]) == (act == "hand_over")  # whoever takes it knows
    fire(NOON + timedelta(minutes=211))
    assert told()[1].count("due_soon") == 1


@pytest.mark.parametrize("taken_back", [False, True])
def test_whoever_is_given_an_item_is_told_unless_it_was_a_slip(clinic, rosa, new_staff, taken_back):
    ben = new_staff("Ben", hours=BY_DAY)
    with time_machine.travel(NOON, tick=False) as journey:
        item = open_item(clinic, ben, "screen")
        jobs.fire_timers()
        with db.unit_of_work(clinic.id) as session:
            to = session.get_one(Staff, rosa.id)
            line = items.hand_over(session, session.get_one(InboxItem, item.id), ben, to)
        journey.shift(timedelta(seconds=9))
        jobs.fire_timers()
        if taken_back:
            with db.unit_of_work(clinic.id) as session:
                undoing.undo(session, clinic.id, ben, line.id)
        journey.shift(timedelta(seconds=9))
        jobs.fire_timers()
    texts, mails = told()
    assert (len(texts), mails) == ((1, []) if taken_back else (2, ["screen"]))


def test_whom_routing_chooses_is_told_though_somebody_had_taken_it_by_mistake(clinic, rosa, new_staff):
    ben = new_staff("Ben", hours={"sun": ["08:00", "09:00"]})
    with time_machine.travel(NOON, tick=False):
        with db.unit_of_work(clinic.id) as session:
            facts = {"about": "x:1", "dedupe": "x", "summary": "x"}
            item = items.open_item(session, session.get_one(Clinic, clinic.id), kind="safety", **facts)
            line = items.claim(session, item, session.get_one(Staff, ben.id))
        with db.unit_of_work(clinic.id) as session:
            undoing.undo(session, clinic.id, session.get_one(Staff, ben.id), line.id)
        jobs.fire_timers()
    with db.unit_of_work(clinic.id) as session:
        assert session.get_one(InboxItem, item.id).owner_id == rosa.id
    assert len(told()[0]) == 1


def test_whoever_has_not_asked_for_it_has_no_timer_for_it(clinic, new_staff, desk):
    ben = new_staff("Ben")
    item = open_item(clinic, ben)
    jobs.fire_timers()
    assert [timer.kind for timer in desk.timers(item.id)] == ["escalate"]
