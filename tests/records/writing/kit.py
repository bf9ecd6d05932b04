"""An EHR that is written to, the patient it knows, and what both sides have of a write."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from caseload.models import Episode
from config import clock, db
from intake_links import scoring, submissions
from interchange import connections
from interchange.models import Feed
from messaging.ehr_outbox.models import EhrWrite, EhrWriter
from messaging.models import Clinic, Patient
from messaging.people import directory
from records.writing import choosing, lane
from records.writing.choosing import Wanted
from reminders import appointments
from reminders.models import Appointment
from tests.interchange.polling import asked_ehrs
from tests.interchange.polling.asked_ehrs import ACTOR, Asked

PHQ9 = (1, 1, 2, 0, 1, 0, 1, 0, 0)
TOTAL = sum(PHQ9)


class Writes:
    """One EHR that the clinic writes to."""

    def __init__(self, ehr: Asked, **wanted: Any) -> None:
        self.ehr, self.network = ehr, ehr.network
        ehr.book()
        ehr.now()
        self.decide(**({"kinds": ["screen"], "forms": ["response", "observations"]} | wanted))

    def decide(self, **wanted: Any) -> None:
        with db.unit_of_work(self.ehr.clinic.id) as session:
            feed = session.get_one(Feed, self.ehr.feed_id)
            row = connections.of(session, feed)
            assert row is not None
            choosing.save(session, feed, row, Wanted(**wanted), ACTOR)

    def drain(self) -> int:
        """Write what is owed, whatever was put off."""
        return lane.drain()

    def later(self) -> int:
        """Write again what was put off."""
        put_forward()
        return lane.drain()

    def faults(self, *faults: dict[str, Any]) -> None:
        self.ehr.faults(*faults)

    def there(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What stands in the EHR's chart."""
        written = self.ehr.ask("GET")["written"]
        return [each["body"] for each in written if kind in (None, each["kind"])]

    def posted(self) -> list[str]:
        asked = self.ehr.ask("GET")["asked"]
        return [each["path"] for each in asked if each["method"] == "POST" and "token" not in each["path"]]

    def rows(self) -> list[EhrWrite]:
        return asked_ehrs.rows(EhrWrite, EhrWrite.feed_id == self.ehr.feed_id)

    @property
    def row(self) -> EhrWrite:
        (row,) = self.rows()
        return row

    @property
    def writer(self) -> EhrWriter:
        (writer,) = asked_ehrs.rows(EhrWriter, EhrWriter.feed_id == self.ehr.feed_id)
        return writer  # type: ignore[no-any-return]


def answered(clinic: Clinic, instrument: str = "phq9", answers: Any = PHQ9, event: str = "1") -> UUID:
    """The only patient answers a form."""
    with db.unit_of_work(clinic.id) as session:
        patient = session.scalars(select(Patient).where(Patient.merged_into.is_(None)).order_by(Patient.id)).first()
        assert patient is not None
        db.load_keys(session, {patient.key_id, clinic.key_id})
        own = session.get_one(Clinic, clinic.id)
        screen = submissions.accept(
            session, own, patient, instrument=instrument, answers=answers, language="en", source="paper", event=event
        )
        return screen.id


def confirmed(clinic: Clinic) -> None:
    """The only visit is confirmed."""
    with db.unit_of_work(clinic.id) as session:
        appointments.confirm(session, session.scalars(select(Appointment)).one(), ACTOR)


def of_total(resources: list[dict[str, Any]], instrument: str = "phq9") -> list[dict[str, Any]]:
    """The observations that are this instrument's total."""
    loinc = scoring.instrument(instrument).total_loinc
    return [each for each in resources if loinc in json.dumps(each.get("code", {}))]


def only_patient(session: Session) -> Patient:
    return session.scalars(select(Patient)).one()


def episode(session: Session) -> UUID:
    """The only patient is in care."""
    patient = only_patient(session)
    clinic = session.get_one(Clinic, patient.clinic_id)
    db.load_keys(session, {clinic.key_id, patient.key_id})
    staff = directory.add_staff(session, clinic, name="Bo Lane", email="bo@clinic.example", number="+13035550177")
    now = clock.now()
    made = Episode(
        clinic_id=clinic.id, key_id=patient.key_id, patient_id=patient.id, phase="active", phase_at=now,
        enrolled_on=now.date(), enrolled_by=staff.id, consent="verbal", consent_at=now, consent_by=staff.id,
        consent_language="en", practitioner_id=staff.id, manager_id=staff.id, payer="none", scale="phq9",
        created_at=now,
    )  # fmt: skip
    session.add(made)
    return made.id


def put_forward() -> None:
    """Let the time have come of whatever was put off."""
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(EhrWriter).values(try_after=clock.now(), lease_until=None))
        session.execute(update(EhrWrite).values(try_after=clock.now()))
