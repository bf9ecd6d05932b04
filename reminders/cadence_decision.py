"""The clinic's cadence as one of its decisions:
what is in force, what may not be published, and planning the visits again."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from config import db
from intake_links import scoring
from messaging.models import Clinic
from messaging.versions import publishing
from messaging.versions.field_labels import Names
from messaging.wording import situations, text_templates
from reminders import planner, replanning, schedules
from reminders.cadence import cadence_definition
from reminders.models import Replanning


def read(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a cadence in its full form. Raises publishing.Refused."""
    try:
        return cadence_definition.from_mapping(definition).model_dump(mode="json")
    except cadence_definition.BadCadence as wrong:
        raise publishing.Refused(wrong.problems) from None


def present(session: Session, clinic: Clinic) -> dict[str, Any]:
    """Return the cadence that the clinic has written."""
    return planner.written_of(session, clinic.id).model_dump(mode="json")


def check(_session: Session, _clinic: Clinic, definition: Mapping[str, Any]) -> list[publishing.Problem]:
    """Return every text and questionnaire that the steps name and that there is not."""
    return unknown(cadence_definition.from_mapping(definition))


def unknown(cadence: cadence_definition.Cadence) -> list[publishing.Problem]:
    """Return a problem for each text and each questionnaire that does not exist, or that does not fit its step."""
    problems = []
    instruments = sorted(scoring.instruments())
    for field, step in cadence.all_steps():
        for name, key in (("text", step.text), ("text_without_intake", step.text_without_intake)):
            why = _objection(step, key) if key else None
            problems += [publishing.Problem(f"{field}.{name}", why)] if why else []
        problems += [
            publishing.Problem(f"{field}.intake", f"there is no instrument {name}; there are {', '.join(instruments)}")
            for name in step.intake
            if name not in (*instruments, schedules.BY_SCHEDULE)
        ]
    return problems


def _objection(step: cadence_definition.Step, key: str) -> str | None:
    missing = [language for language in text_templates.LANGUAGES if not text_templates.texts(language).get(key)]
    if missing:
        return f"there is no text {key} in {', '.join(missing)}"
    if step.after is not None and key.startswith("reminder"):
        return f"{key} speaks of a visit that is still to come, and this step follows the visit"
    return None


def take_effect(session: Session, clinic: Clinic, _definition: Mapping[str, Any], _actor: str) -> None:
    """Begin to plan every coming visit again."""
    version = publishing.live(session, clinic.id, CADENCE.name)
    replanning.begin(session, clinic.id, version.id if version else None)


def _names(_session: Session, _clinic: Clinic, names: Names) -> Names:
    texts = {key: situation.name for key, situation in situations.every().items()}
    titles = {name: instrument.title for name, instrument in scoring.instruments().items()}
    return names.also(values={"[].text": texts, "[].text_without_intake": texts, "[].intake": titles})


CADENCE = publishing.Kind(
    "cadence",
    read=read,
    present=present,
    check=check,
    take_effect=take_effect,
    model=cadence_definition.Cadence,
    names=_names,
    texts_patients=lambda old, new: old != new,
    shipped=lambda: cadence_definition.default().model_dump(mode="json"),
)


def plan_again(clinic_id: UUID, progress: Callable[[int, int], None] = lambda *_: None) -> int:
    """Plan every coming visit again now, a batch to a transaction; interrupted, the lane goes on where it stood.

    `progress` is told how many of how many are done; returns how many there were.
    """
    with db.unit_of_work(clinic_id) as session:
        row = replanning.latest(session, clinic_id)
        if row is None or row.state != "waiting":
            row = replanning.begin(session, clinic_id, None)
        row_id = row.id
    while True:
        with db.unit_of_work(clinic_id) as session:
            row = session.get_one(Replanning, row_id, with_for_update=True)
            if row.state == "waiting":
                replanning.advance(session, row)
        progress(row.done, row.total)
        if row.state != "waiting":
            return row.done
