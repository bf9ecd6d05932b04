"""A short form that grows: its answers stay, nothing is asked twice, and nobody positive is lost on the way."""

import itertools
import pathlib
import tomllib

import pytest
from sqlalchemy import select

from config import db
from intake_links import alert_audit, finding, instruments, scoring
from intake_links.models import Screen
from messaging.inbox.models import InboxItem


def read(query):
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return query(session)


def screen():
    def query(session):
        screen = session.scalars(select(Screen)).one()
        return screen.instrument, list(finding.answers_of(screen)), screen.state

    return read(query)


def items():
    return read(lambda s: [(i.kind, i.summary) for i in s.scalars(select(InboxItem).order_by(InboxItem.id))])


def fill(phone, answers):
    for answer in answers:
        phone.post(**({"skip": 1} if answer is None else {"answer": answer}))
        if phone.path == "/i/help":
            phone.get("/i/q")
    return phone


def test_a_phq2_of_two_points_is_a_phq2(ward, phone):
    fill(phone.enter(ward.issue("phq2")[1]), [1, 1])
    assert phone.path == "/i/q/1/check"
    phone.post()
    assert screen() == ("phq2", [1, 1], "submitted")
    assert items() == []


def test_a_phq2_of_three_points_goes_on_as_a_phq9_with_the_third_question(ward, phone):
    fill(phone.enter(ward.issue("phq2")[1]), [1, 2])
    assert phone.path == "/i/q/1/3"
    assert "Question 3 of 9" in phone.page
    fill(phone, [1, 1, 1, 1, 1, 1, 0])
    assert phone.path == "/i/q/1/check"
    assert phone.page.count("<dt") == 9
    phone.post()
    assert phone.path == "/i/done"
    assert screen() == ("phq9", [1, 2, 1, 1, 1, 1, 1, 1, 0], "submitted")
    assert items() == []  # nine points: the long form is the answer


def test_a_gad2_grows_into_a_gad7(ward, phone):
    fill(phone.enter(ward.issue("gad2")[1]), [3, 3, 3, 3, 0, 0, 0]).post()
    assert screen() == ("gad7", [3, 3, 3, 3, 0, 0, 0], "submitted")
    assert [kind for kind, _ in items()] == ["screen"]


def test_item_nine_of_a_form_that_began_as_a_phq2_rings_at_once_though_it_is_never_finished(ward, phone):
    fill(phone.enter(ward.issue("phq2")[1]), [3, 0, 0, 0, 0, 0, 0, 0])
    phone.post(answer=1)
    assert phone.path == "/i/help"
    assert "988" in phone.page
    ((kind, summary),) = items()
    assert kind == "safety"
    assert "item 9 on the PHQ-9" in summary


def test_a_positive_phq2_is_not_lost_when_the_further_questions_are_declined(ward, phone):
    fill(phone.enter(ward.issue("phq2")[1]), [2, 2, *[None] * 7]).post()
    ((kind, summary),) = items()
    assert kind == "screen"
    assert "Positive screen on the PHQ-2, and the PHQ-9 was not answered whole" in summary
    assert "Total" not in summary.replace("No total", "")
    (row,) = read(lambda s: list(alert_audit.rows(s)))
    assert row.kind == "screen"


def test_a_slip_that_made_the_form_grow_can_be_taken_back(ward, phone):
    fill(phone.enter(ward.issue("phq2")[1]), [3])
    phone.get("/i/q/1/1").post(answer=0)
    fill(phone.get("/i/q"), [0])
    assert phone.path == "/i/q/1/check"
    phone.post()
    assert screen() == ("phq2", [0, 0], "submitted")


def test_what_was_answered_on_the_longer_form_is_never_thrown_away(ward, phone):
    fill(phone.enter(ward.issue("phq2")[1]), [3, 0, 1])
    phone.get("/i/q/1/1").post(answer=0)
    assert screen() == ("phq9", [0, 0, 1, *[None] * 6], "started")


@pytest.mark.parametrize("tab", [1, 2])
def test_an_old_tab_of_the_short_form_only_changes_its_own_answer(ward, phone, tab):
    phone.enter(ward.issue("phq2")[1])
    old = phone.page
    fill(phone, [2, 2, 1])
    phone.page = old
    phone.post(f"/i/q/1/{tab}", answer=3)
    expected = [2, 2, 1, *[None] * 6]
    expected[tab - 1] = 3
    assert screen() == ("phq9", expected, "started")


def test_in_two_parts_the_first_grows_and_the_second_still_comes(ward, phone):
    fill(phone.enter(ward.issue("phq2", "audit_c")[1]), [3, 3, *[0] * 7])
    assert "Send these answers and go on" in phone.page
    phone.post()
    assert "Part 2 of 2" in phone.page
    assert "Question 1<" in phone.page


@pytest.mark.parametrize(("short", "long"), [("phq2", "phq9"), ("gad2", "gad7")])
def test_a_short_form_grows_at_three_points_and_only_then(short, long):
    began, longer = scoring.instrument(short), scoring.instrument(long)
    for first, second in itertools.product([None, 0, 1, 2, 3], repeat=2):
        grown = {None: 0}.get(first, first) + {None: 0}.get(second, second) >= 3
        assert scoring.form_after(began, [first, second]) is (longer if grown else began)
        rest = len(longer.items) - 2
        assert scoring.form_after(began, [first, second, *[None] * rest]) is (longer if grown else began)
        # What was answered on the longer form is never thrown away.
        assert scoring.form_after(began, [first, second, *[None] * (rest - 1), 0]) is longer


def test_a_long_form_stays_what_it_is():
    assert scoring.form_after(scoring.instrument("phq9"), [0] * 9).id == "phq9"


def test_a_number_of_questions_is_said_only_when_it_is_sure():
    phq2, audit = scoring.instrument("phq2"), scoring.instrument("audit_c")
    assert scoring.length(phq2, [None, None]) is None
    assert scoring.length(scoring.instrument("phq9"), [3, None, *[None] * 7]) == 9
    assert scoring.length(audit, [None, None, None]) is None
    assert scoring.length(audit, [0, None, None]) == 1
    assert scoring.length(audit, [2, None, None]) == 3


@pytest.mark.parametrize("into", ["phq8", "gad7", "phq9m", "phq2"])
def test_a_form_grows_only_into_one_that_begins_with_its_own_questions(into):
    folder = pathlib.Path(instruments.__file__).parent
    documents = {file.stem: tomllib.loads(file.read_text("utf-8")) for file in folder.glob("*.toml")}
    documents["phq2"]["grows_into"] = into
    with pytest.raises(scoring.InstrumentError, match="does not grow"):
        instruments.read(documents)
