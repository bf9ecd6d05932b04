"""The screening instruments as data: one TOML file each, read once and refused whole if it contradicts itself."""

import contextlib
import functools
import importlib.resources
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from intake_links.instruments.definition import (
    SEXES,
    AlertRule,
    Answer,
    Band,
    Instrument,
    InstrumentError,
    Item,
    Sex,
    SkipRule,
    Texts,
    UnknownInstrument,
    has_check_digit,
    language_of,
    require,
    speaks,
)

__all__ = [
    "AlertRule",
    "Answer",
    "Band",
    "Instrument",
    "InstrumentError",
    "Item",
    "Sex",
    "SkipRule",
    "Texts",
    "UnknownInstrument",
    "has_check_digit",
    "instrument",
    "instruments",
    "language_of",
    "read",
    "speaks",
]

_BORROWED = ("licence", "stem", "answers")


def _texts(table: Mapping[str, str]) -> Texts:
    require(all(isinstance(words, str) and words.strip() for words in table.values()), "a sentence is empty")
    return MappingProxyType(dict(table))


def _answers(tables: Sequence[Mapping[str, Any]]) -> tuple[Answer, ...]:
    return tuple(Answer(**{**table, "text": _texts(table["text"])}) for table in tables)


def _item(table: Mapping[str, Any], shared: Sequence[Mapping[str, Any]]) -> Item:
    own = {"text": _texts(table["text"]), "answers": _answers(table.get("answers", shared))}
    return Item(**{**table, **own})


def _by_sex(number: int | Mapping[str, int]) -> Mapping[str, int]:
    table = number if isinstance(number, Mapping) else dict.fromkeys(SEXES, number)
    require(sorted(table) == sorted(SEXES), f"a number by sex needs each of {', '.join(SEXES)}")
    require(all(type(value) is int for value in table.values()), "a cut or band is no whole number")
    return MappingProxyType(dict(table))


def _bands(tables: Sequence[Mapping[str, Any]], sex: str) -> tuple[Band, ...]:
    for table in tables:
        require(table.keys() == {"name", "from", "to", "words"}, "a band needs name, from, to and words")
        require("en" in table["words"], "a band has no words in English")
    return tuple(
        Band(_by_sex(table["from"])[sex], _by_sex(table["to"])[sex], table["name"], _texts(table["words"]))
        for table in tables
    )


def _whole(document: Mapping[str, Any], documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The document with the wording it borrows from another one filled in."""
    lender = documents[document["wording_from"]] if "wording_from" in document else {}
    own = {key: value for key, value in document.items() if key != "wording_from"}
    return {key: lender[key] for key in _BORROWED if key in lender} | own


def _written_items(document: Mapping[str, Any]) -> Iterator[Item]:
    for entry in (*document.get("items", ()), *document.get("unscored", ())):
        if not isinstance(entry, str):
            yield _item(entry, document.get("answers", ()))


def _instrument(document: dict[str, Any], library: Mapping[str, Item]) -> Instrument:
    rest = {key: value for key, value in document.items() if key not in ("answers", "cut")}
    for key in ("items", "unscored"):
        entries = document.get(key, ())
        rest[key] = tuple(library[entry if isinstance(entry, str) else entry["id"]] for entry in entries)
    rest["licence"], rest["stem"] = _texts(document["licence"]), _texts(document.get("stem", {}))
    rest["cuts"] = _by_sex(document["cut"])
    tables = rest.pop("bands")
    rest["bands_by_sex"] = MappingProxyType({sex: _bands(tables, sex) for sex in SEXES})
    rest["alerts"] = tuple(AlertRule(**table) for table in document.get("alerts", ()))
    rest["ages"] = tuple(document["ages"]) if "ages" in document else None
    rest["skips"] = tuple(SkipRule(**{**t, "items": tuple(t["items"])}) for t in document.get("skips", ()))
    return Instrument(**rest)


@contextlib.contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InstrumentError(f"{name}.toml: {error}") from error


def read(documents: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Instrument]:
    """Every instrument by id, from parsed TOML by file name without its ending. Raises InstrumentError."""
    whole: dict[str, dict[str, Any]] = {}
    library: dict[str, Item] = {}
    by_id: dict[str, Instrument] = {}
    lenders_first = sorted(documents.items(), key=lambda pair: "wording_from" in pair[1])
    for name, document in lenders_first:
        with _naming(name):
            require(document["id"] == name, f"the file calls itself {document['id']}")
            whole[name] = _whole(document, documents)
            for item in _written_items(whole[name]):
                require(item.id not in library, f"{item.id} is written twice")
                library[item.id] = item
    for name, document in whole.items():
        with _naming(name):
            by_id[name] = _instrument(document, library)
    for name, short in by_id.items():
        with _naming(name):
            require(_fits_into(short, by_id), "it does not grow into a form that begins with its own items")
    return MappingProxyType(by_id)


def _fits_into(short: Instrument, by_id: Mapping[str, Instrument]) -> bool:
    if short.grows_into is None:
        return True
    longer = by_id.get(short.grows_into)
    return (
        longer is not None
        and longer.grows_into is None
        and len(longer.items) > len(short.items)
        and longer.items[: len(short.items)] == short.items
        and longer.languages == short.languages
    )


@functools.cache
def instruments() -> Mapping[str, Instrument]:
    """Every instrument shipped here, by id; read from the package's files on the first call."""
    folder = importlib.resources.files("intake_links") / "instruments"
    files = {file.name: file for file in folder.iterdir() if file.name.endswith(".toml")}
    return read({name[:-5]: tomllib.loads(files[name].read_text("utf-8")) for name in sorted(files)})


def instrument(instrument_id: str) -> Instrument:
    """The instrument with this id. Raises UnknownInstrument."""
    try:
        return instruments()[instrument_id]
    except KeyError:
        raise UnknownInstrument(instrument_id) from None
