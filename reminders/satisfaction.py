"""What a clinic asks of how it did, and who reads the answers: one of its decisions, off until it is published.

The wording that ships is our own. Patient satisfaction instruments that others own (CSQ) take a fee for each use and a
licence, so none of their words stand here.
"""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Any

import pydantic
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.models import Clinic
from messaging.versions import publishing
from messaging.versions.models import Version

NAME = "satisfaction"
LANGUAGES = ("en", "es")
PLACES = ("first", "second", "third")
VALUES = (1, 2, 3, 4, 5)
LONGEST = 160
EXPECTED = {
    "bool_type": "yes or no",
    "bool_parsing": "yes or no",
    "int_type": "a whole number of days",
    "int_parsing": "a whole number of days",
    "greater_than_equal": "at least one day",
    "less_than_equal": "at most 30 days",
    "string_type": "words",
    "string_too_long": f"at most {LONGEST} letters",
    "extra_forbidden": "unknown",
}
Words = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, max_length=LONGEST)]


@dataclass(frozen=True)
class Question:
    """A question in each language. `id` is that of its words: with other words it is another question, with a mean of
    its own."""

    en: str
    es: str

    @property
    def id(self) -> str:
        """Eight hexadecimal digits."""
        return hashlib.sha256(f"{self.en}\n{self.es}".encode()).hexdigest()[:8]

    def said(self, language: str) -> str:
        """Its words in a language; in English where it has none in that."""
        return self.es if language == "es" else self.en


class Terms(pydantic.BaseModel):
    """Whether patients are asked, how many days after a discharge, whether their care team reads it by name, and the
    words in English and Spanish: three questions at most, and what stands over the free text."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    asks: bool = False
    after_days: Annotated[int, Field(ge=1, le=30)] = 7
    named: bool = False
    first_en: Words = "Did you feel that we listened to you?"
    first_es: Words = "¿Sintió que le escuchamos?"
    second_en: Words = "Was it easy to get help from us when you needed it?"
    second_es: Words = "¿Le fue fácil recibir nuestra ayuda cuando la necesitó?"
    third_en: Words = "Did our care help you with what matters to you?"
    third_es: Words = "¿Le ayudó nuestra atención con lo que más le importa?"
    free_en: Words = "Is there something you want to tell us?"
    free_es: Words = "¿Hay algo que nos quiera decir?"

    @property
    def questions(self) -> list[Question]:
        """The questions that have words, in their order."""
        return [question for place in PLACES if (question := self.question(place)).en]

    def question(self, place: str) -> Question:
        """The question at a place of PLACES, or "free"."""
        return Question(getattr(self, f"{place}_en"), getattr(self, f"{place}_es"))


@cache
def form_words(language: str) -> Mapping[str, str]:
    """Return what the form says beside the clinic's questions; the marks stand under "1" to "5"."""
    text = resources.files("reminders").joinpath("texts/satisfaction.toml").read_text(encoding="utf-8")
    every: Mapping[str, Mapping[str, str]] = tomllib.loads(text)
    return every[language]


def of_clinic(clinic: Clinic) -> Terms:
    """Return the terms that hold; a clinic that has decided nothing asks nobody."""
    return Terms.model_validate(clinic.rules.get(NAME, {}))


def ever_asked(session: Session, clinic: Clinic) -> dict[str, Question]:
    """Return by id the questions that stand now, in their order, and then every other that was ever published here."""
    published = select(Version.definition).where(
        Version.clinic_id == clinic.id, Version.kind == NAME, Version.number.is_not(None)
    )
    every = [of_clinic(clinic), *map(Terms.model_validate, session.scalars(published.order_by(Version.number.desc())))]
    return {question.id: question for terms in every for question in terms.questions}


def read(definition: Mapping[str, Any]) -> publishing.Definition:
    """Bring a definition into its full form. Raises Refused, each mistake at its field."""
    full = publishing.reading(Terms, EXPECTED)(definition)
    problems = [*_in_one_language(full), *_nothing_to_ask(full), *_said_twice(full)]
    if problems:
        raise publishing.Refused(problems)
    return full


def _in_one_language(full: publishing.Definition) -> list[publishing.Problem]:
    """Whoever is asked in Spanish is asked the same."""
    return [
        publishing.Problem(f"{place}_{language}", "give it in both languages, or in neither")
        for place in (*PLACES, "free")
        for language, other in (LANGUAGES, LANGUAGES[::-1])
        if full[f"{place}_{other}"] and not full[f"{place}_{language}"]
    ]


def _nothing_to_ask(full: publishing.Definition) -> list[publishing.Problem]:
    asked = any(full[f"{place}_en"] for place in PLACES)
    return [] if asked or not full["asks"] else [publishing.Problem("first_en", "nobody can be asked nothing")]


def _said_twice(full: publishing.Definition) -> Sequence[publishing.Problem]:
    said = [full[f"{place}_en"].casefold() for place in PLACES]
    return [
        publishing.Problem(f"{place}_en", "the same question stands above")
        for number, place in enumerate(PLACES)
        if said[number] and said[number] in said[:number]
    ]


def _present(_session: Session, clinic: Clinic) -> publishing.Definition:
    return of_clinic(clinic).model_dump(mode="json")


def _take_effect(_session: Session, clinic: Clinic, definition: publishing.Definition, _actor: str) -> None:
    clinic.rules = {**clinic.rules, NAME: definition}


def _texts_patients(old: publishing.Definition, new: publishing.Definition) -> bool:
    """Whether people are texted who were not before: that takes a reason."""
    return bool(new["asks"]) and not old["asks"]


SATISFACTION = publishing.Kind(
    NAME,
    read=read,
    present=_present,
    take_effect=_take_effect,
    model=Terms,
    texts_patients=_texts_patients,
    shipped=lambda: Terms().model_dump(mode="json"),
)
