"""What a clinic is called in texts to patients: by the name it chose for them, never by one that tells a specialty."""

from functools import lru_cache

from messaging.models import Clinic
from messaging.wording import text_templates

RULE = "text_name"


def in_texts(clinic: Clinic, language: str) -> str:
    """Return the clinic's name as a text in `language` may say it."""
    return choose(clinic.rules.get(RULE, ""), clinic.name, language)


def choose(text_name: str, name: str, language: str) -> str:
    """Return the name for texts, else the clinic's own; where either says too much, words that name no clinic."""
    wanted = text_name or name
    return wanted if tells_nothing(wanted) else text_templates.unnamed(language)


@lru_cache(maxsize=1024)
def tells_nothing(value: str) -> bool:
    """Whether a value may be filled into a text."""
    return not telling(value)


def telling(value: str) -> list[text_templates.Problem]:
    """Find what a name or a place may not carry into a text: what the text itself may not (see wording.lint).

    "Family Medicine" names no medication, and is what many a clinic is called.
    """
    return [
        problem for problem in text_templates.lint(value) if problem.word.casefold() not in text_templates.ordinary()
    ]


def objection(name: str) -> str:
    """Return in words why no text may say this name, "" where one may."""
    return next((f"“{problem.word}” {problem.message}" for problem in telling(name)), "")
