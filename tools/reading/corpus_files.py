"""Where the invented texts stand: one file a hand, each line one text under a heading that says what it is."""

from pathlib import Path

from service.cli import tier_lines
from service.cli.tier_lines import LANGUAGES, Line

CORPUS = Path(__file__).parent / "corpus"
__all__ = ["CORPUS", "LANGUAGES", "Line", "load"]


def load(part: str, corpus: Path = CORPUS) -> list[Line]:
    """Return the lines of train, everyday, dev or sealed.

    Raises ValueError for a heading that says less than what it should.
    """
    return tier_lines.load(corpus / part)
