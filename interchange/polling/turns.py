"""One turn of asking: what is asked of which kind of EHR, and what is to be told of it (its own reads of ours aside).

What was read before something failed is told all the same; the cursor goes on only past what was read whole.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from config import clock
from interchange.fhir.values import Resource, objects, text
from interchange.polling import answers, pacing, slices, store
from interchange.polling.answers import Visit
from interchange.polling.asking import Asker, Heard, Trouble
from interchange.polling.pacing import Cursor
from interchange.polling.slices import MOST_REQUESTS, Beside, Found, Source

# A quarter: months that are closed late are still put right.
STAYS_SINCE = timedelta(days=92)
# That encounters could not be read, among what an EHR warns of.
WITHOUT = "encounters"


@dataclass(frozen=True)
class Plan:
    """What one turn is about: whose EHR, how far it has been read, and which visits it has told of by events."""

    clinic_id: UUID
    feed_id: UUID
    base_url: str
    practice: str
    zone: str
    cursor: Cursor
    notices: Sequence[tuple[UUID, str]] = ()

    @property
    def fhir(self) -> Source:
        """Return where its resources of FHIR are."""
        return Source(self.base_url + ("/fhir/r4" if self.practice else ""), self.zone)


@dataclass
class Turn:
    """What came of a turn: what is told, how far the EHR has been read, what it warns of, what went wrong.
    `encounters` stand each with its patient."""

    cursor: dict[str, Any]
    began: datetime = field(default_factory=clock.now)
    found: list[Found] = field(default_factory=list)
    patients: list[tuple[str, Beside]] = field(default_factory=list)
    encounters: list[tuple[Resource, Resource]] = field(default_factory=list)
    warns: frozenset[str] = frozenset()
    noticed: list[UUID] = field(default_factory=list)
    trouble: Trouble | None = None
    read: dict[str, Beside] = field(default_factory=dict)

    def patient(self, plan: Plan, asker: Asker, reference: str) -> Beside:
        """Return what is known of a patient, asked for once in a turn. Raises Trouble."""
        if reference not in self.read:
            self.read[reference] = slices.patient(asker, plan.fhir, reference)
            self._encounters(plan, asker, self.read[reference])
        return self.read[reference]

    def _encounters(self, plan: Plan, asker: Asker, beside: Beside) -> None:
        """Read the encounters of a patient who was read. Visits do not wait for them: what fails is told, and they are
        asked for again when the patient is."""
        person = beside[0][1] if beside and text(beside[0][1], "resourceType") == "Patient" else None
        if plan.practice or person is None or WITHOUT in self.warns or not asker.may_search("Encounter"):
            return
        try:
            since = self.began.date() - STAYS_SINCE
            self.encounters += [(each, person) for each in slices.encounters(asker, plan.fhir, person, since)]
        except Trouble:
            self.warns |= {WITHOUT}


def take(plan: Plan, asker: Asker) -> Turn:
    """Ask what it is time for. Raises nothing of the EHR's."""
    turn = Turn(dict(plan.cursor))
    try:
        (_by_queue if plan.practice else _by_days)(plan, asker, turn)
    except Trouble as trouble:
        turn.trouble = trouble
    return turn


def _by_days(plan: Plan, asker: Asker, turn: Turn) -> None:
    """Read the visits that a Subscription has told of, then the slice whose time has come."""
    what = pacing.turn(plan.cursor)
    if not _noticed(plan, asker, turn) or what is None:
        return
    name, asked = what
    page = slices.days(asker, plan.fhir, asked)
    turn.warns = page.warns
    halves = asked.halves()
    if page.too_many and len(halves) > 1:
        turn.warns = frozenset(code for code in page.warns if code not in ("4127", "59133"))
        turn.cursor = pacing.read(plan.cursor, name, halves)
        return
    absent = store.expected(plan.clinic_id, plan.feed_id, asked) - {each.name for each in page.visits}
    singles = (lambda each=each: slices.one(asker, plan.fhir, each) for each in sorted(absent))
    whole = _tell(plan, asker, turn, page.visits, singles)
    if whole and name == "near":
        whole = _patients_anew(plan, asker, turn, page.visits)
    if whole:
        turn.cursor = pacing.read(plan.cursor, name)


def _noticed(plan: Plan, asker: Asker, turn: Turn) -> bool:
    for notice, name in plan.notices:
        try:
            if not _tell(plan, asker, turn, (), [partial(slices.one, asker, plan.fhir, name)]):
                return False
        except Trouble as trouble:
            if trouble.why != "answer":
                raise
            # What cannot be read by its id comes with its day, and keeps nothing else waiting.
        turn.noticed.append(notice)
    return True


def _tell(
    plan: Plan, asker: Asker, turn: Turn, visits: Sequence[Visit], singles: Iterable[Callable[[], Found]]
) -> bool:
    """Find what is new of these visits, and of others one by one; whether all of it was read."""
    changed = store.changed(plan.clinic_id, plan.feed_id, {each.name: each.resource for each in visits})
    fresh = [each for each in visits if each.name in changed]
    waiting = [*(lambda each=each: Found(each.name, each) for each in fresh), *singles]
    for look in waiting:
        if asker.asked >= MOST_REQUESTS:
            return False
        found = look()
        if found.visit is not None:
            found.beside = turn.patient(plan, asker, found.visit.patient)
        turn.found.append(found)
    return True


def _patients_anew(plan: Plan, asker: Asker, turn: Turn, visits: Sequence[Visit]) -> bool:
    """Read the patients of visits that are near again, once a day; those that are restricted never by ourselves."""
    references = sorted({each.patient for each in visits if each.patient} - set(turn.read))
    before, now = store.known(plan.clinic_id, plan.feed_id, references), clock.now()
    for reference in references:
        digest, seen_at = before.get(reference, ("", None))
        if digest == store.RESTRICTED or (seen_at is not None and now - seen_at < store.PATIENT_DAYS):
            continue
        if asker.asked >= MOST_REQUESTS:
            return False
        turn.patients.append((reference, turn.patient(plan, asker, reference)))
    return True


def _by_queue(plan: Plan, asker: Asker, turn: Turn) -> None:
    """Read the visits that events have told of, then the queue of changes: what it hands out it forgets, so what was
    asked for and never written down is first read again by its window."""
    for notice, number in plan.notices:
        heard = asker.get(f"{plan.base_url}/v1/{plan.practice}/appointments/{number}")
        row = heard.body[0] if heard.status == 200 and isinstance(heard.body, list) and heard.body else None
        if not _tell(plan, asker, turn, _visits([row] if isinstance(row, dict) else [], plan), ()):
            return
        turn.noticed.append(notice)
    asked_at = plan.cursor.get("asked_at")
    if asked_at is None:
        return
    window = _window(datetime.fromisoformat(asked_at), clock.now()) if plan.cursor.get("again") else []
    heard = asker.get(f"{plan.base_url}/v1/{plan.practice}/appointments/changed", window)
    if not _tell(plan, asker, turn, _newest(_visits(_rows(heard), plan)), ()):
        return
    rest = {name: value for name, value in plan.cursor.items() if name not in ("asked_at", "again")}
    # What the window held was handed out before; what has changed since is asked for at once.
    turn.cursor = rest if window else {**rest, "due": (turn.began + pacing.QUEUE_EVERY).isoformat()}


def _rows(heard: Heard) -> list[Any]:
    if heard.status != 200 or not isinstance(heard.body, dict):
        raise Trouble("answer")
    return list(objects(heard.body, "appointments"))


def _window(start: datetime, end: datetime) -> list[tuple[str, str]]:
    bounds = (("start", start - pacing.SKEW), ("end", end + pacing.SKEW))
    return [(f"showprocessed{name}datetime", answers.eastern(at)) for name, at in bounds]


def _visits(rows: Sequence[Any], plan: Plan) -> list[Visit]:
    made = [answers.of_row(row, plan.practice) for row in rows]
    return [answers.visit(resource, plan.zone) for resource in made if resource is not None]


def _newest(visits: Sequence[Visit]) -> list[Visit]:
    """Of several changes of a visit the last one: the queue gives them in their order."""
    return list({each.name: each for each in visits}.values())
