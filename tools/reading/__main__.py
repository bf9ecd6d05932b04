"""`python -m tools.reading build|clean|sealed`: makes the second reader's files anew, and opens its sealed test."""

import click

from config import clock
from messaging.reading.likeness.model import FOLDER
from service.cli import tier_report
from tools.reading import build, corpus_files, duplicates, sealed


@click.group()
def reading() -> None:
    """How the second reader is made, and how well it does."""


@reading.command("build")
def build_() -> None:
    """Write weights, thresholds, canaries and lines; fails where a training line stands in a test set."""
    found = duplicates.found(build.training_lines(corpus_files.CORPUS))
    if found:
        listed = "\n".join(f"  {line.hand}: {line.text}" for line in found)
        raise click.ClickException(
            f"{len(found)} lines stand in a test set or twice; `clean` takes them out:\n{listed}"
        )
    build.build().write(FOLDER)


@reading.command("clean")
def clean() -> None:
    """Take lines that stand in a test set or twice out of the training text, and say how many of each hand."""
    for hand, count in duplicates.take_out(corpus_files.CORPUS).items():
        click.echo(f"{hand}: {count}")


@reading.command("sealed")
def sealed_() -> None:
    """Open the sealed test, once a version: measure both readers on it and write the figures into docs/reading.md."""
    try:
        shares = sealed.open_once(f"{clock.now():%Y-%m-%d}")
    except (sealed.Opened, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for line in tier_report.lines_of(shares):
        click.echo(line)


if __name__ == "__main__":
    reading()
