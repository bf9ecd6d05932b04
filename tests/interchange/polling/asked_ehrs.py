"""An EHR of the simulator, the connection that asks it, and what the tests look up in the clinic afterwards."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import select, update

from config import audit, clock, db, runtime
from interchange import connections, jobs, sources
from interchange.connections import Wanted
from interchange.models import Feed, FeedConnection, FeedMessage, FeedSeen
from interchange.polling import keys, poller
from messaging.models import Clinic, Patient
from reminders.models import Appointment, Reminder
from tests.phones import Network
from webhooks import ehr

ACTOR = audit.Actor.system("test")
HUB = "SecretHashKeyForConsumer1"
NUMBER = "+13035550111"
# The day after tomorrow by the clinic's clock, whatever the hour is: the last of the days that are asked for often.
TODAY = datetime.now(ZoneInfo("America/Denver")).replace(hour=11, minute=0, second=0, microsecond=0)
START = (TODAY + timedelta(days=2)).astimezone(UTC)
PATHS = {"epic": "/epic/api/FHIR/R4", "athena": "/athena"}


class Asked:
    """One EHR, and the feed of the clinic that asks it."""

    def __init__(
        self, network: Network, clinic: Clinic, ehr_name: str = "epic", algorithm: str = "ES384", **profile: Any
    ) -> None:
        self.network, self.clinic, self.name = network, clinic, ehr_name
        wanted = Wanted(
            "fhir" if ehr_name == "epic" else "athena",
            network.url + PATHS[ehr_name],
            "us",
            practice="" if ehr_name == "epic" else "195900",
            days_ahead=7,
            hub_secret=HUB,
        )
        with db.unit_of_work(clinic.id) as session:
            own = session.get_one(Clinic, clinic.id)
            sources.add(session, own, ehr_name, profile, ACTOR)
            session.flush()
            feed = session.scalars(select(Feed).where(Feed.name == ehr_name)).one()
            self.feed_id = feed.id
            keys.make(session, feed, algorithm, ACTOR)
            connections.save(session, feed, wanted, ACTOR)
        self.put(per_minute=60_000)
        self.publish()

    def publish(self, **client: Any) -> None:
        """Let the EHR know our keys, as it would read them at our address."""
        with db.unit_of_work(self.clinic.id) as session:
            jwks = keys.jwks(session, session.get_one(Feed, self.feed_id))
        self.ask("PUT", "client", {"client_id": "us", "jwks": jwks, "events_secret": HUB} | client)

    def ask(self, method: str, what: str = "", body: Any = None) -> Any:
        return self.network.ask(method, f"/sim/ehrs/{self.name}" + (f"/{what}" if what else ""), body)

    def patient(self, number: str = "7", **more: Any) -> None:
        facts = {"first": "Ana", "last": "River", "born": "1980-01-02", "phone": NUMBER, "record": f"M{number}"}
        self.ask("PUT", f"patients/{number}", facts | more)

    def visit(self, number: str = "12", **facts: Any) -> None:
        start = facts.pop("start", None)
        self.ask("PUT", f"visits/{number}", facts | ({"start": start.isoformat()} if start else {}))

    def book(self, number: str = "12", patient: str = "7", start: datetime = START, **more: Any) -> None:
        self.visit(number, patient=patient, start=start, **more)

    def faults(self, *faults: dict[str, Any]) -> None:
        self.ask("PUT", "faults", list(faults))

    def paths(self, status: int | None = None) -> list[str]:
        return [each["path"] for each in self.ask("GET")["asked"] if status in (None, each["status"])]

    def put(self, **values: Any) -> None:
        with db.unit_of_work(db.EVERY) as session:
            session.execute(update(FeedConnection).where(FeedConnection.feed_id == self.feed_id).values(**values))

    def now(self) -> None:
        """Ask it now, and do what it says."""
        with db.unit_of_work(self.clinic.id) as session:
            feed = session.get_one(Feed, self.feed_id)
            row = connections.of(session, feed, locked=True)
            assert row is not None
            connections.poll_now(session, row, feed, ACTOR)
        self.work()

    def work(self) -> None:
        poller.drain()
        jobs.drain()

    @property
    def row(self) -> FeedConnection:
        (row,) = rows(FeedConnection, FeedConnection.feed_id == self.feed_id)
        return row  # type: ignore[no-any-return]

    def messages(self) -> list[FeedMessage]:
        return rows(FeedMessage, FeedMessage.feed_id == self.feed_id)

    def states(self) -> list[str]:
        return [message.state for message in self.messages()]

    def seen(self) -> list[FeedSeen]:
        return rows(FeedSeen, FeedSeen.feed_id == self.feed_id)

    def problems(self) -> set[str]:
        return {problem["code"] for message in self.messages() for problem in message.problems}


def rows(model: type[Any], *where: Any) -> list[Any]:
    with db.unit_of_work(db.EVERY) as session:
        found = list(session.scalars(select(model).where(*where).order_by(model.id)))
        db.load_keys(session, {row.key_id for row in found if hasattr(row, "key_id")})
        return found


def visits() -> list[Appointment]:
    return rows(Appointment)


def patients() -> list[Patient]:
    return rows(Patient)


def planned() -> list[Reminder]:
    return rows(Reminder, Reminder.state == "planned")


def door() -> Any:
    """The door for EHRs, as the service has it."""
    app = Flask("door")
    app.register_blueprint(ehr.door)
    return app.test_client()


def asking_here() -> None:
    """Let EHRs of this machine be asked."""
    runtime._settings = runtime.settings().model_copy(update={"ehr_networks": "127.0.0.0/8"})


def instant(days: float) -> datetime:
    return clock.now() + timedelta(days=days)
