"""The clinic's own words over the shipped ones: what a text says, what may not be published, the words as a file."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from config import logging, runtime
from messaging import phone
from messaging.models import Clinic
from messaging.versions import publishing, toml_positions, toml_values
from messaging.versions.field_labels import Names
from messaging.versions.publishing import Definition, Problem, Refused
from messaging.wording import clinic_names, proofreading, situations, text_templates

KIND = "words"
_HEADER = re.compile(r"\s*\[\s*(?:[\w-]+\s*\.\s*)*([\w-]+)\s*\]")
# As long as the token of a real link, so that parts are counted right.
_LINK = "/i/8Zr2kQ0v9mT3yX5wB7nC1dFgHj"


@dataclass(frozen=True)
class Words:
    """What one clinic says: its own text where it has published one, else the shipped one."""

    own: Mapping[str, Mapping[str, str]]

    def text(self, key: str, language: str) -> str:
        """Return a text with its places, in `language` or in English where we have no other. Raises KeyError."""
        spoken = text_templates.spoken(language)
        return self.own.get(spoken, {}).get(key) or text_templates.texts(spoken)[key]

    def say(self, key: str, language: str, values: Mapping[str, str]) -> str:
        """Return a text filled in. Raises BadTemplate where not even the shipped words can be filled."""
        return text_templates.render(self.template(key, language, values), values)

    def template(self, key: str, language: str, values: Mapping[str, str]) -> str:
        """Return the text that `say` fills in with these values.

        Words that were published before a place was taken away, or that speak of a visit "today" on another day, must
        not cost the patient the text: then the shipped ones leave.
        """
        text = self.text(key, language)
        try:
            text_templates.render(text, values)
        except text_templates.BadTemplate:
            logging.logger().error("the clinic's words cannot be filled in", text=key)
            return text_templates.texts(language)[key]
        return text if situations.right_on(key, text, values.get("day", "")) else text_templates.texts(language)[key]


def of(session: Session, clinic_id: UUID) -> Words:
    """Return the clinic's words; asked of the database once in a unit of work."""
    by_clinic: dict[UUID, Words] = session.info.setdefault(KIND, {})
    if clinic_id not in by_clinic:
        version = publishing.live(session, clinic_id, KIND)
        by_clinic[clinic_id] = Words(version.definition if version else {})
    return by_clinic[clinic_id]


def sample(clinic: Clinic | None, language: str) -> dict[str, str]:
    """Return what a made-up patient's texts are filled with; without a clinic, of a made-up clinic."""
    named = {
        "clinic": clinic_names.in_texts(clinic, language) if clinic else "Cedar Clinic",
        "clinic_phone": phone.display(clinic.phone if clinic else "+13035550101"),
        "link": f"{runtime.settings().public_url}{_LINK}" if clinic else f"https://clinic.example{_LINK}",
    }
    return situations.sample(language) | named


def read(definition: Mapping[str, Any]) -> Definition:
    """Return the clinic's words in their full form: by language and key, only those that differ. Raises Refused.

    They stand as they would be sent: one kind of line end, no typographic or invisible characters.
    """
    problems: list[Problem] = []
    kept: Definition = {language: {} for language in text_templates.LANGUAGES}
    for language, texts in definition.items():
        if language not in text_templates.LANGUAGES or not isinstance(texts, Mapping):
            expected = f"expected one of {', '.join(text_templates.LANGUAGES)}, each with texts"
            problems.append(Problem(str(language)[:40], expected))
            continue
        for key, text in texts.items():
            if key not in situations.every():
                problems.append(Problem(f"{language}.{str(key)[:40]}", "there is no such text"))
            elif not isinstance(text, str):
                problems.append(Problem(f"{language}.{key}", "expected a text"))
            elif (tidy := proofreading.tidy(_visible(text))) != text_templates.texts(language)[key]:
                kept[language][key] = tidy
    if problems:
        raise Refused(problems)
    order = list(situations.every())
    return {
        language: dict(sorted(kept[language].items(), key=lambda entry: order.index(entry[0]))) for language in kept
    }


def _visible(text: str) -> str:
    """A text without what no phone shows; a tab is a space."""
    spaced = text.replace("\t", " ")
    return "".join(
        character
        for character in spaced
        if character in "\r\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
    )


def present(session: Session, clinic: Clinic) -> Definition:
    """Return the clinic's own words in force; where it has none, those languages are empty."""
    own = of(session, clinic.id).own
    return {language: dict(own.get(language, {})) for language in text_templates.LANGUAGES}


def check(_session: Session, clinic: Clinic, definition: Mapping[str, Mapping[str, str]]) -> list[Problem]:
    """Return what may not be published, each problem at its text."""
    return problems(clinic, definition)


def problems(clinic: Clinic | None, definition: Mapping[str, Mapping[str, str]]) -> list[Problem]:
    """Return what no clinic may text, without asking the database."""
    return [
        Problem(f"{language}.{key}", written(problem))
        for language, texts in definition.items()
        for key, text in texts.items()
        if key in situations.every()
        for problem in situations.check(situations.every()[key], text, sample(clinic, language))
    ]


def written(problem: text_templates.Problem) -> str:
    """Return a problem of a text in one line, with the word and where it stands."""
    where = f"“{problem.word}” (character {problem.start + 1}) " if problem.word else ""
    return where + problem.message


def silences(old: Definition, new: Definition) -> list[str]:
    """Return each change of what somebody in a crisis is told: it takes two people."""
    return [
        f"{'English' if language == 'en' else 'Spanish'}: “{situation.name}” changes"
        for language in text_templates.LANGUAGES
        for key, situation in situations.every().items()
        if situation.crisis and old.get(language, {}).get(key) != new.get(language, {}).get(key)
    ]


def _take_effect(session: Session, clinic: Clinic, _definition: Definition, _actor: str) -> None:
    session.info.get(KIND, {}).pop(clinic.id, None)


def _names(_session: Session, _clinic: Clinic, names: Names) -> Names:
    named = {
        key: f"“{situation.name}” ({situation.group[:1].lower()}{situation.group[1:]})"
        for key, situation in situations.every().items()
    }
    return names.also({(language, key): label for language in text_templates.LANGUAGES for key, label in named.items()})


WORDS = publishing.Kind(
    KIND,
    read=read,
    present=present,
    check=check,
    silences=silences,
    take_effect=_take_effect,
    names=_names,
    texts_patients=lambda old, new: old != new,
    shipped=lambda: {language: {} for language in text_templates.LANGUAGES},
)


def toml(definition: Mapping[str, Mapping[str, str]]) -> str:
    """Return the clinic's words as the text of a file that `parse` reads."""
    lines: list[str] = []
    for language in text_templates.LANGUAGES:
        lines += ["", f"[{language}]"]
        lines += toml_values.fields(definition.get(language, {}))
    return "\n".join(lines[1:]) + "\n"


def parse(text: str) -> Definition:
    """Return the words of a TOML file's text. Raises Refused with every problem and its line: form and words alike."""
    try:
        mapping = toml_positions.read(text)
    except toml_positions.NotToml as broken:
        raise Refused([broken.problem]) from None
    try:
        definition = read(mapping)
    except Refused as wrong:
        raise Refused(with_lines(wrong.problems, text)) from None
    return definition


def with_lines(found: list[Problem], text: str) -> list[Problem]:
    """Return problems with the lines of the file in which their texts stand."""
    return [Problem(problem.field, problem.message, _line_of(problem.field, text)) for problem in found]


def _line_of(field: str, text: str) -> int | None:
    """The line of "en.help" in a file laid out as `toml` does it, of its table where the text is written elsewhere."""
    table, _, key = field.partition(".")
    begins = None
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header and begins:
            break
        if header and header[1] == table:
            begins = number
        elif begins and key and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line):
            return number
    return begins
