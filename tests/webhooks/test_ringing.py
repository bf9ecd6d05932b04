"""A colleague's phone speaks through the same door as everybody's."""

from typing import Any

from config import db
from messaging.models import Staff
from messaging.people import directory

PHONE = "+13035550198"


def test_a_stop_from_a_colleagues_phone_stops_their_alerts_and_says_so_until_its_start(world: Any) -> None:
    with db.unit_of_work(world.clinic.id) as session:
        staff = directory.add_staff(session, world.clinic, name="Alba Reyes", email="alba@clinic.example", number=PHONE)
    found = []
    for place, word in enumerate(("STOP", "START")):
        world.text(word, From=PHONE, MessageSid=f"SM{place:032x}", OptOutType=word)
        with db.unit_of_work(db.EVERY) as session:
            found.append(session.get_one(Staff, staff.id).phone_fault)
    assert found == ["opt_out", None]
