"""What an EHR labels as falling under 42 CFR Part 2 stays here, whatever is said of the patient afterwards."""

from typing import Any

from sqlalchemy import select

from config import db
from messaging.ehr_outbox import part_two
from messaging.ehr_outbox.models import PartTwoLabel
from messaging.models import Clinic, Patient
from tests.interchange.polling.asked_ehrs import ACTOR
from tests.records.writing.conftest import asked_epic, epic, here
from tests.records.writing.kit import Writes, answered
from tests.webhooks.ehr_world import SOON, World, both

__all__ = ["asked_epic", "epic", "here"]
SIU = (
    f"MSH|^~\\&|BOOKS|ELM|W|E|20260301120000||SIU^S12|{{id}}|P|2.9\rSCH||V7^BOOKS||||||Follow-up|30|min|^^^{SOON}||"
    "||||||||||||Booked\rPID|1||M7^^^ELM^MR||River^Ana||19800102|F|||||(303)555-0111^^CP\r"
)
ARV = "ARV|1|A|42CFRPart2\r"


def labels() -> list[str]:
    with db.unit_of_work(db.EVERY) as session:
        return list(session.scalars(select(PartTwoLabel.about)))


@both
def test_it_is_kept_of_the_patient_once_and_silence_takes_nothing_back(house: Any, clinic: Clinic) -> None:
    world = World(clinic)
    world.hear(SIU.format(id="C1") + ARV, SIU.format(id="C2") + ARV, SIU.format(id="C3"))
    (patient,) = world.rows(Patient)
    assert labels() == [part_two.about("patient", patient.id)]


def test_one_ehr_s_label_keeps_things_from_the_other_until_the_clinic_takes_it_away(
    clinic: Clinic, epic: Writes
) -> None:
    world = World(clinic)
    world.hear(SIU.format(id="C1") + ARV)
    answered(clinic)
    epic.drain()
    assert (epic.row.state, epic.row.refused, epic.there()) == ("kept_back", "part_2", [])
    with db.unit_of_work(clinic.id) as session:
        part_two.label(session, clinic.id, labels()[0], ACTOR, on=False)
    epic.decide(kinds=["screen"], forms=["response"])
    epic.drain()
    assert epic.row.state == "written"
