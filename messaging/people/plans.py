"""A plan in words, written with a patient: sections of text, every version kept, and no writer loses a word."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.models import Patient, PlanVersion, Staff

LONGEST = 1500
Plan = TypeVar("Plan", bound=PlanVersion)


class Overtaken(Exception):
    """Somebody else has written a version since the page was opened."""


@dataclass(frozen=True)
class Kind(Generic[Plan]):
    """A kind of plan: its table, whose newest row holds, its sections in their order, and its name in the audit."""

    model: type[Plan]
    names: tuple[str, ...]
    called: str

    def current(self, session: Session, patient_id: UUID) -> Plan | None:
        """Return the plan that holds, None if there is none."""
        return next(iter(self.history(session, patient_id, 1)), None)

    def history(self, session: Session, patient_id: UUID, limit: int = 50) -> list[Plan]:
        """Return the versions of the plan, the newest first."""
        versions = select(self.model).where(self.model.patient_id == patient_id)
        return list(session.scalars(versions.order_by(self.model.id.desc()).limit(limit)))

    def sections(self, plan: Plan) -> dict[str, str]:
        """Return the text of each section that has one, in their order."""
        kept = json.loads(plan.sections or "{}")
        return {name: kept[name] for name in self.names if kept.get(name)}

    def shared(self, session: Session, patient_id: UUID) -> dict[str, str]:
        """Return the sections of the plan that holds, where the patient may read it; else none."""
        plan = self.current(session, patient_id)
        if plan is None or not plan.shared:
            return {}
        db.load_keys(session, [plan.key_id])
        return self.sections(plan)

    def is_too_long(self, texts: Mapping[str, str]) -> bool:
        """Whether a section has more letters than are kept."""
        return any(len(texts.get(name, "").strip()) > LONGEST for name in self.names)

    def write(
        self,
        session: Session,
        staff: Staff,
        patient: Patient,
        texts: Mapping[str, str],
        seen: UUID | None,
        **facts: Any,
    ) -> Plan | None:
        """Keep a new version, made from the version `seen` (None: there was none); None where nothing was changed.

        `facts` are further columns of the kind. Raises Overtaken where another version holds by now.
        """
        session.refresh(patient, with_for_update=True)
        db.load_keys(session, [patient.key_id])
        holding = self.current(session, patient.id)
        trimmed = {name: texts.get(name, "").strip()[:LONGEST] for name in self.names}
        wanted = {name: text for name, text in trimmed.items() if text}
        if self._is_same(holding, wanted, facts):
            return None
        if (holding.id if holding else None) != seen:
            raise Overtaken
        own = {"clinic_id": patient.clinic_id, "key_id": patient.key_id, "patient_id": patient.id, "staff_id": staff.id}
        plan = self.model(**own, sections=json.dumps(wanted), at=clock.now(), **facts)
        session.add(plan)
        session.flush()
        actor, about = audit.Actor.staff(staff.id), f"{self.called}:{plan.id}"
        audit.record(session, patient.clinic_id, actor, f"{self.called}.written", about, patient=str(patient.id))
        return plan

    def _is_same(self, holding: Plan | None, wanted: Mapping[str, str], facts: Mapping[str, Any]) -> bool:
        if holding is None:
            return not wanted
        return wanted == self.sections(holding) and all(getattr(holding, name) == said for name, said in facts.items())
