"""Reads a form that a vendor sends, plain JSON or a FHIR R4 QuestionnaireResponse,
so strictly that no answer is guessed. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from config import strict_json
from intake_links import scoring
from interchange.fhir import modifiers
from interchange.fhir.questionnaires import Unacceptable, answers, instrument
from messaging import phone

# A form broken off counts too: a self-harm answer alerts on a form that is never finished.
STATUSES = ("completed", "amended", "in-progress", "stopped")


@dataclass(frozen=True)
class Submission:
    """A form as it came: answers are points or None in the instrument's order;
    the patient by record number or E.164."""

    instrument: str
    answers: tuple[int | None, ...]
    record: str | None
    number: str | None
    language: str
    authored_at: datetime | None
    id: str | None


class _Strict(BaseModel):
    # Strict: Pydantic would otherwise take false for 0 and "2" for 2, and so make a score of what is none.
    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class _Who(_Strict):
    record: str | None = Field(None, min_length=1, max_length=100)
    phone: str | None = Field(None, min_length=1, max_length=40)

    @model_validator(mode="after")
    def _one_of_them(self) -> "_Who":
        if (self.record is None) == (self.phone is None):
            raise ValueError("give either record or phone")
        return self


class _Plain(_Strict):
    instrument: str = Field(max_length=40)
    answers: list[int | None] = Field(max_length=100)
    patient: _Who
    language: str = Field("en", pattern=r"^[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{2,8})*$", max_length=8)
    authored_at: AwareDatetime | None = None
    id: str | None = Field(None, min_length=1, max_length=100)


def read(body: bytes) -> Submission:
    """Return the submission in `body`. Raises Unacceptable and names each field that is wrong."""
    try:
        document = strict_json.loaded(body)
    except ValueError:
        raise Unacceptable([("", "this is not one JSON object in UTF-8 without repeated names")]) from None
    made = _fhir(document) if "resourceType" in document else _plain(document)
    try:
        scoring.score(made.instrument, made.answers)
    except scoring.UnknownInstrument as error:
        raise Unacceptable([("/instrument", str(error))]) from None
    except scoring.BadAnswer as error:
        where = "/answers" if error.index is None else f"/answers/{error.index}"
        raise Unacceptable([(where, str(error))]) from None
    return made


def _plain(document: Mapping[str, Any]) -> Submission:
    try:
        # Written anew of what was understood: two readers of the same bytes could understand two things.
        plain = _Plain.model_validate_json(json.dumps(document))
    except ValidationError as error:
        errors = error.errors(include_input=False, include_url=False, include_context=False)
        raise Unacceptable([(_pointer(problem["loc"]), problem["msg"]) for problem in errors]) from None
    return Submission(
        instrument=plain.instrument,
        answers=tuple(plain.answers),
        record=plain.patient.record,
        number=_e164(plain.patient.phone) if plain.patient.phone else None,
        language=plain.language,
        authored_at=plain.authored_at,
        id=plain.id,
    )


def _pointer(where: tuple[int | str, ...]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in where)


def _e164(raw: str) -> str:
    try:
        return phone.e164(raw)
    except phone.NotTextable as error:
        raise Unacceptable([("/patient/phone", str(error))]) from None


def _fhir(response: Mapping[str, Any]) -> Submission:
    """Read a QuestionnaireResponse (FHIR R4): items by linkId (LOINC),
    answers as valueCoding (LA code) or valueInteger."""
    if response["resourceType"] != "QuestionnaireResponse":
        raise Unacceptable([("/resourceType", "only QuestionnaireResponse is taken here")])
    if response.get("status") not in STATUSES:
        raise Unacceptable([("/status", f"must be one of {', '.join(STATUSES)}")])
    turned = modifiers.of(response)
    if turned is not None:
        raise Unacceptable([(f"/{turned}", "changes the meaning in a way that is not known here")])
    definition = instrument(response.get("questionnaire"))
    return Submission(
        instrument=definition.id,
        answers=answers(definition, response.get("item")),
        record=_text(response, ("subject", "identifier", "value"), demanded=True),
        number=None,
        language=_text(response, ("language",)) or "en",
        authored_at=_moment(_text(response, ("authored",))),
        id=_text(response, ("identifier", "value")) or _text(response, ("id",)),
    )


def _text(response: Mapping[str, Any], path: tuple[str, ...], *, demanded: bool = False) -> str | None:
    value: Any = response
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, str) and 0 < len(value) <= 100 and value.isprintable():
        return value
    if value is None and not demanded:
        return None
    raise Unacceptable([("/" + "/".join(path), "must be a printable text of 1 to 100 characters")])


def _moment(authored: str | None) -> datetime | None:
    if authored is None:
        return None
    try:
        moment = datetime.fromisoformat(authored)
    except ValueError:
        raise Unacceptable([("/authored", "is no date and time")]) from None
    return moment if moment.tzinfo else None  # FHIR allows a bare date: it says no moment
