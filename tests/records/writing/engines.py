"""An EHR that sends HL7 and is told by its interface engine: its feed, its visit, and what the engine has heard."""

from typing import Any

from sqlalchemy import select

from config import audit, clock, db
from interchange import engines
from interchange.models import Feed
from messaging.ehr_outbox.models import EhrWrite, EhrWriter
from messaging.event_webhooks.posting import Way
from messaging.models import Clinic
from records.writing import choosing, lane
from records.writing.choosing import Wanted
from reminders import appointments
from reminders.models import Appointment
from tests.interchange.messages import visit
from tests.phones import Network
from tests.records.writing.kit import put_forward
from tests.webhooks.ehr_world import SOON, START, World

ACTOR = audit.Actor.system("test")
HASTY = Way(loopback=True, seconds=2.0)


class Engine:
    """The clinic's feed "books", the simulator's EHR behind it, and its engine."""

    def __init__(self, network: Network, clinic: Clinic, **profile: Any) -> None:
        self.network, self.clinic, self.world = network, clinic, World(clinic, **profile)
        person = {"first": "Ana", "last": "River", "born": "1980-01-02", "record": "4711"}
        self.ask("PUT", "patients/4711", person)
        self.book("V7")
        self.port = self.ask("PUT", "engine", {"port": 0})["port"]
        self.connect()

    def ask(self, method: str, what: str = "", body: Any = None) -> Any:
        return self.network.ask(method, "/sim/ehrs/epic" + (f"/{what}" if what else ""), body)

    def book(self, key: str) -> None:
        self.ask("PUT", f"visits/{key}", {"patient": "4711", "start": START.isoformat()})

    def connect(self, allows: Any = (), **wanted: Any) -> None:
        facts = {"host": "127.0.0.1", "port": self.port, "tls": False} | wanted
        with db.unit_of_work(self.clinic.id) as session:
            feed = session.scalars(select(Feed).where(Feed.name == "books")).one()
            row = engines.save(session, feed, engines.Wanted(**facts), ACTOR)
            choosing.save(session, feed, row, Wanted(kinds=["visit"], allows=allows), ACTOR)

    def told(self, *segments: str, event: str = "S12", key: str = "V7", **fields: str) -> None:
        """The EHR says its visit."""
        message = visit(event, *segments, key=f"{key}^BOOKS", **({"start": SOON} | fields))
        control = f"|C{len(self.world.messages) + 1}|"
        later = f"|{clock.now():%Y%m%d%H%M%S}+0000|"
        assert self.world.hear(message.replace("|C1|", control).replace("|20260301120000|", later)) == ["AA"]

    def says(self, what: Any, key: str = "V7") -> None:
        """The patient says something of a visit."""
        with db.unit_of_work(self.clinic.id) as session:
            rows = session.scalars(select(Appointment).where(Appointment.external_id.contains(key)))
            what(session, rows.one(), ACTOR)

    def confirm(self, key: str = "V7") -> None:
        self.says(appointments.confirm, key)

    def drain(self) -> int:
        return lane.drain(HASTY)

    def later(self) -> int:
        """Write again what was put off."""
        put_forward()
        return self.drain()

    def faults(self, *faults: dict[str, Any]) -> None:
        self.ask("PUT", "faults", [{"method": "MLLP"} | fault for fault in faults])

    def taken(self) -> list[str]:
        """The messages that the EHR has taken, each once."""
        return [each["body"]["message"] for each in self.ask("GET")["written"]]

    def heard(self) -> list[tuple[str, int]]:
        """Each message that came, by event and control id, and what it was answered."""
        asked = self.ask("GET")["asked"]
        return [(each["path"], each["status"]) for each in asked if each["method"] == "MLLP"]

    def rows(self) -> list[EhrWrite]:
        return self.world.rows(EhrWrite, EhrWrite.kind == "visit")

    @property
    def row(self) -> EhrWrite:
        (row,) = self.rows()
        return row

    @property
    def writer(self) -> EhrWriter:
        (writer,) = self.world.rows(EhrWriter, EhrWriter.source == "ehr.books")
        return writer  # type: ignore[no-any-return]
