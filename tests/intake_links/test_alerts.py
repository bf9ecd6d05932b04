"""What an item says of its screen to the clinic's rules: the instrument, and every band its total reached, sealed."""

import json

import pytest
from sqlalchemy import select

from config import db
from intake_links import finding, links, submissions
from messaging import reasons
from messaging.inbox.models import InboxItem


def screened(ward, instrument: str, answers: list[int]) -> dict:
    with db.unit_of_work(db.EVERY) as session:
        clinic, patient = ward.both(session)
        submissions.accept(
            session,
            clinic,
            patient,
            instrument=instrument,
            answers=answers,
            language="en",
            source="v",
            event="e",
        )
        session.flush()
        item = session.scalars(select(InboxItem)).one()
        assert instrument.encode() not in item.screened_ct
        return json.loads(item.screened)


@pytest.mark.parametrize(
    ("answers", "bands"),
    [
        ([2, 2, 2, 2, 2, 0, 0, 0, 0], ["minimal", "mild", "moderate"]),
        ([3, 3, 3, 3, 3, 3, 3, 3, 3], ["minimal", "mild", "moderate", "moderately_severe", "severe"]),
        ([0, 0, 0, 0, 0, 0, 0, 0, 1], ["minimal"]),
    ],
)
def test_a_finished_form_says_every_band_it_reached(ward, answers, bands):
    assert screened(ward, "phq9", answers) == {"instrument": "phq9", "bands": bands}


def test_an_alerting_answer_has_no_band_until_the_form_is_finished(ward):
    with db.unit_of_work(db.EVERY) as session:
        clinic, patient = ward.both(session)
        link, _ = links.issue(session, clinic, patient, ["phq9"])
        screen = submissions.begin(session, clinic, link, 0)
        submissions.accept_answer(session, clinic, screen, 8, 2)
        item = session.scalars(select(InboxItem)).one()
        assert json.loads(item.screened) == {"instrument": "phq9", "bands": []}
        for index in range(8):
            submissions.accept_answer(session, clinic, screen, index, 1)
        submissions.submit(session, clinic, screen)
        assert json.loads(item.screened)["bands"] == ["minimal", "mild", "moderate"]


def test_every_finding_has_words_and_what_an_item_says_is_kept_as_data_and_sealed(ward):
    with db.unit_of_work(db.EVERY) as session:
        clinic, patient = ward.both(session)
        link, _ = links.issue(session, clinic, patient, ["phq9"])
        screen = submissions.begin(session, clinic, link, 0)
        submissions.accept_answer(session, clinic, screen, 8, 2)
        submissions.accept_answer(session, clinic, screen, 8, 0)
        item = session.scalars(select(InboxItem)).one()
        kept = [each["key"] for each in json.loads(item.findings)]
        assert kept == ["alert", "changed", "unfinished"]
        assert b"alert" not in item.findings_ct
        submissions.submit(session, clinic, screen)
        assert [each["key"] for each in json.loads(item.findings)] == ["alert", "changed", "total_missing"]
        assert item.summary == finding.say([reasons.read(each) for each in json.loads(item.findings)])
        assert set(links.staff_words()) >= set(kept)


@pytest.mark.parametrize("summary", ["Answered item 9 on the PHQ-9: several days (form not finished)", "", "{odd}"])
def test_an_item_from_before_keeps_what_it_said(ward, summary):
    with db.unit_of_work(db.EVERY) as session:
        clinic, patient = ward.both(session)
        link, _ = links.issue(session, clinic, patient, ["phq9"])
        screen = submissions.begin(session, clinic, link, 0)
        submissions.accept_answer(session, clinic, screen, 8, 2)
        item = session.scalars(select(InboxItem)).one()
        item.summary, item.findings = summary, None
        submissions.accept_answer(session, clinic, screen, 8, 0)
        assert item.summary == f"{summary}; later changed to: not at all (form not finished)"
