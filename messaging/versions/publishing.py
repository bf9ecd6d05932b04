"""How a decision of the clinic comes into force: draft, checks, a second person where an alert could fall silent.

What a clinic decides is one definition (JSON) for each kind. Each kind says for itself how it is read, what may not be
published, what in a change could silence an alert, and what has to happen when it comes into force: see `Kind`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pydantic
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging import second_people
from messaging.models import Clinic
from messaging.versions import field_labels
from messaging.versions.models import Version
from messaging.versions.problems import Problem

__all__ = [
    "Definition",
    "Kind",
    "NeedsSecond",
    "Overtaken",
    "Problem",
    "Refused",
    "agrees",
    "ask",
    "draft",
    "drop",
    "history",
    "live",
    "names",
    "numbered",
    "publish",
    "revert",
    "save",
    "shipped",
    "silenced",
    "somebody_else",
    "wants_reason",
]

OPEN = ("draft", "asked")
Definition = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of decision. `name` is also its table in the clinic's file.

    `read` brings a mapping into its full form, or raises Refused; `check` needs the clinic itself (do these people
    exist, is there a gap in the week); `silences` names in words what in a change could silence an alert; `present` is
    what holds now; `take_effect` does, in the publishing transaction, what makes it hold; `model` describes the
    definition where there is one, for the schema of the clinic's file; `names` has more words for its fields than the
    texts. `texts_patients` says whether a change is one that every patient's texts follow; `shipped` is what Warmthread
    brings, None where each clinic begins with something of its own.
    """

    name: str
    read: Callable[[Mapping[str, Any]], Definition]
    present: Callable[[Session, Clinic], Definition]
    check: Callable[[Session, Clinic, Definition], Sequence[Problem]] = lambda *_: ()
    silences: Callable[[Definition, Definition], Sequence[str]] = lambda *_: ()
    take_effect: Callable[[Session, Clinic, Definition, str], None] = lambda *_: None
    model: type[pydantic.BaseModel] | None = None
    names: Callable[[Session, Clinic, field_labels.Names], field_labels.Names] = lambda _session, _clinic, names: names
    texts_patients: Callable[[Definition, Definition], bool] = lambda *_: False
    shipped: Callable[[], Definition] | None = None


class Refused(ValueError):
    """A definition that cannot hold; `problems` says all that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = list(problems)


class Overtaken(Exception):
    """Somebody else has changed this meanwhile; `theirs` is how it stands now. Nothing was written."""

    def __init__(self, theirs: Version | None) -> None:
        super().__init__("somebody else has changed this meanwhile")
        self.theirs = theirs


class NeedsSecond(Exception):
    """This change could silence an alert (`why`, in words), so that somebody else must agree first."""

    def __init__(self, why: Sequence[str]) -> None:
        super().__init__("; ".join(why))
        self.why = list(why)


def reading(model: type[pydantic.BaseModel], expected: Mapping[str, str]) -> Callable[[Mapping[str, Any]], Definition]:
    """Return the `read` of a flat kind: by its model, each mistake at its field in the words of `expected`, by type."""

    def read(definition: Mapping[str, Any]) -> Definition:
        try:
            return model.model_validate(definition).model_dump(mode="json")
        except pydantic.ValidationError as wrong:
            raise Refused(
                [Problem(str(each["loc"][0]), expected.get(each["type"], str(each["msg"]))) for each in wrong.errors()]
            ) from None

    return read


def live(session: Session, clinic_id: UUID, kind: str) -> Version | None:
    """Return what is in force, None where nothing was ever published."""
    return session.scalar(
        select(Version).where(Version.clinic_id == clinic_id, Version.kind == kind, Version.state == "live")
    )


def draft(session: Session, clinic_id: UUID, kind: str) -> Version | None:
    """Return the one draft that is open, asked for or not."""
    return session.scalar(
        select(Version).where(Version.clinic_id == clinic_id, Version.kind == kind, Version.state.in_(OPEN))
    )


def history(session: Session, clinic_id: UUID, kind: str) -> list[Version]:
    """Return everything that was ever published, newest first."""
    published = select(Version).where(Version.clinic_id == clinic_id, Version.kind == kind, Version.number.is_not(None))
    return list(session.scalars(published.order_by(Version.number.desc())))


def numbered(session: Session, clinic_id: UUID, kind: str, number: int) -> Version | None:
    """Return the published version of this number."""
    return session.scalar(
        select(Version).where(Version.clinic_id == clinic_id, Version.kind == kind, Version.number == number)
    )


def save(
    session: Session, clinic: Clinic, kind: Kind, definition: Mapping[str, Any], *, edit: int, actor: str
) -> Version:
    """Keep a draft: `edit` is that of the draft which the writer had before them, 0 for none.

    Raises Refused for what cannot be read and Overtaken where somebody else has written meanwhile. A draft may still
    have problems of `Kind.check`; it cannot be published with them.
    """
    read = kind.read(definition)
    _lock(session, clinic)
    there = draft(session, clinic.id, kind.name)
    if (there.edit if there else 0) != edit:
        raise Overtaken(there)
    now = clock.now()
    if there is None:
        in_force = live(session, clinic.id, kind.name)
        number = in_force.number if in_force else None
        there = Version(clinic_id=clinic.id, kind=kind.name, based_on=number or 0, edit=0, written_at=now)
        session.add(there)
    there.definition, there.state, there.asked_by = read, "draft", None
    there.written_by, there.written_at, there.edit = actor, now, there.edit + 1
    session.flush()
    _write_down(session, there, actor, "drafted")
    return there


def drop(session: Session, version: Version, actor: str) -> None:
    """Put a draft away; what is in force stays."""
    if version.state in OPEN:
        version.state, version.ended_at = "dropped", clock.now()
        _write_down(session, version, actor, "dropped")


def silenced(session: Session, clinic: Clinic, kind: Kind, version: Version) -> list[str]:
    """Return in words what in this draft could silence an alert; empty where one person may publish it."""
    return list(kind.silences(kind.present(session, clinic), version.definition))


def wants_reason(session: Session, clinic: Clinic, kind: Kind, version: Version) -> bool:
    """Whether who publishes this draft must say why: it could silence an alert, or every patient's texts follow it."""
    old = kind.present(session, clinic)
    return bool(kind.silences(old, version.definition)) or kind.texts_patients(old, version.definition)


def names(session: Session, clinic: Clinic, kind: Kind) -> field_labels.Names:
    """Return the words for the fields of a kind, those of this clinic with them: its people, its texts."""
    return kind.names(session, clinic, field_labels.of(kind.name))


def ask(session: Session, version: Version, actor: str, why: str) -> None:
    """Ask a second person to agree to a draft as it is; changing it takes the question back."""
    version.state, version.asked_by, version.why = "asked", actor, why.strip()[:300] or None
    _write_down(session, version, actor, "asked")


def publish(session: Session, clinic: Clinic, kind: Kind, *, edit: int, actor: str, why: str = "") -> Version:
    """Let the clinic follow its draft from now on.

    Raises Overtaken where the draft is no longer the one that was looked at, Refused where it may not hold, and
    NeedsSecond where it could silence an alert and nobody else has asked for it.
    """
    _lock(session, clinic)
    version = draft(session, clinic.id, kind.name)
    in_force = live(session, clinic.id, kind.name)
    number = (in_force.number if in_force else None) or 0
    if version is None or version.edit != edit or version.based_on != number:
        raise Overtaken(version)
    problems = kind.check(session, clinic, version.definition)
    if problems:
        raise Refused(problems)
    reasons = silenced(session, clinic, kind, version)
    if reasons and not agrees(session, version, actor) and somebody_else(session, clinic, actor):
        raise NeedsSecond(reasons)
    now = clock.now()
    if in_force is None:
        _keep_beginning(session, clinic, kind, actor)
    else:
        in_force.state, in_force.ended_at = "past", now
        session.flush()
    version.state, version.number, version.why = "live", number + 1, why.strip()[:300] or version.why
    version.published_by, version.published_at = actor, now
    kind.take_effect(session, clinic, version.definition, actor)
    session.flush()
    _write_down(session, version, actor, "published", asked=version.asked_by)
    return version


def revert(session: Session, clinic: Clinic, kind: Kind, number: int, *, edit: int, actor: str) -> Version:
    """Make a draft of what was once published; it goes the way of any draft. Raises as `save` does, and LookupError."""
    former = numbered(session, clinic.id, kind.name, number)
    if former is None:
        raise LookupError(f"{kind.name} has no version {number}")
    return save(session, clinic, kind, former.definition, edit=edit, actor=actor)


def shipped(session: Session, clinic: Clinic, kind: Kind, *, edit: int, actor: str) -> Version:
    """Make a draft of what Warmthread brings. Raises as `save` does, and LookupError where it brings nothing."""
    if kind.shipped is None:
        raise LookupError(f"{kind.name} is each clinic's own")
    return save(session, clinic, kind, kind.shipped(), edit=edit, actor=actor)


def _keep_beginning(session: Session, clinic: Clinic, kind: Kind, actor: str) -> None:
    """What the clinic began with is its version 0, so that the first change can be taken back as any other."""
    began, now = clinic.created_at, clock.now()
    session.add(
        Version(
            clinic_id=clinic.id,
            kind=kind.name,
            state="past",
            number=0,
            based_on=0,
            definition=kind.present(session, clinic),
            written_by=actor,
            written_at=began,
            published_at=began,
            ended_at=now,
        )
    )
    session.flush()


def agrees(session: Session, version: Version, actor: str) -> bool:
    """Whether `actor` is the second person for what somebody else has asked (messaging.two_person_rule)."""
    if version.state != "asked" or version.asked_by in (None, actor):
        return False
    # An operator at the command line has no role here, and is no other name of whoever asked.
    by_operator = audit.Actor(actor).kind == audit.OPERATOR
    return by_operator or second_people.refusal(session, "decision", actor, version.asked_by) == ""


def somebody_else(session: Session, clinic: Clinic, actor: str) -> bool:
    """Whether there is anybody to ask: a clinic of one person is not locked out of its own settings."""
    return any(staff.signs_in for staff in second_people.others(session, clinic.id, "decision", actor))


def _lock(session: Session, clinic: Clinic) -> None:
    session.get(Clinic, clinic.id, with_for_update=True, populate_existing=True)


def _write_down(session: Session, version: Version, actor: str, act: str, **detail: str | None) -> None:
    audit.record(
        session,
        version.clinic_id,
        actor,
        f"{version.kind}.{act}",
        f"edition:{version.id}",
        number=version.number,
        edit=version.edit,
        **detail,
    )
