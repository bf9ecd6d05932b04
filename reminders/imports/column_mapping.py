"""Which column of somebody's file means what: guessed from its headers, chosen by a human,
applied to each row. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reminders.imports import column_names, dates, person_names

# The kinds of file that the page takes.
KINDS = ("patients", "appointments", "caseload")
NEEDED = {
    "patients": ("record", "first_name", "last_name", "phone"),
    "appointments": ("visit", "patient", "starts_at"),
    "caseload": ("enrolled_on", "consent", "cost_told", "manager", "clinician", "payer"),
}
# What other columns together give just as well.
INSTEAD = {"first_name": ("full_name",), "last_name": ("full_name",), "starts_at": ("start_day", "start_hour")}
PARTS = ("full_name", "start_day", "start_hour")
# What a whole file may have in common, so that it needs no column.
CONSTANTS = {
    "patients": ("language", "zone", "panel"),
    "appointments": ("zone", "place", "clinician", "kind"),
    "caseload": ("consent", "cost_told", "manager", "clinician", "consultant", "payer", "scale"),
}
MOMENTS = ("starts_at", "booked_at")
DATED = (
    *MOMENTS,
    "birth_date",
    "enrolled_on",
    "consent_on",
    "first_on",
    "last_on",
    "plan_on",
    "check_on",
    "ended_on",
)
# As the file writes its days: 2026-03-10 or 3/10/2026, or 10/3/2026.
ORDERS = ("month_first", "day_first")


@dataclass(frozen=True)
class Columns:
    """By each of our fields the header it is read from, or the value that all rows share; how days are written; and by
    field what words of the file mean (the word in small letters, our value)."""

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    order: str = "month_first"
    meanings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def values(self, by_header: Mapping[str, str]) -> dict[str, str]:
        """Return a row's values by our fields; `by_header` has them by header, in small letters."""
        read = {name: by_header.get(header.strip().casefold(), "") for name, header in self.columns.items()}
        read = self._moment_joined(self._name_split(read))
        read |= {name: value for name, value in self.constants.items() if not read.get(name)}
        read |= {name: self._meant(name, read[name]) for name in self.meanings if name in read}
        return {name: self._dated(name, value) if name in DATED else value for name, value in read.items()}

    def shown(self, kind: str) -> tuple[str, ...]:
        """Return the fields that a row has a value for, as it is read."""
        return tuple(name for name in fields(kind) if name not in PARTS and self.gives(name))

    def gives(self, name: str) -> bool:
        """Whether a column, a value for all rows, or other columns together give this field."""
        instead = INSTEAD.get(name, ())
        there = bool(self.columns.get(name) or self.constants.get(name))
        return there or bool(instead and all(map(self.columns.get, instead)))

    def stored(self) -> dict[str, Any]:
        """Return what may be kept as it is; what words of the file mean is kept sealed."""
        return {"columns": dict(self.columns), "constants": dict(self.constants), "order": self.order}

    def _name_split(self, read: dict[str, str]) -> dict[str, str]:
        """One column for both names holds the whole name."""
        whole = read.pop("full_name", "")
        if self.columns.get("first_name") and self.columns.get("first_name") == self.columns.get("last_name"):
            whole = read.pop("first_name")
            del read["last_name"]
        if not whole:
            return read
        first, last = person_names.split(whole)
        return read | {"first_name": read.get("first_name") or first, "last_name": read.get("last_name") or last}

    def _moment_joined(self, read: dict[str, str]) -> dict[str, str]:
        day, hour = read.pop("start_day", ""), read.pop("start_hour", "")
        if read.get("starts_at") or not (day or hour):
            return read
        return read | {"starts_at": dates.joined(self._in_order(day), hour)}

    def _meant(self, name: str, value: str) -> str:
        return self.meanings[name].get(value.strip().casefold(), value)

    def _dated(self, name: str, value: str) -> str:
        value = self._in_order(value.strip())
        return dates.iso(value) if name in MOMENTS else value

    def _in_order(self, value: str) -> str:
        return dates.month_first(value) if self.order == "day_first" else value


def of(stored: Mapping[str, Any], meanings: Mapping[str, Mapping[str, str]] | None = None) -> Columns:
    """Return the mapping kept as `stored` (JSON), with what words of the file mean."""
    kept = stored.get("columns", {}), stored.get("constants", {}), stored.get("order", "month_first")
    return Columns(*kept, meanings or {})


def fields(kind: str) -> tuple[str, ...]:
    """Return our fields of this kind of file, the needed ones first, each beside what may stand for it."""
    names = column_names.fields(kind)
    needed = [name for needed in NEEDED[kind] for name in (needed, *INSTEAD.get(needed, ()))]
    return tuple(dict.fromkeys((*needed, *names)))


def guess(kind: str, headers: Sequence[str], remembered: Columns | None = None) -> Columns:
    """Return a mapping to begin with: what was chosen last time where those columns are there again, else by name."""
    there = {header.strip().casefold(): header for header in headers if header.strip()}
    last = remembered or Columns()
    chosen = {
        name: there[header.strip().casefold()]
        for name, header in last.columns.items()
        if header.strip().casefold() in there
    }
    if not last.columns and set(NEEDED[kind]) <= set(there):  # a file of ours
        chosen = {name: there[name] for name in fields(kind) if name in there}
    return Columns(_named(kind, list(there.values()), chosen), dict(last.constants), last.order, dict(last.meanings))


def overruled(kind: str, headers: Sequence[str], remembered: Columns | None, chosen: Columns) -> Columns:
    """Return what is guessed, with what somebody has chosen before it."""
    last = remembered or Columns()
    guessed = guess(kind, headers, last)
    taken = set(chosen.columns.values())
    columns = {name: header for name, header in guessed.columns.items() if header not in taken}
    meanings = {name: {**last.meanings.get(name, {}), **chosen.meanings.get(name, {})} for name in fields(kind)}
    return Columns(
        columns | dict(chosen.columns),
        dict(guessed.constants) | dict(chosen.constants),
        chosen.order if chosen.order != ORDERS[0] else guessed.order,
        {name: words for name, words in meanings.items() if words},
    )


def _named(kind: str, headers: Sequence[str], chosen: dict[str, str]) -> dict[str, str]:
    """Add what the headers say by themselves; no column is taken for two fields."""

    def free(*also: str | None) -> list[str]:
        return [header for header in headers if header not in (*chosen.values(), *also)]

    for name in fields(kind):
        if name not in (*PARTS, *chosen, "starts_at") and (column := column_names.find(kind, name, free())):
            chosen[name] = column
    if kind != "appointments" and not {"first_name", "last_name"} <= chosen.keys():
        whole = column_names.find(kind, "full_name", free())
        chosen |= {"full_name": whole} if whole and "full_name" not in chosen else {}
    if kind == "appointments" and not chosen.keys() & {"starts_at", "start_day", "start_hour"}:
        moment, day = (column_names.find(kind, name, free()) for name in ("starts_at", "start_day"))
        hour = column_names.find(kind, "start_hour", free(day))
        # Either half of a moment could be called one; a column that is neither of them is a whole one.
        apart = day and hour and moment in (day, hour)
        chosen |= {"start_day": day, "start_hour": hour} if apart and day and hour else {}
        chosen |= {"starts_at": moment} if moment and not apart else {}
    return chosen


def missing(kind: str, mapping: Columns) -> list[str]:
    """Return the needed fields for which there is neither a column nor a value."""
    return [name for name in NEEDED[kind] if not mapping.gives(name)]
