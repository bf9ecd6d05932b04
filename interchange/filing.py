"""Files the scores that a message tells, form by form; what cannot be filed and may be an alarm is told at once."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select

from config import db
from intake_links import scoring, told_results
from intake_links.told_results import TOTAL, Part, Result
from interchange import feeds, identity, moments, scores
from interchange.models import FeedMessage
from interchange.problems import Problems
from interchange.visits import Act, Context, Held
from messaging import reasons
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Patient
from reminders import patient_locks


def do(acts: Sequence[Act], context: Context, row: FeedMessage, problems: Problems) -> list[bool]:
    """File the scores among the acts; whether each form of them changed anything.

    A form of whom nobody here knows whose it is, or that waits for another reason, is no secret: what it asks of a
    person stands in the inbox in this same transaction.
    """
    return [_file(form, context, row, problems) for form in _forms(acts)]


def _forms(acts: Sequence[Act]) -> Iterator[list[Act]]:
    """The scores by whose they are, when they were answered and on which form."""
    told = [act for act in acts if str(act["act"]).startswith("score")]
    forms: dict[str, list[Act]] = {}
    for act in told:
        patient, instrument = act["patient"], _instrument(act, told)
        forms.setdefault(repr((patient, act["at"], instrument)), []).append({**act, "instrument": instrument})
    yield from forms.values()


def _instrument(act: Act, told: Sequence[Act]) -> str:
    """The form an act is about: the first questions of a longer form are those of the short one that opens it."""
    short = scoring.instrument(act["instrument"])
    if short.grows_into is None or "item" not in act:
        return short.id
    beside = {other["instrument"] for other in told if (other["patient"], other["at"]) == (act["patient"], act["at"])}
    return short.grows_into if short.grows_into in beside else short.id


def _file(form: list[Act], context: Context, row: FeedMessage, problems: Problems) -> bool:
    result = _result(form, context, row, problems)
    try:
        patient = _whose(form, context)
    except (Held, identity.Unclear) as waits:
        problems.note(str(waits))
        _tell(form[0], result, context, row)
        return False
    patient_locks.take(context.session, [patient.id])
    source = f"{told_results.OF_EHR}{context.feed.name}"
    filed = told_results.file(context.session, context.clinic, patient, result, source)
    for code in filed.problems:
        problems.note(code)
    return filed.changed


def _whose(form: Sequence[Act], context: Context) -> Patient:
    """Whose form it is. Raises Held or identity.Unclear where a person must say so."""
    first = form[0]
    if first["patient"] is None:
        raise Held("patient_unclear")
    if any(act.get("held") for act in form):
        raise Held("score_waits")
    patient = context.register.known(first["patient"], first.get("person"))
    if patient is None:
        raise Held("score_of_stranger")
    return patient


def _result(form: Sequence[Act], context: Context, row: FeedMessage, problems: Problems) -> Result:
    said_at = moments.since(form[0].get("as_of"), context.said_at)
    parts: dict[str, Part] = {}
    unclear: dict[str, str] = {}
    for act in form:
        if act["act"] == scores.UNCLEAR:
            unclear[_part(act["instrument"], act["part"])] = act["kind"]
            continue
        for name, part in _parts(act).items():
            if name in parts and parts[name] != part and not part.replaces:
                # Two values for one question in one message: the graver of them is not lost.
                problems.note("score_contradicts")
                parts[name] = max(part, parts[name], key=lambda either: either.value or 0)
            else:
                parts[name] = part
    at = moments.parsed(form[0]["at"]) if form[0]["at"] else said_at
    return Result(form[0]["instrument"], at, said_at, row.received_at, parts, unclear)


def _parts(act: Act) -> dict[str, Part]:
    if act["state"] == "withdrawn":
        named = scores.coded(act.get("loinc") or "")
        numbers = range(len(scoring.instrument(act["instrument"]).items))
        all_of_it = [TOTAL, *map(str, numbers)]
        names = all_of_it if named is None or named.part == "panel" else [_part(act["instrument"], named.item or TOTAL)]
        return dict.fromkeys(names, Part(None, replaces=True))
    replaces = act["state"] == "corrected"
    if "total" in act:
        return {TOTAL: Part(act["total"], replaces)}
    answers = enumerate(scores.answers_of(act))
    return {str(number): Part(value, replaces) for number, value in answers if value is not None}


def _part(instrument: str, item: str) -> str:
    """The name of a part: of an item its number, from 0."""
    numbers = {item.id: str(number) for number, item in enumerate(scoring.instrument(instrument).items)}
    return numbers.get(item, item)


def _tell(act: Act, result: Result, context: Context, row: FeedMessage) -> None:
    """Open an item for what waits and may be an alarm, with whom the EHR names, unless one is open."""
    kind, about = result.asks_for, f"{told_results.UNFILED}:{row.id}"
    session, clinic = context.session, context.clinic
    waiting = select(InboxItem).where(InboxItem.clinic_id == clinic.id, InboxItem.about == about)
    if kind is None or session.scalar(waiting.where(InboxItem.kind == kind, InboxItem.state != "done").limit(1)):
        return
    db.load_keys(session, [clinic.key_id])
    person, who = act.get("person") or {}, act["patient"] or {}
    named = [person.get("first_name"), person.get("last_name"), person.get("birth_date"), who.get("identifier")]
    facts = {
        "feed": context.feed.name,
        "instrument": scoring.instrument(result.instrument).title,
        "who": ", ".join(filter(None, named)) or feeds.words()["items"]["nobody"],
    }
    summary = reasons.Sentences(feeds.words()["items"]).words(reasons.Reason(f"unfiled_{kind}", facts))
    items.open_item(session, clinic, kind=kind, about=about, dedupe=f"{about}:{db.new_id()}", summary=summary)
