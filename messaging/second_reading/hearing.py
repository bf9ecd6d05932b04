"""Asks the second reader about a text, and believes it only while it is fit and fast; and joins both readers."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from config import logging
from messaging.reading import likeness, read_reply, tiers
from messaging.reading.likeness import Likeness, model
from messaging.second_reading.standing import Standing

Reader = Callable[[str, str | None], Likeness | None]


@dataclass(frozen=True)
class Heard:
    """What the second reader said of a text, or why it was not heard."""

    likeness: Likeness | None
    off: tiers.Off | None = None


@dataclass(frozen=True)
class Judged:
    """A text by both readers (`verdict`), and what is acted on: in shadow mode what the rules say alone."""

    heard: Heard
    verdict: tiers.Verdict
    acted: tiers.Verdict


def hear(text: str, language: str | None = None, reader: Reader = likeness.read) -> Heard:
    """Return what the second reader says of `text`. Never raises; an answer later than tiers.SLOW is not used."""
    try:
        fault = likeness.check()  # reads what has changed on the disk before the watch runs
        if fault is not None:
            return Heard(None, "missing" if fault == "weights_missing" else "misfit")
        began = time.perf_counter()
        read = reader(text, language)
        took = time.perf_counter() - began
    except Exception as error:  # noqa: BLE001 - whatever the reader does, the rules go on and the text is worried about
        logging.logger().error("second reading failed", error=type(error).__name__)
        return Heard(None, "threw")
    if read is None:
        return Heard(None, "missing")
    return Heard(read) if took <= tiers.SLOW else Heard(None, "slow")


def most_alike(texts: Sequence[str], language: str | None) -> Heard:
    """Return the gravest that is heard of the ways in which one text may have been meant.

    A way that was not heard is graver than one in which no danger was.
    """
    return max((hear(text, language) for text in texts), key=_gravity)


def _gravity(heard: Heard) -> tuple[int, float]:
    said = heard.likeness
    return (("none", "", "worry", "crisis").index(said.band if said else ""), said.score if said else 0.0)


def widened(said: Likeness | None, step: float) -> float | None:
    """Return the score from which a text in this language is a worry too, by a clinic's step below the threshold."""
    return floor(said.language, step) if said is not None and step else None


def floor(language: str, step: float) -> float | None:
    """Return the score `step` below the reader's own threshold in a language, None where there is no reader."""
    reader = model.current()
    known = {} if isinstance(reader, model.Unfit) else {str(key): value for key, value in reader.thresholds.items()}
    if language not in known:
        return None
    own = known[language].worry
    return 1 / (1 + math.exp(step) * (1 - own) / own)


def judge(read: read_reply.Reading, heard: Heard, standing: Standing, *, free: bool) -> Judged:
    """Return what both readers say together. `free`: words remain that no rule understood."""
    facts = tiers.Facts(
        tuple(tiers.Mark(label, label not in read.soft) for label in read.why if label.startswith("crisis.")),
        heard.likeness,
        heard.off,
        free,
        widened(heard.likeness, standing.step),
    )
    alone = tiers.rules_alone(facts)
    verdict = tiers.decide(facts)
    return Judged(heard, verdict, verdict if standing.acts else alone)
