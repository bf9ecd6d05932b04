"""The carrier reads single words, in any case, and nothing else."""

import pytest

from simulator import keywords


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        *((word, "STOP") for word in ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"]),
        *((word, "START") for word in ["START", "YES", "UNSTOP"]),
        *((word, "HELP") for word in ["HELP", "INFO"]),
        (" stop\n", "STOP"),
        ("Yes", "START"),
        ("stop it", None),
        ("STOP.", None),
        ("opt out", None),
        ("y", None),
        ("", None),
    ],
)
def test_only_the_exact_word_counts(body: str, kind: str | None) -> None:
    assert keywords.read(body) == kind
