"""Every kind of decision has words for each of its fields, and says its changes and its mistakes in them."""

from typing import Any

import pytest

from config import db
from messaging.inbox.routing import policy_definition
from messaging.models import Clinic
from messaging.versions import field_labels, publishing
from messaging.wording import situations
from reminders import decision_kinds

MODELS = {name: kind.model for name, kind in decision_kinds.KINDS.items() if kind.model} | {
    "rules": policy_definition.EscalationPolicy
}


def _fields(model: Any) -> set[str]:
    schema = model.model_json_schema()
    tables = [schema, *schema.get("$defs", {}).values()]
    return {name for table in tables for name in table.get("properties", {})}


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_every_field_of_a_decision_has_words(kind):
    worded = {shape[-1] for shape in field_labels.of(kind).fields}
    assert _fields(MODELS[kind]) <= worded


def _told(world, kind, **changed):
    """What the desk says of a change, and of what would be wrong with it."""
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        names = publishing.names(session, clinic, decision_kinds.KINDS[kind])
        present = decision_kinds.KINDS[kind].present(session, clinic)
        then = decision_kinds.KINDS[kind].read(present | changed)
        return [(change.what, change.was, change.becomes) for change in field_labels.changes(names, present, then)]


def test_the_clinic(world):
    sites = [{"name": "Elm House", "zone": "America/Denver", "address": "12 Elm St"}]
    assert _told(world, "clinic", phone="+13035550177", sites=sites)[0][2] == "(303) 555-0177"
    assert _told(world, "clinic", sites=sites) == [
        ("Site “Elm House”", "nothing", "address: 12 Elm St, time zone: America/Denver")
    ]


def test_how_long_words_are_kept(world):
    assert _told(world, "clinic", keep_years=7) == [("Years that the words of texts are kept", "for good", "7")]


def test_the_words_go_by_the_situation_and_the_language(world):
    key = next(iter(situations.every()))
    changes = _told(world, "words", en={key: "Hello {first_name}. {clinic}"})
    assert changes == [("English: “Reminder, days before” (before a visit)", "nothing", "Hello {first_name}. {clinic}")]


def test_the_reminders_go_by_their_step_and_name_texts_and_forms(world):
    step = {"name": "week", "before": "1 week", "at": "10:00", "text": "reminder_far", "intake": ["phq9"]}
    assert _told(world, "cadence", steps=[step])[-1] == (
        "Step “week”",
        "nothing",
        "before the visit: 1 week, time: 10:00, text: Reminder, days before, forms: PHQ-9",
    )


def test_the_escalation_policy_goes_by_people_and_hours(world):
    changes = _told(world, "rules", hours="Mon-Fri 8:00-17:00", repeat=7)
    assert ("Opening hours", "nothing", "Mon-Fri 8:00-17:00") in changes
    assert ("After the last step, everyone again every", "10 min", "7 min") in changes


def test_the_questionnaires_go_by_their_entry(world):
    ask = {"name": "yearly", "instruments": ["phq9"], "who": "in_treatment", "every": "12 months"}
    assert _told(world, "schedule", asks=[ask])[-1] == (
        "“yearly”",
        "nothing",
        "questionnaires: PHQ-9, of whom: who is in treatment, at most once every: 12 months",
    )
