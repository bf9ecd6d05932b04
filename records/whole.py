"""Everything that is kept of one patient, as one Bundle that holds together: what is referred to is in it."""

from datetime import datetime

from sqlalchemy.orm import Session

from messaging.models import Clinic, Patient
from records import kinds, searching
from records.fhir import bundles
from records.fhir.values import Resource
from records.searching import Wanted


def bundle(session: Session, clinic: Clinic, patient: Patient, made_at: datetime) -> Resource:
    """Return the patient's whole record: who it is, visits, forms and scores, texts, tasks, handoffs, care.

    Texts on a phone that several people share are nobody's, and are not in it. Notes among colleagues are not, either.
    """
    own = searching.every(session, clinic, kinds.BY_TYPE["Patient"], Wanted(ids=(str(patient.id),)))
    of_patient = [kind for kind in kinds.ALL if kind.patient is not None]
    told = [each for kind in of_patient for each in searching.every(session, clinic, kind, Wanted(patient=patient.id))]
    asked = {each["questionnaire"] for each in told if each["resourceType"] == "QuestionnaireResponse"}
    forms = [each for each in kinds.fixed() if each["url"] in asked]
    return bundles.collection([*own, *forms, *told], made_at)


def resources(of: Resource) -> list[Resource]:
    """Return what a bundle holds, in its order."""
    return [entry["resource"] for entry in of["entry"]]
