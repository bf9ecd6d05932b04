"""What a patient says of a visit goes back by HL7, in the EHR's own ids, each message under one MSH-10."""

from typing import Any

import hl7
import pytest
from sqlalchemy import select

from config import db
from messaging.inbox.models import InboxItem
from messaging.models import Clinic
from reminders import appointments
from reminders.models import Appointment, Reminder
from tests.phones import Network
from tests.records.writing.engines import Engine
from tests.webhooks.ehr_world import START, both

RESOURCES = (
    "NTE|1||ana is afraid of dogs", "PV1|1|O|CLINIC^2|||||||||||||||||VN9", "DG1|1||F32.1", "RGS|1|A",
    "AIS|1|A|BH^Follow-up||||30|min||Booked", "AIL|1|A|ROOM4^^^ELM", "AIP|1|A|900^Reed^Jo", "ZID|secret",
)  # fmt: skip


@pytest.fixture
def ehr(here: Any, network: Network, clinic: Clinic) -> Engine:
    return Engine(network, clinic)


@both
def test_a_confirmed_visit_is_told_in_the_ehrs_own_ids(house: Any, ehr: Engine) -> None:
    ehr.told(*RESOURCES, placer="P7^ELM")
    ehr.confirm()
    ehr.drain()
    assert ehr.row.state == "written"
    (text,) = ehr.taken()
    message = hl7.parse(text)
    header, sch, pid = (message.segment(name) for name in ("MSH", "SCH", "PID"))
    assert [str(header[field]) for field in (3, 4, 5, 6)] == ["WARM", "ELM2", "BOOKS", "ELM"]
    assert (str(header[9]), str(header[11]), str(header[12])) == ("SIU^S14", "P", "2.5.1")
    assert 0 < len(str(header[10])) <= 20
    assert [str(sch[field]) for field in (1, 2, 6, 25)] == ["P7^ELM", "V7^BOOKS", "Confirmed", "Confirmed"]
    assert str(sch[11]) == f"^^^{START:%Y%m%d%H%M%S}+0000"
    assert [str(pid[field]) for field in (3, 5, 7, 8)] == ["4711^^^ELM^MR", "RIVER^ANA", "19800102", "F"]
    assert [str(each[0]) for each in message] == ["MSH", "SCH", "PID", "PV1", "RGS", "AIS", "AIL", "AIP"]
    assert [str(message.segment(name)[2]) for name in ("RGS", "AIS", "AIL", "AIP")] == ["U"] * 4
    assert str(message.segment("AIS")[10]) == "Confirmed"
    assert str(message.segment("AIL")[3]) == "ROOM4^^^ELM"


def test_of_the_patient_no_more_is_said_than_they_are_found_by(ehr: Engine) -> None:
    ehr.told(*RESOURCES)
    ehr.confirm()
    ehr.drain()
    (text,) = ehr.taken()
    assert not [words for words in ("555", "dogs", "F32", "secret", "spa", "CLINIC") if words in text]


def test_a_message_without_resources_has_the_group_that_the_standard_asks_for(ehr: Engine) -> None:
    ehr.told()
    ehr.confirm()
    ehr.drain()
    assert hl7.parse(ehr.taken()[0]).segment("RGS")[2] == ["U"]


def test_the_newest_message_of_the_visit_is_said_back(ehr: Engine) -> None:
    ehr.told("AIL|1||ROOM4")
    ehr.told("AIL|1||ROOM9", event="S14")
    ehr.confirm()
    ehr.drain()
    assert str(hl7.parse(ehr.taken()[0]).segment("AIL")[3]) == "ROOM9"


def test_the_words_are_those_of_the_feeds_profile(here: Any, network: Network, clinic: Clinic) -> None:
    words = {"confirmed": {"status": "CONF^Confirmed by text"}, "change_asked": {"event": "S15", "status": "CAN"}}
    ehr = Engine(network, clinic, tells=words)
    ehr.connect(allows=["changes"])
    ehr.told()
    ehr.confirm()
    ehr.drain()
    ehr.says(appointments.ask_change)
    ehr.drain()
    sent = [hl7.parse(text) for text in ehr.taken()]
    assert [str(each.segment("MSH")[9]) for each in sent] == ["SIU^S14", "SIU^S15"]
    assert [str(each.segment("SCH")[25]) for each in sent] == ["CONF^Confirmed by text", "CAN"]
    assert ehr.ask("GET")["visits"]["V7"]["status"] == "cancelled"


def test_that_a_patient_cannot_come_is_told_only_where_the_clinic_lets_it(ehr: Engine) -> None:
    ehr.told()
    ehr.says(appointments.ask_change)
    assert (ehr.drain(), ehr.taken()) == (0, [])


def test_what_a_patient_says_anew_is_said_under_another_id(ehr: Engine) -> None:
    ehr.connect(allows=["changes"])
    ehr.told()
    ehr.confirm()
    ehr.drain()
    ehr.says(appointments.ask_change)
    ehr.drain()
    sent = [hl7.parse(text) for text in ehr.taken()]
    assert [str(each.segment("SCH")[25]) for each in sent] == ["Confirmed", "Pending"]
    assert len({str(each.segment("MSH")[10]) for each in sent}) == 2


@pytest.mark.parametrize(
    ("said", "why", "code"),
    [
        ("AE 204 SCH-2", "key_unknown", "AE 204"),
        ("AE", "ack_error", "AE"),
        ("AR", "ack_rejected", "AR"),
        ("AR 203", "version", "AR 203"),
    ],
)
def test_a_refusal_waits_for_a_person_with_its_reason(ehr: Engine, said: str, why: str, code: str) -> None:
    ehr.told()
    ehr.faults({"code": " ".join(said.split()[:2]), "times": 1})
    ehr.confirm()
    ehr.drain()
    assert (ehr.row.state, ehr.row.refused, ehr.row.code) == ("refused", why, code)
    assert len(ehr.world.rows(InboxItem, InboxItem.about.startswith("feed_writing"))) == 1
    assert ehr.writer.refused is None  # what it refuses is no trouble of the connection


def test_where_the_refusal_says_what_is_wrong_it_is_told(ehr: Engine) -> None:
    ehr.told()
    ehr.ask("DELETE", "visits/V7")
    ehr.confirm()
    ehr.drain()
    assert (ehr.row.state, ehr.row.refused, ehr.row.code) == ("refused", "key_unknown", "AE 204 SCH-2")


@pytest.mark.parametrize("fault", [{"drops": True}, {"drops": True, "accepts": True}, {"hang_s": 3, "accepts": True}])
def test_without_an_acknowledgement_the_same_message_is_sent_again(ehr: Engine, fault: dict[str, Any]) -> None:
    ehr.told()
    ehr.faults(fault | {"times": 1})
    ehr.confirm()
    ehr.drain()
    assert (ehr.row.state, ehr.writer.refused) == ("waiting", "no_ack")
    ehr.later()
    assert (ehr.row.state, ehr.writer.refused) == ("written", None)
    first, second = ehr.heard()
    assert first[0] == second[0]
    assert len(ehr.taken()) == 1


@pytest.mark.parametrize("fault", [{"splits": True}, {"unframed": True}])
def test_an_acknowledgement_that_comes_in_pieces_or_bare_is_one(ehr: Engine, fault: dict[str, Any]) -> None:
    ehr.told()
    ehr.faults(fault | {"times": 1})
    ehr.confirm()
    ehr.drain()
    assert (ehr.row.state, len(ehr.heard())) == ("written", 1)


def test_what_is_locked_over_there_is_tried_again_by_itself(ehr: Engine) -> None:
    ehr.told()
    ehr.faults({"code": "AR 206", "times": 1})
    ehr.confirm()
    ehr.drain()
    assert ehr.row.state == "waiting"
    ehr.later()
    assert ehr.row.state == "written"


def test_what_comes_back_as_an_echo_plans_nothing_and_is_owed_nothing(ehr: Engine) -> None:
    ehr.told()
    ehr.confirm()
    ehr.drain()
    before = [(row.id, row.state) for row in ehr.world.rows(Reminder)]
    ehr.told(event="S14", status="Confirmed")
    assert ehr.drain() == 0
    assert ehr.world.visit.state == "confirmed"
    assert [(row.id, row.state) for row in ehr.world.rows(Reminder)] == before
    assert len(ehr.taken()) == 1


def test_what_is_so_no_more_is_not_told(ehr: Engine) -> None:
    ehr.told()
    ehr.confirm()
    with db.unit_of_work(db.EVERY) as session:
        session.scalars(select(Appointment)).one().state = "cancelled"
    ehr.drain()
    assert (ehr.row.state, ehr.heard()) == ("gone", [])


def test_several_visits_go_over_one_connection_in_their_order(ehr: Engine) -> None:
    for key in ("V8", "V9"):
        ehr.book(key)
        ehr.told(key=key, start=f"{START.replace(hour=10 if key == 'V8' else 20):%Y%m%d%H%M%S}+0000")
        ehr.confirm(key)
    ehr.drain()
    assert [str(hl7.parse(text).segment("SCH")[2]) for text in ehr.taken()] == ["V8^BOOKS", "V9^BOOKS"]
