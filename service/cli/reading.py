"""`warmthread reading report`: how well the rules read a corpus, class by class, and both readers its crises."""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click

from messaging.reading import likeness, read_reply
from messaging.second_reading import figures
from service.cli import tables, tier_lines, tier_points, tier_report

CORPUS = Path("tests/messaging/replies")
FIELDS = ("crisis", "consent", "scope", "answer", "thanks")


@dataclass(frozen=True)
class Sentence:
    """One sentence of a corpus: its file, its language, what it is an example of, and what must be read in it."""

    part: str
    language: str
    kind: str
    text: str
    expected: dict[str, Any]


@dataclass
class Count:
    """How often a class was rightly read, missed, and read where it was not said."""

    right: int = 0
    missed: int = 0
    wrong: int = 0

    @property
    def precision(self) -> float | None:
        """The share of what was read as this class that is; None where nothing was."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def recall(self) -> float | None:
        """The share of what is of this class that was read as such; None where nothing is."""
        return self.right / (self.right + self.missed) if self.right + self.missed else None


@dataclass(frozen=True)
class Miss:
    """A sentence read otherwise than a person would: the field, what it should be and was, and the rules that hit."""

    part: str
    language: str
    kind: str
    text: str
    field: str
    expected: Any
    got: Any
    why: tuple[str, ...]


@dataclass
class Report:
    """The counts by (part, language, class) and all misses, in the order of the corpus."""

    sentences: dict[tuple[str, str], int] = field(default_factory=dict)
    counts: dict[tuple[str, str, str], Count] = field(default_factory=dict)
    misses: list[Miss] = field(default_factory=list)


def load(directory: Path) -> Iterator[Sentence]:
    """Yield the sentences of the files in `directory`: en.toml is trained on, held_out.en.toml is kept apart."""
    for path in sorted(directory.glob("*.toml")):
        part, _, language = path.stem.rpartition(".")
        for kind in tomllib.loads(path.read_text(encoding="utf-8"))["kind"]:
            expected = {"topics": tuple(kind["topics"])} if "topics" in kind else _as_a_reply(kind)
            for text in kind["texts"]:
                yield Sentence(part or "trained", language, kind["name"], text, expected)


def _as_a_reply(kind: dict[str, Any]) -> dict[str, Any]:
    expected = {name: kind.get(name) for name in FIELDS}
    expected["crisis"], expected["thanks"] = bool(expected["crisis"]), bool(expected["thanks"])
    if expected["consent"] == "stop" and expected["scope"] is None:
        expected["scope"] = "all"
    return {name: expected[name] for name in kind.get("only", FIELDS)}


def measure(sentences: Iterator[Sentence]) -> Report:
    """Read every sentence as the language's own patient would be read, and count."""
    report = Report()
    for sentence in sentences:
        of = (sentence.part, sentence.language)
        report.sentences[of] = report.sentences.get(of, 0) + 1
        read = read_reply.read(sentence.text, sentence.language)
        for name, expected in sentence.expected.items():
            got = getattr(read, name)
            if name == "topics":
                for topic in {*expected, *got}:
                    _count(report, (*of, "topic"), topic in expected and topic, topic in got and topic)
            else:
                _count(report, (*of, name), expected, got)
            if got != expected and not (name == "topics" and set(got) == set(expected)):
                report.misses.append(Miss(*of, sentence.kind, sentence.text, name, expected, got, read.why))
    return report


def _count(report: Report, of: tuple[str, str, str], expected: Any, got: Any) -> None:
    part, language, name = of
    for value in {expected, got} - {None, False}:
        label = name if value is True else f"{name} {value}"
        count = report.counts.setdefault((part, language, label), Count())
        count.right += value == expected == got
        count.missed += value == expected != got
        count.wrong += value == got != expected


@click.group("reading")
def reading() -> None:
    """How replies are read."""


@reading.command("report")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path), default=CORPUS)
@tables.as_json
def report(directory: Path, json_: bool) -> None:
    """Print precision and recall over the sentences in DIRECTORY (tests/messaging/replies), and every miss.

    A file is named LANGUAGE.toml or NAME.LANGUAGE.toml and written like those; so a clinic can measure its own
    sentences. A kind that names `topics` is measured by them alone, and one with `only` by those fields. Both readers
    together are measured by crises found and ordinary texts flagged; files NAME.txt with headings as in
    tools/reading/corpus are measured by these alone.
    """
    try:
        counted, lines = measure(load(directory)), tier_lines.load(directory)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if not counted.sentences and not lines:
        raise click.UsageError(f"{directory} holds no sentences")
    rows, tiers, points = _rows(counted), tier_report.measure(lines), tier_points.of(tier_points.scored(lines))
    if json_:
        sentences = [
            {"part": part, "language": language, "sentences": count}
            for (part, language), count in counted.sentences.items()
        ]
        misses = [asdict(miss) for miss in counted.misses]
        document = {
            "version": read_reply.VERSION,
            "sentences": sentences,
            "classes": rows,
            "weights": likeness.version(),
            "tiers": tier_report.rows(tiers),
            "points": [point.as_row() for point in points],
            "misses": misses,
        }
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    if counted.sentences:
        _print(counted, rows)
    click.echo(f"\nBoth readers, weights of {likeness.version() or 'none'}: share (95 % interval)")
    for line in (*tier_report.lines_of(tiers), *tier_points.lines_of(points)):
        click.echo(line)


def _rows(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "part": part,
            "language": language,
            "class": label,
            **asdict(count),
            "precision": count.precision,
            "precision_interval": _interval(count.right, count.wrong),
            "recall": count.recall,
            "recall_interval": _interval(count.right, count.missed),
        }
        for (part, language, label), count in sorted(report.counts.items())
    ]


def _print(report: Report, rows: list[dict[str, Any]]) -> None:
    click.echo(f"Rules of {read_reply.VERSION}")
    for (part, language), count in report.sentences.items():
        click.echo(f"\n{part}, {language}: {count} sentences")
        click.echo(f"  {'class':<22}{'n':>5}{'recall':>22}{'precision':>22}")
        for row in rows:
            if (row["part"], row["language"]) == (part, language):
                recall = _share(row["recall"], row["recall_interval"])
                precision = _share(row["precision"], row["precision_interval"])
                wanted = row["right"] + row["missed"]
                click.echo(f"  {row['class']:<22}{wanted:>5}{recall:>22}{precision:>22}")
    click.echo(f"\n{len(report.misses)} read otherwise than a person would")
    for miss in report.misses:
        click.echo(f"  {miss.part} {miss.language} {miss.field}: {miss.expected} read as {miss.got}: {miss.text!r}")


def _interval(right: int, other: int) -> tuple[float, float] | None:
    """Wilson's 95 % interval of the share that is right; None of nothing."""
    return figures.interval(right, right + other) if right + other else None


def _share(share: float | None, interval: tuple[float, float] | None) -> str:
    return "-" if share is None or interval is None else f"{share:.3f} ({interval[0]:.3f}-{interval[1]:.3f})"
