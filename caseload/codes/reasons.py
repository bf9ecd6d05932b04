"""The words for what the code engine warns of and refuses."""

import tomllib
from functools import cache
from importlib import resources

from messaging.reasons import Reason, Sentences


@cache
def sentences() -> Sentences:
    """Return the sentences, from texts/reasons.toml."""
    file = resources.files("caseload.codes").joinpath("texts/reasons.toml")
    return Sentences.of(tomllib.loads(file.read_text(encoding="utf-8")))


def words(reason: Reason) -> str:
    """Return the reason as `warmthread explain codes` says it: "1 unit above the payer's limit"."""
    return sentences().words(reason)
