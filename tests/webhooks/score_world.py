"""What an EHR tells of questionnaires, and what is found of it afterwards."""

import json
from datetime import UTC, date, datetime, timedelta

from config import db
from intake_links import alert_audit
from intake_links.models import Screen
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient
from messaging.people import directory
from tests.interchange.messages import PID, header
from tests.webhooks.ehr_world import World

NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW - timedelta(hours=2)
ITEMS = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]
TOTAL, SUICIDE = "44261-6", "44260-8"


def oru(*results: str, taken: datetime = TODAY, said: int = 0, pid: str = PID) -> str:
    """A message of results that were taken then, said so many seconds after it."""
    at = f"{taken + timedelta(seconds=said):%Y%m%d%H%M%S}+0000"
    head = header("R01", control_id=f"R{said}").replace("20260301120000", at)
    return "\r".join([head, pid, f"OBR|1|||44249-1^PHQ-9^LN|||{taken:%Y%m%d%H%M%S}+0000", *results])


def obx(code: str, value: object, *, state: str = "F", kind: str = "NM") -> str:
    return f"OBX|1|{kind}|{code}^a score^LN||{value}||||||{state}"


def answered(*values: int, state: str = "F") -> list[str]:
    return [obx(code, value, state=state) for code, value in zip(ITEMS, values, strict=True)]


def screens(world: World) -> list[Screen]:
    return world.rows(Screen)


def items(world: World, *kinds: str) -> list[InboxItem]:
    """The items of these kinds, else those that a form makes."""
    return world.rows(InboxItem, InboxItem.kind.in_(kinds or ("safety", "screen", "reply")))


def total(screen: Screen) -> int | None:
    told: int | None = json.loads(screen.result or "{}").get("total")
    return told


def states(world: World) -> list[str]:
    return [message.state for message in world.messages[1:]]


def owed(world: World) -> list[tuple[str, bool]]:
    with db.unit_of_work(db.EVERY) as session:
        return [(row.kind, row.item_id is not None) for row in alert_audit.rows(session, world.clinic.id)]


def record_of_another(world: World) -> Patient:
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        record = directory.PatientRecord("X5", "Eva", "Hill", None, date(1970, 2, 3), "en", None, None, None, True)
        return directory.save_patient(session, clinic, record, source="test", actor="system:test")[0]
