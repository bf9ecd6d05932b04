"""The evidence of one episode's month as a sheet to print: each minute from when to when, and what stands behind it."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from intake_links import scoring
from records.paper import Sheet
from web import times, words

Document = Mapping[str, Any]
SECTIONS = ("month", "log", "consent", "scores", "reviews", "changes", "stays", "plan", "missing")


def sheet(document: Document, clinic: str, codes: str, made: str) -> Sheet:
    """Return the evidence (caseload.codes.evidence) in words; `document` has "patient", "record", "closed_at",
    "closed_by" (None while the month is open) and "changed" (None, or in words what is otherwise by now) beside it.

    `codes` are those of the month as a biller writes them, `made` says who made the sheet and when.
    """
    lines = {
        "month": _month(document, codes),
        "log": [_entry(entry) for entry in document["log"]],
        "consent": _consent(document),
        "scores": [_score(score) for score in document["scores"]],
        "reviews": [_review(review) for review in document["reviews"]],
        "changes": [f"{_day(each['on'])}: {_said(each['change'])}" for each in document["plan_changes"]],
        # A month that was closed before stays were written into its evidence has none.
        "stays": [_stay(stay) for stay in document.get("stays", [])],
        "plan": _people(document),
        "missing": [words.say("care_missing", name) for name in document["missing"]],
    }
    sections = [(words.say("care_evidence", key), lines[key] or [words.say("summary", "none")]) for key in SECTIONS]
    name = " · ".join(filter(None, (document["patient"], _said("record", of=document["record"] or ""))))
    return Sheet(name, clinic, made, sections)


def _said(key: str, **facts: Any) -> str:
    return words.say("care_evidence", key, **facts)


def _month(document: Document, codes: str) -> list[str]:
    counted = _said("counted", month=document["month"], minutes=document["minutes"], codes=codes)
    excluded = [words.say("care_excluded", each["why"], minutes=each["minutes"]) for each in document["excluded"]]
    closed_at, closed_by = document["closed_at"], document["closed_by"]
    closed = [_said("closed", at=_moment(closed_at), who=closed_by)] if closed_at else []
    changed = [document["changed"]] if document["changed"] else []
    return [
        counted,
        *excluded,
        *closed,
        *changed,
        _said("version", version=document["version"] or words.say("care", "no_code")),
    ]


def _entry(entry: Document) -> str:
    start, end = (datetime.fromisoformat(entry[edge]) for edge in ("start", "end"))
    minutes, seconds = divmod(int(entry["counted_seconds"]), 60)
    counted = _said("seconds" if seconds else "whole", minutes=minutes, seconds=seconds)
    late = [_said("late", at=_moment(entry["recorded_at"]))] if entry["late"] else []
    span = f"{times.date_of(start.date())} {times.clock_time(start)} – {times.clock_time(end)}"
    return _joined([span, entry["person"], words.say("care_kinds", entry["activity"]), counted, *late])


def _consent(document: Document) -> list[str]:
    consent, visit = document["consent"], document["initiating_visit"]
    said = []
    if consent:
        told = [_said("cost_told")] if consent["cost_sharing_told"] else []
        how = words.say("care_consents", consent["how"])
        said.append(_joined([_moment(consent["at"]), how, _said("asked_by", who=consent["by"]), *told]))
    if visit:
        said.append(_said("initiating", on=_day(visit["on"]), code=visit["code"]))
    return said


def _score(score: Document) -> str:
    return f"{_day(score['on'])}: {scoring.instrument(score['scale']).title} {score['total']}"


def _review(review: Document) -> str:
    outcome = [words.say("care_standings", review["outcome"])] if review["outcome"] else []
    return _joined([_day(review["on"]), review["recommendation"] or _said("go_on"), *outcome])


def _stay(stay: Document) -> str:
    told, said = _said("stay_told", feed=stay["told_by"], lasts=_lasts(stay["told"])), stay["corrected"]
    if not said:
        return told
    corrected = _said("corrected", who=said["by"], at=_moment(said["at"]), why=said["reason"])
    return _joined([_lasts(stay["holds"]), corrected, told])


def _lasts(edges: list[str | None] | None) -> str:
    if edges is None:
        return _said("no_stay")
    begins, ends = (_moment(edge) if edge else "" for edge in edges)
    return _said("stay" if ends else "stay_open", begins=begins, ends=ends)


def _people(document: Document) -> list[str]:
    facts = {
        "practitioner": document["practitioner"],
        "consultant": document["consultant"],
        "diagnoses": ", ".join(document["diagnoses"]),
    }
    return [_said(key, what=what) for key, what in facts.items() if what]


def _day(iso: str) -> str:
    return times.date_of(date.fromisoformat(iso))


def _moment(iso: str) -> str:
    at = datetime.fromisoformat(iso)
    return f"{times.date_of(at.date())} {times.clock_time(at)}"


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(filter(None, parts))
