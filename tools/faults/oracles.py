"""The global oracles: what must hold whatever was killed, frozen or cut off. Pure: a record and evidence in, findings
out.

O1 each text a phone sent has one receipt and one row. O2 each submission that was taken has one score, and a positive
one its inbox item. O3 each open safety item has somebody who will be asked. O4 nothing hangs half done. O5 no reason
texts anybody twice, but for safety. O6 the audit chain verifies. O7 no patient's word lies in the log or in Valkey.
O8 nothing leaves after a revocation. And each alert is on a phone in time.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from messaging.delivery.reconciling import MAY_DOUBLE
from tools.faults.evidence import Evidence
from tools.faults.plan import Plan
from tools.faults.traffic import STAFF, Record, phone

ALERT_WITHIN = timedelta(seconds=60)
# For so long a last look is believed (messaging.delivery.send_one.FRESH), and a slow carrier dates what it took later.
BELIEVED = timedelta(seconds=7)
# A storm of these takes nothing at all: an alert cannot leave before it is over, and is late only by what is longer.
DATABASE_AWAY = ("stop", "cut", "fill")
NOTHING_TAKEN = ("429", "500", "503", "drop", "garbage", "accept_then_500", "accept_then_timeout")


@dataclass(frozen=True)
class Finding:
    """An oracle that does not hold: its number, lost | doubled | late | wrong, and what was seen."""

    oracle: str
    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.oracle} {self.kind}: {self.what}"


def unsettled(record: Record, seen: Evidence) -> list[str]:
    """Return what is still to come; nothing is, where all is well."""
    owed = [str(finding) for oracle in EVENTUALLY for finding in oracle(record, seen)]
    return owed + seen.waiting


def judge(record: Record, seen: Evidence) -> list[Finding]:
    """Return every oracle that does not hold."""
    return [finding for oracle in (*EVENTUALLY, *ALWAYS) for finding in oracle(record, seen)]


def o1_texts(record: Record, seen: Evidence) -> list[Finding]:
    """Each text that a phone has sent was received once and filed once."""
    findings = []
    for typed in record.typed:
        counts = {seen.receipts[typed.sid], seen.texts_in[typed.sid]}
        if counts != {1}:
            kind = "doubled" if max(counts) > 1 else "lost"
            findings.append(Finding("O1", kind, f"{typed.say} has receipts and rows {sorted(counts)}"))
    return findings


def o2_submissions(record: Record, seen: Evidence) -> list[Finding]:
    """Each submission is scored once, and who must know of it has one item; so has each crisis text."""
    findings = [
        Finding("O2", "lost", f"{submit} was never taken")
        for submit in record.plan.submits
        if not any(posted.submit == submit for posted in record.posted)
    ]
    for posted in record.posted:
        screens = seen.screens.get(posted.event, [])
        if len(screens) != 1:
            findings.append(Finding("O2", "doubled" if screens else "lost", f"{posted.submit}: {len(screens)} screens"))
    alarming = Counter(item.patient for item in seen.items if item.kind == "safety")
    for patient in sorted(_alarming(record)):
        if alarming[patient] != 1:
            kind = "doubled" if alarming[patient] else "lost"
            findings.append(Finding("O2", kind, f"patient {patient} has {alarming[patient]} safety items"))
    return findings + [Finding("ledger", "lost", f"{row} has no item") for row in seen.unproved]


def o3_somebody_will_be_asked(_record: Record, seen: Evidence) -> list[Finding]:
    """Each item that nobody has acknowledged has a timer, or everybody has been told."""
    return [Finding("O3", "lost", f"no timer for {item}") for item in seen.items if not item.climbs]


def alerts(_record: Record, seen: Evidence) -> list[Finding]:
    """Each safety item is on the phone of whom it was given to."""
    told = {sending.item_id for sending in seen.sendings if sending.to == STAFF}
    safety = (item for item in seen.items if item.kind == "safety")
    return [Finding("alert", "lost", f"nobody was texted of {item}") for item in safety if item.id not in told]


def o4_reminders(record: Record, seen: Evidence) -> list[Finding]:
    """Whoever only has a visit has had its reminder; whoever wrote may have made it needless."""
    quiet = {visit.patient for visit in record.plan.visits} - {say.patient for say in record.plan.says}
    texted = Counter(sending.to for sending in seen.sendings if _kind(seen, sending.message_id) == "reminder")
    return [
        Finding("O4", "lost", f"the reminder of patient {who} is {seen.reminders.get(who)} and has not left")
        for who in sorted(quiet)
        if not texted[phone(who)]
    ]


def o4_nothing_hangs(_record: Record, seen: Evidence) -> list[Finding]:
    """Nothing is half done when there was time."""
    return [Finding("O4", "lost", what) for what in seen.waiting]


def o5_once(_record: Record, seen: Evidence) -> list[Finding]:
    """One reason sends one text, save where a lost alert would be worse than two; and none leaves without a row."""
    taken = Counter(sending.message_id for sending in seen.sendings)
    findings = [
        Finding("O5", "doubled", f"{count} texts of one {_kind(seen, message)}")
        for message, count in taken.items()
        if message is not None and count > 1 and _kind(seen, message) not in MAY_DOUBLE
    ]
    if taken[None]:
        findings.append(Finding("O5", "wrong", f"{taken[None]} texts of which no row knows"))
    reminded = Counter(sending.to for sending in seen.sendings if _kind(seen, sending.message_id) == "reminder")
    return findings + [
        Finding("O5", "doubled", f"{count} reminders of one visit") for count in reminded.values() if count > 1
    ]


def o6_chain(_record: Record, seen: Evidence) -> list[Finding]:
    """The audit chain verifies."""
    return [Finding("O6", "wrong", fault) for fault in seen.broken_chain]


def o7_words(_record: Record, seen: Evidence) -> list[Finding]:
    """No patient's name, word or number lies where none may be."""
    return [Finding("O7", "wrong", f"a patient's word lies in {where}") for where in seen.leaks]


def stops_are_kept(record: Record, seen: Evidence) -> list[Finding]:
    """Whoever revoked is in the ledger of consent."""
    stopped = sorted({say.patient for say in record.plan.says if say.means == "stop"})
    return [Finding("O8", "lost", f"patient {who} revoked, unheard") for who in stopped if who not in seen.revoked]


def o8_nothing_after_stop(record: Record, seen: Evidence) -> list[Finding]:
    """After a revocation is written down nothing leaves, but the one word that says so.

    Beside a clock set back it is dated when what it revokes was agreed to: never before the phone had sent it.
    """
    sent = {typed.say.patient: typed.at for typed in reversed(record.typed) if typed.say.means == "stop"}
    whose = {phone(patient): max(at, sent.get(patient, at)) for patient, at in seen.revoked.items()}
    late = [
        sending
        for sending in seen.sendings
        if sending.to in whose
        and sending.at > whose[sending.to] + BELIEVED
        and _kind(seen, sending.message_id) not in ("stopped", "automatic", "crisis")
    ]
    return [Finding("O8", "wrong", f"a {_kind(seen, s.message_id)} left {s.at - whose[s.to]} after STOP") for s in late]


def in_time(record: Record, seen: Evidence) -> list[Finding]:
    """Each alert is with the carrier within a minute of what it is about, not counting when it took nothing."""
    findings = []
    for taken_at, told_at in alert_times(record, seen):
        allowed = ALERT_WITHIN + _outage_after(record, taken_at)
        if told_at - taken_at > allowed:
            after = (told_at - taken_at).total_seconds()
            findings.append(Finding("alert", "late", f"after {after:.0f} s, allowed {allowed.total_seconds():.0f} s"))
    return findings


def alert_times(record: Record, seen: Evidence) -> list[tuple[datetime, datetime]]:
    """Return for each safety item when we took what it is about, and when its first text was with the carrier."""
    began: dict[int, datetime] = {posted.submit.patient: posted.at for posted in record.posted}
    began |= {typed.say.patient: seen.received_at[typed.sid] for typed in record.typed if typed.sid in seen.received_at}
    told: dict[UUID, datetime] = {}
    for sending in seen.sendings:
        if sending.item_id and sending.to == STAFF:
            told[sending.item_id] = min(sending.at, told.get(sending.item_id, sending.at))
    safety = [item for item in seen.items if item.kind == "safety" and item.patient in began and item.id in told]
    return [(began[item.patient], told[item.id]) for item in safety if item.patient is not None]


def _outage_after(record: Record, at: datetime) -> timedelta:
    """Return how long after `at` the carrier took nothing, or the database was away, by the plan."""
    plan: Plan = record.plan
    total = 0.0
    for fault in plan.faults:
        shut = fault.act in DATABASE_AWAY or any(rule.get("answer") in NOTHING_TAKEN for rule in fault.rules)
        begins = max(fault.at, (at - record.began_at).total_seconds())
        total += max(0.0, fault.ends - begins) if shut else 0.0
    return timedelta(seconds=total)


def _alarming(record: Record) -> set[int]:
    positive = {posted.submit.patient for posted in record.posted if posted.submit.positive}
    return positive | {typed.say.patient for typed in record.typed if typed.say.means == "crisis"}


def _kind(seen: Evidence, message_id: UUID | None) -> str:
    return seen.kinds.get(message_id, "text") if message_id else "text"


Oracle = Callable[[Record, Evidence], list[Finding]]
# These hold in the end; the others at any moment.
EVENTUALLY: tuple[Oracle, ...] = (
    o1_texts,
    o2_submissions,
    o3_somebody_will_be_asked,
    alerts,
    o4_reminders,
    stops_are_kept,
)
ALWAYS: tuple[Oracle, ...] = (o4_nothing_hangs, o5_once, o6_chain, o7_words, o8_nothing_after_stop, in_time)
