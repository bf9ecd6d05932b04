"""Takes apart a name that stands in one column: "Quill, Ana M." and "Ana Quill". Pure."""

import re

# "Moss, Jr., Cy" and "Moss Jr, Cy": it belongs to the family's name.
SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|md|phd)\.?", re.IGNORECASE)
# Nobody is greeted by it: "Ana M." is Ana.
INITIAL = re.compile(r"\b[^\W\d_]\.?")
ASIDE = re.compile(r"\s*(?:\([^)]*\)|\"[^\"]*\")")


def split(whole: str) -> tuple[str, str]:
    """Return the first and the last name.

    Before a comma stands the family's name. Without one the first word is the first name: texts greet by it, and of
    "María López García" two words are the family's.
    """
    plain = " ".join(ASIDE.sub("", whole).split())
    family, *given = [part.strip() for part in plain.split(",")]
    suffixes = [part for part in given if SUFFIX.fullmatch(part)]
    named = [part for part in given if part and part not in suffixes]
    if named:
        return _without_initial(" ".join(named)), " ".join([family, *suffixes]).strip()
    first, _, last = family.partition(" ")
    return first, " ".join([last, *suffixes]).strip()


def joined(first: str, last: str) -> str:
    """Return a name as books list it, so that `split` takes it apart again."""
    return f"{last}, {first}" if last else first


def _without_initial(given: str) -> str:
    words = given.split()
    while len(words) > 1 and INITIAL.fullmatch(words[-1]):
        words.pop()
    return " ".join(words)
