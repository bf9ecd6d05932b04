"""What the pages about one file show: its columns and values to tell apart, what a check found, what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging import languages
from messaging.models import Clinic, Patient
from messaging.wording import text_templates
from reminders.imports import (
    checking,
    column_mapping,
    completeness,
    csv_import,
    first_texts,
    runs,
    take_in,
    value_tables,
)
from reminders.imports.models import ImportRun
from reminders.models import Appointment
from web import times, words

SHOWN, MISSING_SHOWN = 100, 50
REFRESH_SECONDS = 2


@dataclass(frozen=True)
class Value:
    """A value of a column: its place in the form, the word, how many rows have it, what it means ("" if nobody knows),
    and what may be chosen for it (our value and how it is called)."""

    place: int
    word: str
    rows: int
    meant: str
    choices: Sequence[tuple[str, str]]

    @property
    def said(self) -> str:
        """What the first rows show for it."""
        return dict(self.choices).get(self.meant, self.word)


@dataclass(frozen=True)
class ValueTable:
    """The values of the column that one of our fields is read from; `too_many` to be shown all."""

    field: str
    header: str
    values: Sequence[Value]
    too_many: bool


def value_tables_of(run: ImportRun, columns: column_mapping.Columns) -> list[ValueTable]:
    """Return the columns whose values we know, each with its values, the commonest first."""
    mapped = [(name, columns.columns.get(name)) for name in value_tables.FIELDS[run.kind]]
    return [_table(run, columns, name, header) for name, header in mapped if header]


def _table(run: ImportRun, columns: column_mapping.Columns, name: str, header: str) -> ValueTable:
    counts = take_in.values_of(run, header)
    chosen = columns.meanings.get(name, {})
    meant = {word: chosen.get(word.casefold(), _guessed(run.kind, name, word)) for word in counts or ()}
    offered = _offered(run.kind, name, meant)
    rows = [
        Value(place, word, (counts or {})[word], meant[word], offered) for place, word in enumerate(_in_order(counts))
    ]
    return ValueTable(name, header, rows, counts is None)


def _in_order(counts: Mapping[str, int] | None) -> list[str]:
    return sorted(counts or {}, key=lambda word: (-(counts or {})[word], word))


def _guessed(kind: str, name: str, word: str) -> str:
    guess = value_tables.meaning(kind, name, word)
    return value_tables.EMPTY[kind].get(name, "") if guess == "" else guess or value_tables.LEFT_OUT


def _offered(kind: str, name: str, meant: Mapping[str, str]) -> list[tuple[str, str]]:
    if name == "language":
        codes = dict.fromkeys([*text_templates.LANGUAGES, *sorted(set(meant.values()) - {"", value_tables.LEFT_OUT})])
        return [(code, languages.name(code)) for code in codes]
    return [(value, words.say("import_values", f"{name}.{value}")) for value in value_tables.choices(kind, name)]


def chosen(run: ImportRun, form: Mapping[str, str]) -> column_mapping.Columns:
    """Return the columns and the meanings of their values as the form has them."""
    kind = run.kind
    columns = {name: form[f"column.{name}"] for name in column_mapping.fields(kind) if form.get(f"column.{name}")}
    constants = {
        name: form[f"all.{name}"].strip()[:120]
        for name in column_mapping.CONSTANTS[kind]
        if form.get(f"all.{name}", "").strip()
    }
    order = form.get("order", "")
    order = order if order in column_mapping.ORDERS else column_mapping.ORDERS[0]
    return column_mapping.Columns(columns, constants, order, _meanings(run, columns, form))


def _meanings(run: ImportRun, columns: Mapping[str, str], form: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What was chosen otherwise than guessed, of the columns that were shown."""
    meanings: dict[str, dict[str, str]] = dict(take_in.columns_of(run).meanings)  # type: ignore[arg-type]
    for name in value_tables.FIELDS[run.kind]:
        header = form.get(f"shown.{name}")
        if not header or columns.get(name) != header:
            continue
        typed = {
            word.casefold(): form[f"value.{name}.{place}"]
            for place, word in enumerate(_in_order(take_in.values_of(run, header)))
            if form.get(f"value.{name}.{place}", _guessed(run.kind, name, word)) != _guessed(run.kind, name, word)
        }
        meanings[name] = typed
    return {name: chosen for name, chosen in meanings.items() if chosen}


def mapping_facts(session: Session, run: ImportRun, columns: column_mapping.Columns) -> dict[str, Any]:
    """Return what stands on the page while columns are told apart."""
    tables = value_tables_of(run, columns)
    return {
        "in_words": partial(in_words, run.kind),
        "read_as": {table.field: {value.word: value.said for value in table.values} for table in tables},
        "headers": runs.header(run),
        "fields": column_mapping.fields(run.kind),
        "called": {name: _called(run.kind, name) for name in column_mapping.fields(run.kind)},
        "needed": column_mapping.NEEDED[run.kind],
        "constants": column_mapping.CONSTANTS[run.kind],
        "missing": column_mapping.missing(run.kind, columns),
        "shown": columns.shown(run.kind),
        "tables": tables,
        "seen": checking.preview(session, session.get_one(Clinic, run.clinic_id), run, columns),
    }


def _called(kind: str, name: str) -> str:
    """What a field is called on the page: in files of this kind, where others mean something else by it."""
    own = f"{kind}.{name}"
    return words.say("import_fields", own if own in words.table_of("import_fields") else name)


def in_words(kind: str, *faults: str) -> str:
    """Return what is wrong with a row, its fields as the page calls them: "Birth date: expected a date such as ..."."""
    return "; ".join(_fault_in_words(kind, fault) for fault in faults)


def _fault_in_words(kind: str, fault: str) -> str:
    name, colon, said = fault.partition(": ")
    return f"{_called(kind, name)}: {said}" if colon and name in words.table_of("import_fields") else fault


def checked_facts(session: Session, run: ImportRun) -> dict[str, Any]:
    """Return what stands on the page once every row was looked at."""
    clinic, found, now = session.get_one(Clinic, run.clinic_id), checking.findings(run), clock.now()
    texts = first_texts.of(session, clinic, run.kind, found.first)
    return {
        "found": found,
        "unsaid": _unsaid(run),
        "in_words": partial(in_words, run.kind),
        "reasons": sorted(found.reasons.items(), key=lambda reason: (reason[1]["taken"], -reason[1]["count"])),
        "texts": [(text, times.moment(text.at, now, text.zone) if text.at else "") for text in texts],
        "scopes": [(scope, completeness.Missing(**kept)) for scope, kept in found.missing.items()],
        "share": completeness.share_of(clinic),
        "vanishing": _vanishing(session, found),
    }


def _unsaid(run: ImportRun) -> list[str]:
    """What no column of patients says, and is therefore taken to be so of everybody new."""
    said = take_in.columns_of(run)
    every = ("consent", "language") if run.kind == "patients" else ()
    return [name for name in every if name not in said.columns and name not in said.constants]


def _vanishing(session: Session, found: checking.Findings) -> list[tuple[Patient, str, Appointment]]:
    ids = [UUID(each) for each in found.missing.get("clinic", {}).get("gone", ())[:MISSING_SHOWN]]
    rows = session.execute(
        select(Patient, Appointment)
        .join(Appointment, Appointment.patient_id == Patient.id)
        .where(Appointment.id.in_(ids))
        .order_by(Appointment.starts_at, Appointment.id)
    ).all()
    return [(patient, times.moment(visit.starts_at, clock.now(), visit.zone), visit) for patient, visit in rows]


def _unworded(tally: Mapping[str, int]) -> list[str]:
    """Which languages of the file have no texts, and whether a code is one that nobody here knows, in words."""
    return [
        words.say(
            "importing",
            "unknown_language" if languages.name(code) == code else "unworded",
            language=languages.name(code),
            count=f"{count:,}",
        )
        for code, count in csv_import.unworded(tally).items()
    ]


def run_facts(session: Session, run: ImportRun) -> dict[str, Any]:
    """Return what stands on the page of a file that is being looked at or imported."""
    left = runs.left(run, clock.now())
    through = run.parts_checked if run.state == "checking" else run.parts_done
    return {
        "in_words": partial(in_words, run.kind),
        "percent": 100 * through // max(run.parts, 1),
        "left": times.length(left) if left else None,
        "unworded": _unworded(run.tally or checking.findings(run).tally),
        "wrong": list(runs.wrong(session, run, SHOWN)),
        "refresh": REFRESH_SECONDS if run.state in runs.WAITING else None,
    }
