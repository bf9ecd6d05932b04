"""The registry of plans against a relapse: who has one, since when, when its next check is, and who is without."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import Response, request
from sqlalchemy.orm import Session

from caseload import episodes, plan_list
from caseload.models import Episode, RelapsePlan
from config import audit, clock, db
from messaging.models import Clinic, Staff
from reminders import care_model
from web import csv_sheets, ids, layout, permissions, sessions, team, times, words
from web.caseload import registry_page
from web.presenters import patient_view

plan_lists = layout.room("plan_lists", __name__)
# Which of them are shown, by a key of [plan_list_shown].
SHOWN: Mapping[str, Callable[[plan_list.Held], bool]] = {
    "all": lambda _each: True,
    "without": lambda each: each.plan is None,
    "check": lambda each: each.late is not None,
    "unread": lambda each: each.plan is not None and not each.plan.shared,
}
People = Mapping[UUID | None, Staff]


@dataclass(frozen=True)
class Line:
    """Somebody's plan in words; `written` "" where there is none here, `told` the day of one that a file told of."""

    patient_id: UUID
    name: str
    age: str
    phase: str
    written: str
    told: str
    shared: bool
    check: str
    late: times.Mark | None
    manager: str


@dataclass(frozen=True)
class Wanted:
    """Whose patients are wanted (a colleague's id, or "all"), and which of them (SHOWN)."""

    manager: str
    shown: str

    @classmethod
    def of_request(cls, staff: Staff) -> "Wanted":
        """Read the address; a care manager begins with their own, everybody else with all."""
        mine = str(staff.id) if staff.role == "care_manager" else "all"
        shown = request.args.get("shown", "all")
        return cls(request.args.get("manager", mine), shown if shown in SHOWN else "all")

    def args(self, **changed: str) -> dict[str, str]:
        """Return the address of the same list with something changed."""
        return vars(self) | changed


@plan_lists.get("/caseload/relapse-plans")
@permissions.signed_in("caseload.read")
def show() -> str:
    """Show who has a plan and who is without; that it was read is written down."""
    clinic, wanted = sessions.clinic(), Wanted.of_request(layout.the_staff())
    with db.unit_of_work(clinic.id) as session:
        people, everybody = team.everyone(session, clinic.id), _of_manager(session, clinic, wanted)
        counts = Counter(key for each in everybody for key, is_shown in SHOWN.items() if is_shown(each))
        chosen = _opened(session, clinic, [each for each in everybody if SHOWN[wanted.shown](each)], "relapse plans")
        return layout.page(
            session,
            "staff/relapse_plans.html",
            here="caseload",
            model=care_model.of_clinic(clinic),
            wanted=wanted,
            lines=[_line(each, people, clinic) for each in chosen],
            counts=[(key, words.say("plan_list_shown", key), counts[key]) for key in SHOWN],
            managers=registry_page.of_role(people, episodes.MANAGERS),
        )


@plan_lists.get("/caseload/relapse-plans.csv")
@permissions.signed_in("caseload.read", fresh=True)
def sheet() -> Response:
    """Return the same as a sheet, each day as a day; that it was taken is written down."""
    clinic, wanted = sessions.clinic(), Wanted.of_request(layout.the_staff())
    with db.unit_of_work(clinic.id) as session:
        people = team.everyone(session, clinic.id)
        chosen = [each for each in _of_manager(session, clinic, wanted) if SHOWN[wanted.shown](each)]
        rows = [_cells(each, people, clinic) for each in _opened(session, clinic, chosen, "relapse plans csv")]
    name = f"relapse-plans-{episodes.today_of(clinic)}.csv"
    return csv_sheets.answer(name, words.table_of("plan_list_columns").values(), rows)


def _of_manager(session: Session, clinic: Clinic, wanted: Wanted) -> list[plan_list.Held]:
    if not care_model.of_clinic(clinic).registry:
        return []
    manager = ids.uuid_of(wanted.manager)
    whose = [Episode.manager_id == manager] if manager else []
    return plan_list.of_clinic(session, clinic, *whose, *registry_page.reached(session))


def _opened(session: Session, clinic: Clinic, of: Sequence[plan_list.Held], form: str) -> Sequence[plan_list.Held]:
    audit.record(
        session, clinic.id, layout.the_actor(), "caseload.opened", f"clinic:{clinic.id}", form=form, rows=len(of)
    )
    return of


def _line(held: plan_list.Held, people: People, clinic: Clinic) -> Line:
    episode, plan, today = held.episode, held.plan, episodes.today_of(clinic)

    def day(on: date | None) -> str:
        return times.date_of(on, today) if on else ""

    return Line(
        patient_id=held.patient.id,
        name=patient_view.full_name(held.patient),
        age=patient_view.age(held.patient),
        phase=words.say("care_phases", episode.phase),
        written=_written(plan, people, clinic) if plan else "",
        told="" if plan else day(episode.plan_on),
        shared=plan is not None and plan.shared,
        check=day(episode.check_on),
        late=_late(held.late),
        manager=team.name_of(people, episode.manager_id, ""),
    )


def _written(plan: RelapsePlan, people: People, clinic: Clinic) -> str:
    by = team.name_of(people, plan.staff_id, words.say("history", "somebody"))
    return words.say("plan_list", "written", on=times.day(plan.at, clock.now(), clinic.zone), by=by)


def _late(days: int | None) -> times.Mark | None:
    if days is None:
        return None
    said = words.say("plan_list", "late", days=days) if days else words.say("plan_list", "today")
    return times.Mark("soon", "◆", said)


def _cells(held: plan_list.Held, people: People, clinic: Clinic) -> list[str]:
    """The cells of somebody in the order of [plan_list_columns]."""
    line, episode, plan = _line(held, people, clinic), held.episode, held.plan
    days = [episodes.day_of(clinic, plan.at) if plan else None, None if plan else episode.plan_on, episode.check_on]
    written, told, check = ("" if on is None else on.isoformat() for on in days)
    author = team.name_of(people, plan.staff_id, "") if plan else ""
    reads = words.say("plan_list", "yes" if line.shared else "no") if plan else ""
    late = "" if held.late is None else str(held.late)
    return [line.name, line.age, line.phase, line.manager, written, author, reads, told, check, late]
