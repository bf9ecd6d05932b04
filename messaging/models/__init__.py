"""The tables of this room, a file for each family: what every other part of it stands on."""

from messaging.models.consent import PROGRAMMES, ConsentEntry
from messaging.models.conversations import Attempt, CarrierCopy, Conversation, Message
from messaging.models.media import Media
from messaging.models.people import REAL, Clinic, Patient, PatientName, PatientNumber, Staff, of_people
from messaging.models.safety import PlanVersion, ProtocolTick, SafetyPlan
from messaging.models.saved_replies import SavedReply

__all__ = [
    "PROGRAMMES",
    "REAL",
    "Attempt",
    "CarrierCopy",
    "Clinic",
    "ConsentEntry",
    "Conversation",
    "Media",
    "Message",
    "Patient",
    "PatientName",
    "PatientNumber",
    "PlanVersion",
    "ProtocolTick",
    "SafetyPlan",
    "SavedReply",
    "Staff",
    "of_people",
]
