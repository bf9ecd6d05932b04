"""Commands for words to patients: check the shipped ones, every clinic's own, or a file before it is live."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from config import db
from config.settings import SettingsError
from messaging.models import REAL, Clinic
from messaging.versions import publishing
from messaging.wording import clinic_words, situations, text_templates
from service.cli import opening
from service.cli.tables import as_json, say, show

PROBLEMS = 3
Rows = list[dict[str, Any]]


@click.group()
def templates() -> None:
    """Words to patients."""


@templates.command("check")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def check(file: Path | None, json_: bool) -> None:
    """Check the shipped texts and each clinic's words, or those of FILE: what may not be texted, places, length.
    Exit 3.
    """
    rows = _of_file(file) if file else [*_shipped(), *_of_clinics()]
    show(rows, json_=json_, empty="No text says what it must not.")
    if rows:
        say(f"{len(rows)} to be put right.")
        raise click.exceptions.Exit(PROBLEMS)


def _shipped() -> Rows:
    ours = {language: dict(text_templates.texts(language)) for language in text_templates.LANGUAGES}
    problems = clinic_words.problems(None, ours)
    # Texts to staff stand in no situation; what they may not say is the same.
    problems += [
        publishing.Problem(f"{language}.{key}", clinic_words.written(problem))
        for language, texts in ours.items()
        for key, text in texts.items()
        if key not in situations.every()
        for problem in text_templates.lint(text)
    ]
    return _rows("shipped", problems)


def _of_clinics() -> Rows:
    try:
        opening.begin()
    except SettingsError:
        say("There are no settings here, so no clinic's own words were looked at.")
        return []
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return [
            row
            for clinic in session.scalars(select(Clinic).where(REAL).order_by(Clinic.name))
            for row in _rows(clinic.name, clinic_words.problems(clinic, clinic_words.present(session, clinic)))
        ]


def _of_file(file: Path) -> Rows:
    try:
        text = file.read_text("utf-8-sig")
        problems = clinic_words.with_lines(clinic_words.problems(None, clinic_words.parse(text)), text)
    except publishing.Refused as wrong:
        problems = wrong.problems
    except UnicodeDecodeError:
        problems = [publishing.Problem("", "not a text in UTF-8")]
    return _rows(file.name, problems)


def _rows(where: str, problems: Sequence[publishing.Problem]) -> Rows:
    return [
        {"where": where, "line": problem.line, "text": problem.field, "problem": problem.message}
        for problem in problems
    ]
