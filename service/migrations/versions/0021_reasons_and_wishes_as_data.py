"""Why a reminder leaves or does not, as keys with facts; the codes of a text, and who wants none about a visit."""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BATCH = 1000
QUIET = "quiet: the patient wants no texts about this visit"
CODE = re.compile(r"code (\d+): ([0-9a-f-]{36})")
appointment = sa.table(
    "appointment",
    *(sa.column("id", sa.Uuid()), sa.column("patient_id", sa.Uuid()), sa.column("quiet_by", sa.String())),
    *(sa.column(name, sa.DateTime(timezone=True)) for name in ("quiet_at", "updated_at")),
)
reminder = sa.table(
    "reminder",
    *(sa.column(name, sa.Uuid()) for name in ("id", "appointment_id")),
    *(sa.column(name, sa.JSON()) for name in ("why", "codes")),
)
follow_up = sa.table(
    "follow_up", sa.column("id", sa.Uuid()), sa.column("why", sa.String()), sa.column("reason", sa.JSON())
)
audit_entry = sa.table(
    "audit_entry",
    *(sa.column(name, sa.String()) for name in ("act", "about", "actor")),
    sa.column("at", sa.DateTime(timezone=True)),
)

# The sentences as they were written until now, the narrower before the wider. Nothing else reads them.
SENTENCES = {
    "planned_weekday": "planned: {at} on the {weekday} before the visit, in {zone}",
    "planned_visit_day": "planned: {at} on the day of the visit, in {zone}",
    "planned_hour": "planned: {at} {length} {side} the visit, in {zone}",
    "planned_wall_clock": "planned: {length} {side} the visit by the clock on the wall, {real} as the clocks change",
    "planned_length": "planned: {length} {side} the visit",
    "moved_to_now": "moved: {past}, and it is to be sent at once",
    "moved_to_opening": "moved: quiet hours until {until}",
    "moved_before_closing": "moved: back before quiet hours, as {until} {late}",
    "dropped": "dropped: {because}",
    "confirmed": "the visit is confirmed, and confirmed once means silence",
    "seen_before": "this step is for a first visit, and the patient has been seen before",
    "answered": "the questions are answered, and this step is for those who have not",
    "other_language": "this step is for language {wanted}, and the patient speaks {theirs}",
    "other_place": "this step is for place {wanted}, and the visit is at {theirs}",
    "other_kind": "this step is for kind {wanted}, and the visit is {theirs}",
    "no_step": "the cadence has no such step any more",
    "booked_after": "visit was booked after this step",
    "passed_outcome": "this step had passed when it became known how the visit went",
    "passed_planning": "this step had passed when the visit was planned again",
    "before_booking": "is before the visit was booked",
    "has_passed": "has passed",
    "not_before_visit": "is not before the visit",
    "not_after_visit": "is not after the visit",
    "short_notice": "leaves less than {notice} before the visit",
    "too_close": "is less than {gap} before the next step, and the newest step wins",
    "own_time": "this {objection}",
    "at_time": "{at} {objection}",
    "only_quiet_hours": "quiet hours until {until}, which {late}; {back}, before them, {early}",
    "late_too_close": "late, and less than {gap} before the next step, and the newest step wins",
    "newer_due": "a newer reminder of this visit is due, and the newest step wins",
    "visit_past": "the visit is past",
    "visit_state": "the visit is {state}",
    "patient_here": "the patient is here",
    "patient_state": "the patient is {state}",
    "combined_at": "combined into the text about the visit of that day at {at}",
    "combined": "combined into the text about the visit of that day",
    "link_state": "the link is {state}",
    "person_told": "a person has been told of an answer",
    "answered_elsewhere": "answered elsewhere",
    "first_text": "the first text was {state}",
    "too_late": "too late for a text",
    "cap_day": "cap: the {nth} reminder that day; the clinic sends a patient at most {most}",
    "cap_week": "cap: the {nth} reminder in seven days; the clinic sends a patient at most {most}",
    "no_common_hours": "hours: this step's window and the hours in which texts may leave have none in common",
    "patient_hours": "hours: those the patient wants texts in and those of the clinic have none in common",
    "visit_begun": "visit: it has begun",
    "over_catch_up": "catch-up: more than {length} late",
    "over_deliver_by": "deliver by: the time in which the text was useful is over",
    "notice_left": "notice: less than {length} left before the visit",
    "quiet_until": "quiet hours: until {until} for the patient",
    "patient_confirmed": "confirmed: the patient has confirmed, and confirmed once means silence",
    "change_asked": "change: the patient has asked to change this visit",
    "quiet": QUIET,
    "shared_text_stopped": "planned again: the text it shared with another visit was taken back",
    "says_less": "planned again: its text had not left, and the patient wants texts to say less",
    "not_texted": "not texted: {refusal}",
    "not_sent": "not sent: the text was {state}",
    "not_due_by": "not asked: {instrument}, {verdict} ({ask})",
    "not_due": "not asked: {instrument}, {verdict}",
    "refused": "not asked: {refusal}",
    "gave_up": "gave up: {error}",
}
HOUR = r"\d\d:\d\d"
CLOCK = rf"{HOUR}(?: in [\w/+-]+)?"
SAID_OF_A_MOMENT = r"(?:is|has|leaves) .+"
LENGTH = r"\d+ (?:minute|hour|day|week)s?"
GAPS = {
    "at": CLOCK, "until": CLOCK, "back": CLOCK, "objection": SAID_OF_A_MOMENT, "late": SAID_OF_A_MOMENT,
    "early": SAID_OF_A_MOMENT, "length": LENGTH, "gap": LENGTH, "notice": LENGTH, "real": LENGTH,
    "side": "before|after", "weekday": "[A-Z][a-z]+day", "most": r"\d+", "nth": r"[a-z]+|\d+(?:st|th)",
    "instrument": r"\w+", "verdict": "[a-z ]+", "refusal": "[^,]+", "ask": r".+",
}  # fmt: skip
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
REASONS = ("because", "past", "objection", "late", "early")
CLOCKS = ("at", "until", "back")


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", sentence)
    gaps = [f"(?P<{name}>{GAPS.get(name, '.+')})" for name in parts[1::2]]
    fixed = [re.escape(part) for part in parts[::2]]
    return re.compile("".join(part for pair in zip(fixed, [*gaps, ""], strict=True) for part in pair))


PATTERNS = {key: _pattern(sentence) for key, sentence in SENTENCES.items()}


def upgrade() -> None:
    """Add the columns, and read the sentences a last time."""
    op.add_column("appointment", sa.Column("quiet_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("appointment", sa.Column("quiet_by", sa.String(length=60), nullable=True))
    op.add_column("reminder", sa.Column("codes", sa.JSON(), nullable=True))
    op.add_column("follow_up", sa.Column("reason", sa.JSON(), nullable=True))
    op.add_column("inbox_item", sa.Column("findings_ct", sa.LargeBinary(), nullable=True))
    _carry_wishes()
    _carry_reminders()
    _carry_follow_ups()
    op.execute("ALTER TABLE follow_up DROP COLUMN why")
    op.execute("ALTER TABLE follow_up RENAME COLUMN reason TO why")


def read(sentence: str) -> dict[str, Any]:
    """Return a sentence as a key with facts; one that was never written like this stays as it was written."""
    for key, pattern in PATTERNS.items():
        match = pattern.fullmatch(sentence)
        if match:
            facts = {name: _fact(name, text) for name, text in match.groupdict().items()}
            return {"key": key, "facts": facts}
    return {"key": "as_written", "facts": {"text": sentence}}


def _fact(name: str, text: str) -> Any:
    if name in REASONS:
        return read(text)
    if name in CLOCKS and " in " in text:
        at, zone = text.split(" in ")
        return {"key": "clock_in", "facts": {"at": at, "zone": zone}}
    if name in ("nth", "most"):
        return ORDINALS.index(text) + 1 if text in ORDINALS else int(re.sub(r"\D", "", text))
    if name in ("state", "verdict"):
        return text.replace(" ", "_")
    if name == "theirs" and text == "none that we know":
        return ""
    return text[:3].lower() if name == "weekday" else text


def _carry_wishes() -> None:
    """What was asked for stands in the audit log, also where nothing was planned then; else on a reminder."""
    asked = sa.select(audit_entry.c.about, audit_entry.c.actor, audit_entry.c.at)
    asked = asked.where(audit_entry.c.act == "appointment.quiet").order_by(audit_entry.c.at)
    rows = op.get_bind().execute(asked).all()
    wishes = [{"visit": UUID(row.about.split(":")[1]), "by": row.actor, "at": row.at} for row in rows]
    change = sa.update(appointment).where(appointment.c.id == sa.bindparam("visit"))
    change = change.values(quiet_at=sa.bindparam("at"), quiet_by=sa.bindparam("by"))
    if wishes:
        op.get_bind().execute(change, wishes)


def _carry_reminders() -> None:
    bind = op.get_bind()
    change = sa.update(reminder).where(reminder.c.id == sa.bindparam("row"))
    change = change.values(why=sa.bindparam("reasons"), codes=sa.bindparam("given"))
    for rows in _batches([reminder.c.id, reminder.c.appointment_id, reminder.c.why]):
        bind.execute(change, [_carried(row.id, row.why) for row in rows])
        _keep_wish({row.appointment_id for row in rows if QUIET in row.why})


def _carried(row: Any, why: Sequence[str]) -> dict[str, Any]:
    codes = {match[1]: match[2] for match in map(CODE.fullmatch, why) if match}
    reasons = [read(sentence) for sentence in why if not CODE.fullmatch(sentence)]
    return {"row": row, "reasons": reasons, "given": codes or sa.null()}


def _keep_wish(visits: set[Any]) -> None:
    unknown = sa.select(appointment.c.id, appointment.c.patient_id, appointment.c.updated_at)
    unknown = unknown.where(appointment.c.id.in_(visits), appointment.c.quiet_at.is_(None))
    for visit in op.get_bind().execute(unknown).all() if visits else ():
        wish = {"quiet_at": visit.updated_at, "quiet_by": f"patient:{visit.patient_id}"}
        op.get_bind().execute(sa.update(appointment).where(appointment.c.id == visit.id).values(**wish))


def _carry_follow_ups() -> None:
    ended = sa.select(follow_up.c.id, follow_up.c.why).where(follow_up.c.why.is_not(None))
    for row in op.get_bind().execute(ended).all():
        reason = {"key": "quiet", "facts": {}} if row.why == "quiet" else read(row.why)
        op.get_bind().execute(sa.update(follow_up).where(follow_up.c.id == row.id).values(reason=reason))


def _batches(columns: Sequence[sa.ColumnClause[Any]]) -> Iterator[Sequence[sa.Row[Any]]]:
    """Rows of a table in the order of their ids, some at a time."""
    after: Sequence[sa.ColumnElement[bool]] = ()
    while rows := op.get_bind().execute(sa.select(*columns).where(*after).order_by(columns[0]).limit(BATCH)).all():
        yield rows
        after = [columns[0] > rows[-1].id]


def downgrade() -> None:
    """Refuse: the history only goes forward."""
    raise RuntimeError("Warmthread only goes forward: restore a backup instead")
