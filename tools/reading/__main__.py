"""`python -m tools.reading build`: makes the second reader's files anew."""

import click

from messaging.reading.likeness.model import FOLDER
from tools.reading import build, corpus_files, duplicates


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


if __name__ == "__main__":
    reading()
