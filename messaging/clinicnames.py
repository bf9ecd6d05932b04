"""What a clinic is called in texts to patients: by the name it chose for them, and never by one that tells a specialty."""

from functools import lru_cache

from messaging import wording
from messaging.models import Clinic

RULE = "text_name"


def in_texts(clinic: Clinic, language: str) -> str:
    """Return the clinic's name as a text in `language` may say it."""
    return choose(clinic.rules.get(RULE, ""), clinic.name, language)


def choose(text_name: str, name: str, language: str) -> str:
    """Return the name for texts, else the clinic's own; where either says too much, words that name no clinic."""
    wanted = text_name or name
    return wanted if tells_nothing(wanted) else wording.unnamed(language)


@lru_cache(maxsize=1024)
def tells_nothing(value: str) -> bool:
    """Whether a value may be filled into a text: it is held to what the text itself is (see wording.lint)."""
    return not wording.lint(value)
