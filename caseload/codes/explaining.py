"""`warmthread explain codes`: a patient's month as JSON in, its minutes and codes with every reason out. Pure."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, field_validator

from caseload import fields, months
from caseload.codes import combining, minutes, proposing, reasons, reckoning, tables

MEDICARE: Literal["medicare"] = "medicare"
# How a line calls its patient where every entry names one.
THE_PATIENT = "p"
ENDS_FIRST = "the end is before the start"


class _Entry(fields.Line):
    start: fields.Instant
    end: fields.Instant
    person: fields.Name
    patient: fields.Name | None = None
    role: minutes.Role = "care_manager"

    @field_validator("end")
    @classmethod
    def _ends_last(cls, end: Any, info: ValidationInfo) -> Any:
        if "start" in info.data and end < info.data["start"]:
            raise ValueError(ENDS_FIRST)
        return end


def _in_order(stay: tuple[Any, Any]) -> tuple[Any, Any]:
    if stay[1] < stay[0]:
        raise ValueError(ENDS_FIRST)
    return stay


Stay = Annotated[tuple[fields.Instant, fields.Instant], Field(strict=False), AfterValidator(_in_order)]
# The tags are left out of what a mistake's field is called.
Payer = Annotated[
    Annotated[Literal["medicare"], Tag(fields.TAGS[0])] | Annotated[tables.Style, Tag(fields.TAGS[1])],
    Discriminator(lambda value: fields.TAGS[isinstance(value, dict)]),
]


class _Line(fields.Line):
    month: fields.Month
    zone: fields.Zone
    first_month: bool
    consent_at: fields.Instant | None = None
    discharged_at: fields.Instant | None = None
    away: list[Stay] = []
    payer: Payer = MEDICARE
    # Since 2026 health centers bill the same codes as physicians; what ended before is told by `combining`.
    setting: combining.Setting = "physician"
    program: proposing.Program = "cocm"
    apcm_base: Literal["G0556", "G0557", "G0558"] | None = None
    biller: proposing.Biller = "physician"
    entries: list[_Entry]

    @field_validator("biller")
    @classmethod
    def _bills_this(cls, biller: proposing.Biller, info: ValidationInfo) -> proposing.Biller:
        if biller != "physician" and info.data.get("program") == "cocm":
            raise ValueError('Collaborative Care is billed by a physician; expected "physician", or program "bhi"')
        if biller in ("psychologist", "social_worker") and info.data.get("apcm_base") is not None:
            raise ValueError("who bills advanced primary care management is a physician")
        return biller


def explain(record: Mapping[str, object]) -> dict[str, Any]:
    """The answer of `warmthread explain codes`: {"minutes", "excluded", "codes", "choices"?, "to_next"?, "warnings"},
    or {"error": "..."} with the field that is wrong. docs/caseload.md tells each. Whatever it holds, nothing is raised.
    """
    try:
        line = fields.read(_Line, record)
    except fields.BadLine as wrong:
        return {"error": str(wrong)}
    return as_json(reckoning.reckon(_entries(line), _asked(line)))


def as_json(month: reckoning.Reckoning) -> dict[str, Any]:
    """Return a reckoned month as JSON has it; "choices" and "to_next" only where there are any."""
    proposal = month.proposal
    answer: dict[str, Any] = {
        "minutes": month.count.minutes,
        "excluded": [{"minutes": each, "why": why} for why, each in month.count.excluded.items()],
        "codes": _units(proposal.codes),
    }
    if proposal.choices:
        answer["choices"] = [_units(choice) for choice in proposal.choices]
    if proposal.to_next:
        answer["to_next"] = {"code": proposal.to_next.code, "minutes": proposal.to_next.minutes}
    return answer | {"warnings": [reasons.words(warning) for warning in proposal.warnings]}


def _units(codes: Sequence[proposing.Units]) -> list[dict[str, Any]]:
    return [{"code": each.code, "units": each.units} for each in codes]


def _entries(line: _Line) -> list[minutes.Entry]:
    return [
        minutes.Entry(entry.start, entry.end, entry.person, entry.patient or "", entry.role) for entry in line.entries
    ]


def _patient(entries: Sequence[_Entry]) -> str:
    """Whose line it is: of the patient whom entries do not name; where all name one, of "p", else of the first."""
    named = [entry.patient or "" for entry in entries]
    return next((name for name in ("", THE_PATIENT) if name in named), named[0] if named else "")


def _asked(line: _Line) -> reckoning.Asked:
    known = tables.payers()[MEDICARE]
    style = line.payer if isinstance(line.payer, tables.Style) else None
    return reckoning.Asked(
        month=line.month,
        bounds=minutes.Bounds(
            month=months.span(line.month, line.zone),
            consent_at=line.consent_at,
            discharged_at=line.discharged_at,
            away=tuple(line.away),
        ),
        payer=MEDICARE,
        tables=[style.over(table) for table in known] if style else known,
        first_month=line.first_month,
        patient=_patient(line.entries),
        program=line.program,
        apcm_base=line.apcm_base,
        biller=line.biller,
    )
