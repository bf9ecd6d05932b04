"""Links: one at a time, for a while, for the right person."""

from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from config import audit, clock, db, keys
from intake_links import links, scoring
from intake_links.models import IntakeLink
from messaging.inbox.models import InboxItem

BORN = date(1981, 3, 27)
OTHER = date(1981, 3, 28)


@pytest.fixture
def session(ward):
    with db.unit_of_work(db.EVERY) as session:
        yield session


def issue(ward, session, *instruments, **how):
    clinic, patient = ward.both(session)
    return links.issue(session, clinic, patient, list(instruments or ["phq9"]), **how)


def token_of(url):
    return url.rsplit("/", 1)[1]


def test_a_link_is_found_by_its_token_and_only_its_hash_is_kept(ward, session):
    link, url = issue(ward, session)
    assert url.startswith("https://care.example.org/i/")
    assert links.by_token(session, token_of(url)) is link
    assert link.token_hash == keys.token_hash(token_of(url))
    assert token_of(url).encode() not in link.token_hash
    assert links.by_token(session, token_of(url)[1:] + "x") is None


def test_a_patient_never_has_two_open_links(ward, session):
    first, _ = issue(ward, session)
    second, _ = issue(ward, session, "gad7")
    assert first.state == "withdrawn"
    assert links.open_link_of(session, ward.patient_id) is second
    open_ones = select(func.count()).where(IntakeLink.state.in_(links.LIVE))
    assert session.scalar(open_ones) == 1


def test_a_link_asks_no_instrument_twice(ward, session):
    clinic, patient = ward.both(session)
    with pytest.raises(ValueError, match="different instruments"):
        links.issue(session, clinic, patient, ["phq9", "phq9"])


def test_a_link_to_the_own_page_stands_beside_one_with_questions_and_of_each_there_is_one(ward, session):
    clinic, patient = ward.both(session)
    asking, _ = links.issue(session, clinic, patient, ["phq9"])
    first, _ = links.issue(session, clinic, patient, [])
    second, _ = links.issue(session, clinic, patient, [])
    assert (asking.state, first.state, second.state) == ("open", "withdrawn", "open")
    assert links.open_link_of(session, ward.patient_id) is asking
    links.issue(session, clinic, patient, ["gad7"])
    assert (asking.state, second.state) == ("withdrawn", "open")


def test_who_is_asked_the_long_form_is_not_asked_its_first_questions_before(ward, session):
    clinic, patient = ward.both(session)
    link, _ = links.issue(session, clinic, patient, ["phq2", "gad2", "phq9"])
    assert link.instruments == ["gad2", "phq9"]


def test_an_unknown_instrument_makes_no_link(ward, session):
    with pytest.raises(scoring.UnknownInstrument):
        issue(ward, session, "epds")
    assert links.open_link_of(session, ward.patient_id) is None


def test_a_link_ends_at_its_very_second(ward, session):
    start = clock.now()
    link, _ = issue(ward, session, valid=timedelta(hours=1))
    assert links.is_open(link, link.expires_at - timedelta(seconds=1))
    assert not links.is_open(link, link.expires_at)
    with time_machine.travel(start + timedelta(hours=1, seconds=2), tick=False):
        assert links.open_link_of(session, ward.patient_id) is None
        clinic, _patient = ward.both(session)
        assert links.verify(session, clinic, link, BORN) is None
    assert (link.state, link.tries) == ("expired", 0)


def test_an_expired_link_makes_room_as_expired_not_withdrawn(ward, session):
    start = clock.now()
    first, _ = issue(ward, session, valid=timedelta(hours=1))
    with time_machine.travel(start + timedelta(hours=2), tick=False):
        issue(ward, session)
    assert first.state == "expired"


def test_only_links_that_are_open_and_over_are_said_to_have_expired(ward, session):
    start = clock.now()
    short, _ = issue(ward, session, valid=timedelta(hours=1))
    assert links.expire(session, [short.id]) == 0
    with time_machine.travel(start + timedelta(hours=2), tick=False):
        assert links.expire(session, [short.id]) == 1
        assert links.expire(session, [short.id]) == 0
    assert short.state == "expired"


def test_a_link_gets_a_second_address_once_and_while_it_is_open(ward, session):
    link, _ = issue(ward, session)
    assert links.by_token(session, token_of(links.second_url(session, link))) is link
    with pytest.raises(ValueError, match="no second address"):
        links.second_url(session, link)
    ended, _ = issue(ward, session)
    links.withdraw(session, ended)
    with pytest.raises(ValueError, match="no second address"):
        links.second_url(session, ended)


def test_the_own_page_opens_by_a_link_that_is_open_or_answered_and_by_no_other(ward, session):
    link, _ = issue(ward, session)
    opens = {}
    for state in ("open", "verified", "answered", "locked", "withdrawn", "expired"):
        link.state = state
        opens[state] = links.opens_own_page(link, clock.now())
    assert [state for state, does in opens.items() if does] == ["open", "verified", "answered"]
    link.state = "answered"
    assert not links.opens_own_page(link, link.expires_at)
    link.tries = links.TRIES
    assert not links.opens_own_page(link, clock.now())
    link.state, link.tries, link.place = "open", 0, links.TABLET
    assert not links.opens_own_page(link, clock.now())


def test_the_birth_date_lets_in_and_another_does_not(ward, session):
    link, _ = issue(ward, session)
    clinic, _patient = ward.both(session)
    assert links.verify(session, clinic, link, OTHER) is None
    token = links.verify(session, clinic, link, BORN)
    assert token
    assert link.state == "verified"
    assert link.tries == 1
    opened = links.opened(session, token)
    assert opened.link is link
    assert opened.fresh


def test_five_wrong_dates_in_the_links_whole_life_lock_it_and_ask_a_person_to_call(ward, session):
    link, _ = issue(ward, session)
    clinic, _patient = ward.both(session)
    for _ in range(3):
        assert links.verify(session, clinic, link, OTHER) is None
    assert links.verify(session, clinic, link, BORN)  # being let in gives no new tries
    for _ in range(2):
        assert links.verify(session, clinic, link, OTHER) is None
    assert link.state == "locked"
    assert links.verify(session, clinic, link, BORN) is None
    item = session.scalars(select(InboxItem)).one()
    assert (item.kind, item.patient_id) == ("delivery", ward.patient_id)
    assert "call" in item.summary.lower()


def test_a_patient_without_a_birth_date_on_record_is_never_let_in(ward, session):
    clinic, patient = ward.both(session)
    patient.birth_date = None
    link, _ = issue(ward, session)
    assert links.verify(session, clinic, link, BORN) is None


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        (("", "3", "1981"), "birth_missing"),
        (("27", "3", "81"), "birth_four_digits"),
        (("31", "2", "1981"), "birth_not_a_date"),
        (("27", "March", "1981"), "birth_not_a_date"),
        (("27", "3", "0000"), "birth_not_a_date"),
        (("٢٧", "3", "1981"), "birth_not_a_date"),
    ],
)
def test_what_is_no_date_is_told_apart_from_a_wrong_one(typed, problem):
    assert links.read_birth_date(dict(zip(links.BIRTH, typed, strict=True))) == (None, problem)


def test_a_birth_date_may_be_typed_with_spaces_and_without_zeros():
    assert links.read_birth_date({"day": " 27 ", "month": "3", "year": "1981"}) == (BORN, "")


@pytest.mark.parametrize(
    ("later", "fresh"),
    [
        (timedelta(minutes=29), True),
        (timedelta(minutes=31), False),
    ],
)
def test_an_opened_link_closes_after_thirty_idle_minutes(ward, session, later, fresh):
    link, _ = issue(ward, session)
    token = links.verify(session, ward.both(session)[0], link, BORN)
    with time_machine.travel(clock.now() + later, tick=False):
        assert links.opened(session, token).fresh is fresh


def test_acting_keeps_a_link_open_for_four_hours_and_looking_does_not(ward, session):
    link, _ = issue(ward, session)
    token = links.verify(session, ward.both(session)[0], link, BORN)
    start = clock.now()
    for minutes in range(20, 240, 20):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            assert links.opened(session, token, acting=True).fresh
    with time_machine.travel(start + timedelta(minutes=245), tick=False):
        assert not links.opened(session, token, acting=True).fresh
    again = links.verify(session, ward.both(session)[0], link, BORN)
    before = links.opened(session, again).session.seen_at
    with time_machine.travel(start + timedelta(minutes=10), tick=False):
        links.opened(session, again)
    assert links.opened(session, again).session.seen_at == before


def test_an_unknown_cookie_opens_nothing(ward, session):
    assert links.opened(session, None) is None
    assert links.opened(session, "nonsense") is None


def test_every_act_on_a_link_is_in_the_audit_log(ward, session):
    link, _ = issue(ward, session)
    clinic, _patient = ward.both(session)
    links.verify(session, clinic, link, OTHER)
    links.verify(session, clinic, link, BORN)
    links.withdraw(session, link, actor=f"staff:{ward.staff_id}")
    session.flush()
    about = select(audit.AuditEntry.act).where(audit.AuditEntry.about == f"intake_link:{link.id}")
    acts = session.scalars(about.order_by(audit.AuditEntry.id)).all()
    assert sorted(acts) == ["link.issued", "link.verified", "link.withdrawn", "link.wrong_birth_date"]
