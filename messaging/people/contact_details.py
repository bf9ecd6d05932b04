"""Where a patient lives and who is called in an emergency: from a file, or written by a colleague."""

from dataclasses import asdict, dataclass, fields

from sqlalchemy.orm import Session

from config import audit
from messaging.models import Patient

LONGEST = 240


@dataclass(frozen=True)
class ContactDetails:
    """Address and emergency contact; "" is not known. The phone is E.164 where it could be read, else as written."""

    address: str = ""
    emergency_name: str = ""
    emergency_relation: str = ""
    emergency_phone: str = ""


UNKNOWN = ContactDetails()
FIELDS = tuple(field.name for field in fields(ContactDetails))


def told(details: ContactDetails) -> dict[str, str]:
    """Return what a file says of them: what it leaves empty it does not know."""
    return {name: value for name, value in asdict(details).items() if value}


def of(patient: Patient) -> ContactDetails:
    """Return what is on file."""
    return ContactDetails(**{name: getattr(patient, name) or "" for name in FIELDS})


def write(session: Session, patient: Patient, details: ContactDetails, actor: str, *, from_files: bool) -> None:
    """Keep what a colleague has written. No file takes it back, unless `from_files` says that files may again."""
    before = of(patient)
    for name, value in asdict(details).items():
        setattr(patient, name, value or None)
    patient.details_by = None if from_files else actor
    changed = [name for name in FIELDS if getattr(before, name) != getattr(details, name)]
    fields_changed = " ".join(changed) or None
    about = f"patient:{patient.id}"
    audit.record(session, patient.clinic_id, actor, "patient.details", about, fields=fields_changed)
