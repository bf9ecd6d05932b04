"""`warmthread explain`: what the pure rules say, JSON Lines in, JSON Lines out, never touching a database."""

import json
import sys
from collections.abc import Callable
from typing import Any

import click

from caseload.codes import explaining as codes_explaining
from caseload.measures import explaining as measures_explaining
from intake_links import scoring
from interchange import explaining as interchanging
from messaging.reading import authorship, read_reply
from messaging.second_reading import hearing, standing
from messaging.wording import text_templates
from reminders.cadence import explaining

Explanation = Callable[[dict[str, Any]], dict[str, Any]]


@click.group()
def explain() -> None:
    """Explain texts, scores, segments, plans, codes and measures: JSON Lines in, JSON Lines out."""


def _lines(explanation: Explanation) -> None:
    # Bytes: a wrong byte is the mistake of one line, and only a line feed ends it. A blank line is a line too, and
    # gets its own answer, so that the n-th answer belongs to the n-th line.
    for line in sys.stdin.buffer:
        sys.stdout.write(json.dumps(_one(explanation, line), ensure_ascii=True) + "\n")
        sys.stdout.flush()


def _one(explanation: Explanation, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_once)
    except UnicodeDecodeError:
        return {"error": "this line is not written in UTF-8"}
    except _Twice as twice:
        return {"error": f"a field stands there twice: {twice}"}
    except (ValueError, RecursionError):
        return {"error": "this line is not JSON"}
    if not isinstance(record, dict):
        return {"error": "a line must be a JSON object"}
    return explanation(record)


class _Twice(Exception):
    """A name that an object holds twice; which of the two was meant nobody knows."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1)[:40])
    return record


def explain_text(record: dict[str, Any]) -> dict[str, Any]:
    """Return how a text is read as a reply while one visit awaits an answer; `quotes` are texts sent to its number."""
    text, language, quotes = record.get("text"), record.get("language"), record.get("quotes", [])
    if not isinstance(text, str) or set(record) - {"text", "language", "quotes"}:
        return {"error": "text must be a string, language and quotes may be there; nothing else is read"}
    if language is not None and not isinstance(language, str):
        return {"error": "language must be a string"}
    if not isinstance(quotes, list) or not all(isinstance(quote, str) for quote in quotes):
        return {"error": "quotes must be a list of strings"}
    authored = authorship.read(text, lambda: quotes)
    read = read_reply.read(authored.words, language, awaiting=True)
    reading = {"consent": read.consent, "answer": read.answer, "why": list(read.why)}
    tier = _tier(read, authored.words, language)
    return {"text": text, **tier, **reading, "kind": authored.kind, "topics": list(read.topics)}


def _tier(read: read_reply.Reading, words: str, language: str | None) -> dict[str, Any]:
    """What both readers say together, as at a clinic that has signed the second one off."""
    heard = hearing.hear(words, language) if words.strip() else hearing.Heard(None)
    judged = hearing.judge(read, heard, standing.Standing(standing.Terms(), acts=True), free=read.content)
    said = heard.likeness
    return {
        "crisis": judged.verdict.tier == "crisis",
        "worry": judged.verdict.tier is not None,
        "tier": judged.verdict.tier,
        "tier_why": list(judged.verdict.reasons),
        "reader": said.band if said else None,
        "reading_off": heard.off,
        "versions": {"rules": read.version, "weights": said.version if said else None},
    }


def explain_segments(record: dict[str, Any]) -> dict[str, Any]:
    """Return what a text costs."""
    text = record.get("text")
    if not isinstance(text, str) or set(record) - {"text"}:
        return {"error": "text must be a string; nothing else is read"}
    cost = text_templates.segments(text)
    return {"encoding": cost.encoding, "segments": cost.segments, "units": cost.units}


@explain.command("text")
def text() -> None:
    """{"text", "language"?, "quotes"?} -> crisis, worry, tier and why, consent, answer, why, kind, topics, versions."""
    _lines(explain_text)


@explain.command("score")
def score() -> None:
    """{"instrument", "answers", "sex"?} -> total, band, positive, missing, alerts."""
    _lines(scoring.explain)


@explain.command("segments")
def segments() -> None:
    """{"text"} -> encoding, segments, units."""
    _lines(explain_segments)


@explain.command("plan")
def plan() -> None:
    """{"visit_at", "zone", "booked_at", "patient_zone"?, "language"?, "place"?, "kind"?,
    "first_visit"?, "cadence"?} -> the steps, when and why.
    """
    _lines(explaining.explain)


@explain.command("codes")
def codes() -> None:
    """{"month", "zone", "first_month", "consent_at"?, "discharged_at"?, "away"?, "payer"?, "setting"?, "program"?,
    "apcm_base"?, "biller"?, "entries"} -> minutes, excluded, codes, choices, to_next, warnings.
    """
    _lines(codes_explaining.explain)


@explain.command("measures")
def measures() -> None:
    """{"month", "zone", "patients"} -> New York State's measures 1 to 8, by their numbers."""
    _lines(measures_explaining.explain)


@explain.command("hl7")
def hl7() -> None:
    """{"message", "profile"?} -> ack, control_id, acts, problems; nothing is stored."""
    _lines(interchanging.hl7)


@explain.command("fhir")
def fhir() -> None:
    """{"resource", "profile"?} -> ack, acts, problems; nothing is stored."""
    _lines(interchanging.fhir)
