"""What was texted on a day stands in the EHR once the day is over: once, in order, without links, if it is ticked."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from fhir.resources.R4B import get_fhir_model_class

from config import clock, db
from messaging import outbox
from messaging.ehr_outbox import part_two
from messaging.models import Clinic, Message
from records.writing import days
from tests.interchange.polling.asked_ehrs import ACTOR
from tests.records.writing.kit import Writes, only_patient

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def written(epic: Writes) -> Writes:
    epic.decide(kinds=["day"])
    return epic


def texted(clinic: Clinic, words: str, *, inward: bool = False, sent: bool = True) -> UUID:
    """A text with the only patient, at this moment."""
    with db.unit_of_work(clinic.id) as session:
        patient, own = only_patient(session), session.get_one(Clinic, clinic.id)
        db.load_keys(session, {patient.key_id, own.key_id})
        message = outbox.text_patient(
            session, own, patient, kind="reply", programme="care_team", body=words, dedupe=f"t:{db.new_id()}"
        )
        assert isinstance(message, Message)
        if inward:
            message.direction, message.state = "in", "received"
        elif sent:
            message.state, message.sent_at = "delivered", clock.now()
        else:
            message.state = "cancelled"
        return message.id


def tomorrow() -> datetime:
    return clock.now() + timedelta(days=1, minutes=5)


def summaries(written: Writes) -> list[dict[str, Any]]:
    for resource in written.there("Communication"):
        get_fhir_model_class("Communication").model_validate(resource)
    return written.there("Communication")


def lines(resource: dict[str, Any]) -> list[str]:
    return str(resource["payload"][0]["contentString"]).splitlines()


@BOTH
def test_the_texts_of_a_day_stand_there_once_when_it_is_over(house: Any, clinic: Clinic, written: Writes) -> None:
    texted(clinic, "See you on Friday. https://clinic.example/i/AbCdEfGhIjKlMnOpQrStUv")
    texted(clinic, "Thank you {who}", inward=True)
    texted(clinic, "Never sent", sent=False)
    assert days.drain() == 0
    with time_machine.travel(tomorrow(), tick=True):
        assert days.drain() == 1
        assert days.drain() == 0
    written.later()
    (summary,) = summaries(written)
    title, first, second = lines(summary)
    assert title.startswith("Text messages, ")
    assert first.endswith(f"{clinic.name}: See you on Friday. https://clinic.example/i/…")
    assert second.endswith("Patient: Thank you {who}")
    assert (summary["subject"]["reference"], written.row.state) == ("Patient/7", "written")


def test_each_day_has_its_own(clinic: Clinic, written: Writes) -> None:
    texted(clinic, "One")
    with time_machine.travel(tomorrow(), tick=True):
        texted(clinic, "Two")
        with time_machine.travel(tomorrow(), tick=True):
            assert days.drain() == 2
    written.later()
    assert [len(lines(summary)) for summary in summaries(written)] == [2, 2]


def test_what_was_texted_before_it_was_ticked_stays(clinic: Clinic, epic: Writes) -> None:
    texted(clinic, "Before")
    epic.decide(kinds=["day"])
    texted(clinic, "After")
    with time_machine.travel(tomorrow(), tick=True):
        days.drain()
    epic.later()
    (summary,) = summaries(epic)
    assert [line.rpartition(": ")[2] for line in lines(summary)[1:]] == ["After"]


def test_a_day_without_texts_and_an_ehr_that_is_not_told_are_owed_nothing(clinic: Clinic, epic: Writes) -> None:
    texted(clinic, "One")
    with time_machine.travel(tomorrow(), tick=True):
        assert days.drain() == 0
    epic.decide(kinds=["day"])
    with time_machine.travel(tomorrow(), tick=True):
        assert days.drain() == 0
    assert epic.rows() == []


def test_the_lane_rings_only_once_a_day_is_over(clinic: Clinic, written: Writes) -> None:
    with db.unit_of_work(db.EVERY) as session:
        assert days.oldest(session, clock.now()) is None
        assert days.oldest(session, tomorrow()) is not None


def test_what_falls_under_part_two_stays(clinic: Clinic, written: Writes) -> None:
    texted(clinic, "One")
    with db.unit_of_work(clinic.id) as session:
        about = part_two.about("patient", only_patient(session).id)
        part_two.label(session, clinic.id, about, ACTOR, on=True)
    with time_machine.travel(tomorrow(), tick=True):
        days.drain()
    written.later()
    assert (written.row.state, written.row.refused, summaries(written)) == ("kept_back", "part_2", [])


def test_texts_that_speak_of_alcohol_or_drugs_stay_with_what_answers_them_and_are_counted(
    clinic: Clinic, written: Writes
) -> None:
    texted(clinic, "I am on my way", inward=True)
    texted(clinic, "How many beers do you have in a week?")
    texted(clinic, "about 12", inward=True)
    texted(clinic, "Thank you. See you on Friday.")
    with time_machine.travel(tomorrow(), tick=True):
        days.drain()
    written.later()
    (summary,) = summaries(written)
    _, *texts, last = lines(summary)
    assert [line.rpartition(": ")[2] for line in texts] == ["I am on my way", "Thank you. See you on Friday."]
    assert last == "Left out: 2"


def test_a_day_of_which_every_text_stays_stays_until_the_clinic_lets_them_go(clinic: Clinic, written: Writes) -> None:
    texted(clinic, "i relapsed last night", inward=True)
    texted(clinic, "Shall I call you?")
    with time_machine.travel(tomorrow(), tick=True):
        days.drain()
    written.later()
    assert (written.row.state, written.row.refused, summaries(written)) == ("kept_back", "substances", [])
    written.decide(kinds=["day"], allows=["substances"])
    written.later()
    (summary,) = summaries(written)
    assert [line.rpartition(": ")[2] for line in lines(summary)[1:]] == ["i relapsed last night", "Shall I call you?"]


def test_a_day_whose_first_text_stays_is_found_again_by_the_same_identifier(clinic: Clinic, written: Writes) -> None:
    written.faults({"method": "POST", "path": "Communication", "status": 500, "accepts": True, "times": 1})
    texted(clinic, "sober since may", inward=True)
    texted(clinic, "That is good to hear")
    texted(clinic, "See you on Friday")
    with time_machine.travel(tomorrow(), tick=True):
        days.drain()
    written.later()
    written.decide(kinds=["day"], allows=["substances"])
    written.later()
    assert (len(summaries(written)), written.row.state) == (1, "written")


def test_what_got_no_answer_is_looked_for_and_stands_there_once(clinic: Clinic, written: Writes) -> None:
    written.faults({"method": "POST", "path": "Communication", "status": 500, "accepts": True, "times": 1})
    texted(clinic, "One")
    with time_machine.travel(tomorrow(), tick=True):
        days.drain()
    written.later()
    written.later()
    assert len(summaries(written)) == 1
    assert written.row.state == "written"
