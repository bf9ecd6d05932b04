"""Reads ER7, the bars and hats of HL7 v2: bytes or text in, segments out, every delimiter as MSH declares it.

A reader of our own: the field's library takes a message that ends its segments with LF for one long segment, fails with
IndexError on a short MSH, and knows no bytes. It is the judge in tests for what both can read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from interchange.problems import Problems

NULL = '""'  # HL7: delete what is known; an empty field changes nothing
ENDS = re.compile(r"\r\n|\r|\n")
NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
ENVELOPES = ("FHS", "BHS", "BTS", "FTS")
FRAME = "\x0b\x1c\ufeff"  # of MLLP, and the mark that some put before a file
# Table 0211, as far as Python knows the character sets, beside 8859/n.
CHARSETS = {"ASCII": "utf-8", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "UTF8": "utf-8", "UNICODE": "utf-16"}
LATIN = re.compile(r"(?:ISO.?)?8859[/-](\d{1,2})")


class Unreadable(ValueError):
    """This is no HL7 message: there is no MSH, or its delimiters cannot be told."""


@dataclass(frozen=True)
class Delimiters:
    """The five signs of a message."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def encoding(self) -> str:
        """Return MSH-2 as these delimiters write it."""
        return self.component + self.repetition + self.escape + self.subcomponent

    def unescaped(self, text: str) -> str:
        """Return the text behind escape sequences; one that is not known stays as it is."""
        if not self.escape or self.escape not in text:
            return text
        sign = re.escape(self.escape)
        return re.sub(f"{sign}([^{sign}]*){sign}", self._meaning, text)

    def _meaning(self, sequence: re.Match[str]) -> str:
        inner = sequence[1]
        signs = {"F": self.field, "S": self.component, "R": self.repetition, "E": self.escape, "T": self.subcomponent}
        if inner in signs:
            return signs[inner]
        if inner in (".br", ".sp"):
            return "\n"
        if re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", inner):
            return bytes.fromhex(inner[1:]).decode("utf-8", "replace")
        return "" if inner in ("H", "N") else sequence[0]


@dataclass(frozen=True)
class Value:
    """One repetition of a field."""

    raw: str
    delimiters: Delimiters

    def part(self, component: int = 1, subcomponent: int = 1) -> str:
        """Return a component, or its subcomponent, unescaped and trimmed; "" where there is none."""
        if not self.raw:  # as most fields are
            return ""
        components = self.raw.split(self.delimiters.component) if self.delimiters.component else [self.raw]
        whole = components[component - 1] if component <= len(components) else ""
        parts = whole.split(self.delimiters.subcomponent) if self.delimiters.subcomponent else [whole]
        text = parts[subcomponent - 1] if subcomponent <= len(parts) else ""
        return self.delimiters.unescaped(text).strip()

    @property
    def is_null(self) -> bool:
        """Whether it says that what is known is to be deleted."""
        return self.part() == NULL


@dataclass(frozen=True)
class Segment:
    """A segment; its fields count from 1 as HL7 counts them, also those of MSH."""

    name: str
    fields: tuple[str, ...]
    delimiters: Delimiters

    def raw(self, number: int) -> str:
        """Return a field letter by letter, "" where there is none."""
        return self.fields[number - 1] if number <= len(self.fields) else ""

    @property
    def text(self) -> str:
        """Return the segment as it came."""
        fields = self.fields[1:] if self.name == "MSH" else self.fields
        return self.delimiters.field.join((self.name, *fields))

    def values(self, number: int) -> tuple[Value, ...]:
        """Return the repetitions of a field that are not empty."""
        signs, raw = self.delimiters, self.raw(number)
        if not raw:
            return ()
        parts = raw.split(signs.repetition) if signs.repetition else [raw]
        return tuple(Value(part, signs) for part in parts if part.strip())

    def value(self, number: int) -> Value:
        """Return the first repetition of a field, an empty one where there is none."""
        return next(iter(self.values(number)), Value("", self.delimiters))

    def part(self, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """Return a component of the first repetition."""
        return self.value(number).part(component, subcomponent)


@dataclass(frozen=True)
class Message:
    """One message, its MSH first."""

    segments: tuple[Segment, ...]

    @property
    def header(self) -> Segment:
        """Return MSH."""
        return self.segments[0]

    @property
    def control_id(self) -> str:
        """Return MSH-10 letter by letter."""
        return self.header.raw(10)

    @cached_property
    def event(self) -> str:
        """Return the trigger event, "S12"; that of EVN where MSH does not say."""
        return self.header.part(9, 2) or self.part("EVN", 1)

    @property
    def text(self) -> str:
        """Return the message as it came, its segments ended with CR."""
        return "".join(segment.text + "\r" for segment in self.segments)

    @property
    def sender(self) -> str:
        """Return who sent it: application and facility."""
        return f"{self.header.part(3)}|{self.header.part(4)}"

    def all(self, *names: str) -> Iterator[Segment]:
        """Return the segments of these names, in their order."""
        return (segment for segment in self.segments if segment.name in names)

    def first(self, name: str) -> Segment | None:
        """Return the first segment of a name."""
        return next(self.all(name), None)

    def part(self, name: str, number: int, component: int = 1) -> str:
        """Return a component of the first segment of a name, "" where there is none."""
        segment = self.first(name)
        return segment.part(number, component) if segment else ""


@dataclass(frozen=True)
class Transmission:
    """What came at once: one message or a batch, what was wrong with its letters and its count, and the codec of the
    bytes: an answer in the same comes back byte for byte."""

    messages: tuple[Message, ...]
    problems: Problems
    codec: str = "utf-8"


def read(data: bytes | str, charset: str = "") -> Transmission:
    """Return the messages in `data`; `charset` overrules MSH-18. Raises Unreadable where there is no MSH."""
    problems = Problems()
    text, codec = (data, "utf-8") if isinstance(data, str) else decoded(data, charset, problems)
    messages: list[list[Segment]] = []
    announced = ""
    signs = Delimiters()
    for line in _lines(text):
        if line.startswith("MSH"):
            signs = delimiters(line)
            messages.append([_segment(line, signs)])
        elif line.startswith(ENVELOPES):
            announced = line[4:].split(line[3:4] or "|")[0] if line.startswith("BTS") else announced
        elif messages:
            messages[-1].append(_segment(line, signs))
    if not messages:
        raise Unreadable("header_unreadable")
    if announced.isdecimal() and int(announced[:9]) != len(messages):
        problems.note("batch_count", "BTS-1")
    return Transmission(tuple(Message(tuple(segments)) for segments in messages), problems, codec)


def delimiters(header: str) -> Delimiters:
    """Return the signs that a line of MSH declares. Raises Unreadable."""
    field = header[3:4]
    encoding = header[4:].split(field)[0] if field else ""
    signs = (encoding + Delimiters().encoding[len(encoding) :])[:4]
    distinct = {field, *signs}
    if (
        not field
        or not encoding
        or len(distinct) < 5
        or any(sign.isalnum() or sign.isspace() or not sign.isprintable() for sign in distinct)
    ):
        raise Unreadable("header_unreadable")
    return Delimiters(field, *signs)


def _segment(line: str, signs: Delimiters) -> Segment:
    name, *fields = line.split(signs.field)
    return Segment(name[:3], (signs.field, *fields) if name == "MSH" else tuple(fields), signs)


def _lines(text: str) -> list[str]:
    """The segments of a text, a line each; a line that begins none goes on with the one before, whose text had a line
    break in it."""
    lines: list[list[str]] = []
    sign = "|"
    for line in ENDS.split(text):
        clean = line.strip(FRAME).lstrip()
        sign = clean[3:4] if clean.startswith("MSH") else sign
        if lines and clean and not (NAME.match(clean) and clean[3:4] in ("", sign)):
            lines[-1].append(line)
        elif clean:
            lines.append([clean])
    return ["\n".join(parts) for parts in lines]


def decoded(data: bytes, charset: str, problems: Problems) -> tuple[str, str]:
    """Return the text of bytes and the codec that read it: that of `charset`, else of MSH-18, else UTF-8 or Latin-1."""
    named = charset or _charset_named(data)
    codec = codec_of(named)
    if named and codec is None:
        problems.note("charset_unknown", "MSH-18")
    codec = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else codec or "utf-8"
    try:
        return data.decode(codec), codec
    except UnicodeDecodeError:
        if named:
            problems.note("charset_contradicted", "MSH-18")
        return data.decode("latin-1"), "latin-1"


def codec_of(named: str) -> str | None:
    """Return Python's name of a character set of table 0211; None for one that is not known."""
    wanted = named.strip().upper()
    latin = LATIN.fullmatch(wanted)
    if latin and 1 <= int(latin[1]) <= 16 and latin[1] != "12":
        return f"iso8859-{int(latin[1])}"
    return CHARSETS.get(wanted)


def _charset_named(data: bytes) -> str:
    start = data.find(b"MSH")
    header = ENDS.split(data[start : start + 2000].decode("latin-1"))[0] if start >= 0 else ""
    fields = header.split(header[3:4] or "|")
    return fields[17].split("~")[0].strip() if len(fields) > 17 else ""
