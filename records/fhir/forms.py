"""A Questionnaire: the wording of a form as patients read it, with its codes and its licence."""

from typing import Any

from intake_links.scoring import Instrument
from records.fhir.values import LOINC, OURS, Resource, full, resource

ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
TRANSLATED = "http://hl7.org/fhir/StructureDefinition/translation"


def canonical(instrument: Instrument) -> str:
    """Return what a form is called everywhere: by its LOINC panel, else by our own name of it."""
    panel = instrument.panel_loinc
    return f"{LOINC}/q/{panel}" if panel else f"{OURS}:questionnaire:{instrument.id}"


def link_id(item: Any) -> str:
    """Return by which id a question is known in a form: its LOINC code, else ours."""
    return str(item.loinc or item.id)


def answer(item: Any, points: int, language: str = "en") -> Resource:
    """Return an answer as a coding in words of `language`; as points where no code is known."""
    chosen = next((each for each in item.answers if each.value == points), None)
    if chosen is None or chosen.loinc is None:
        return {"valueInteger": points}
    display = chosen.text.get(language, chosen.text["en"])
    return {"valueCoding": {"system": LOINC, "code": chosen.loinc, "display": display}}


def questionnaire(instrument: Instrument) -> Resource:
    """Return a form in English, with the words of its other languages beside them."""
    return resource(
        "Questionnaire",
        instrument.id.replace("_", "-"),  # an id in FHIR has letters, digits, hyphens and dots
        [],
        language="en",
        url=canonical(instrument),
        version=instrument.version,
        name=instrument.id.upper(),
        title=instrument.title,
        status="active",
        subjectType=["Patient"],
        description=instrument.stem.get("en"),
        copyright=instrument.licence["en"],
        code=[{"system": LOINC, "code": instrument.panel_loinc}] if instrument.panel_loinc else None,
        item=[_item(item) for item in instrument.items],
    )


def _item(item: Any) -> Resource:
    return full(
        {
            "linkId": link_id(item),
            "code": [{"system": LOINC, "code": item.loinc}] if item.loinc else None,
            "text": item.text["en"],
            "_text": _translations(item.text),
            "type": "choice",
            "answerOption": [_option(item, each) for each in item.answers],
        }
    )


def _translations(texts: Any) -> Resource | None:
    said = [
        {
            "url": TRANSLATED,
            "extension": [{"url": "lang", "valueCode": language}, {"url": "content", "valueString": words}],
        }
        for language, words in texts.items()
        if language != "en"
    ]
    return {"extension": said} if said else None


def _option(item: Any, each: Any) -> Resource:
    given = answer(item, each.value)
    if "valueCoding" in given:
        given["valueCoding"]["extension"] = [{"url": ORDINAL, "valueDecimal": each.value}]
    return given
